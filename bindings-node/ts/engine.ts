/** What sessions share. */

import { ACCOUNT, LOGIN, nativeAccount, type Account, type Login } from "./account.js";
import { bridge, direct, listen, request } from "./bridge.js";
import { nativeAddress, type DraftAddress } from "./draft.js";
import { nativeKeep, type Keep } from "./local.js";
import { Mail, pathOf } from "./mail.js";
import { native, type NativeEngine, type NativeEngineOptions, type NativeMail, type NativeOpen, type NativeSession } from "./native.js";
import { checkOptions, count, given, type CallOptions } from "./options.js";
import { Session } from "./session.js";

/** One redacted line of the protocol. */
export interface LogLine {
  /** Number of the connection within its engine. */
  readonly connection: number;
  /** Whether we sent it. */
  readonly sent: boolean;
  /** The line. Credentials and literals are replaced by their length. */
  readonly text: string;
}

/** What an engine has done so far. */
export interface Stats {
  /** Connections open now. */
  readonly connections: number;
  /** Connections made so far. */
  readonly opened: number;
  /** Commands sent, logins excepted. */
  readonly commands: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface EngineOptions {
  /** Most connections to one account, watches excepted; 4 unless given. */
  maxConnections?: number | null;
  loginsPerSecond?: number | null;
  /** Receives every line of the protocol, redacted. */
  logger?: ((line: LogLine) => void) | null;
  /** Receives the counters whenever a connection has been made. */
  onStats?: ((stats: Stats) => void) | null;
}

export interface ConnectOptions extends Login, CallOptions {
  /** The engine to use; a default one unless given. */
  engine?: Engine | null;
}

export interface OpenOptions extends Login, CallOptions {
  /** The account that the store is kept in step with: a URL, or an object with one. Without it nothing is behind it. */
  account?: string | Account | null;
  /**
   * Where messages are handed in: a host, over TLS with the account's login; or `smtps://user@host`,
   * `smtp+starttls://user@host`, or `smtp://user@host` on this machine.
   */
  smtp?: string | null;
  /** Who writes drafts that do not say so; the account's user unless given, if that is an address. */
  sender?: DraftAddress | null;
  /** Which bodies are held, in all mailboxes without a rule of their own; what the file has unless given. */
  keep?: Keep | null;
  /** The engine to use; a default one unless given. */
  engine?: Engine | null;
}

/** What `open` takes beside what `connect` takes. */
const STORE = ["account", "smtp", "sender", "keep"] as const;

/** Owns limits, logger and statistics of its sessions. `connect` uses a default one. */
export class Engine {
  readonly #native: NativeEngine;

  constructor(options?: EngineOptions) {
    const known = ["maxConnections", "loginsPerSecond", "logger", "onStats"] as const;
    const { maxConnections, loginsPerSecond, logger, onStats } = checkOptions(options, known);
    const ready = given<NativeEngineOptions>({
      maxConnections: count("maxConnections", maxConnections),
      loginsPerSecond,
      logger: listen(logger),
      onStats: listen(onStats),
    });
    this.#native = direct(() => new native.Engine(bridge(), ready));
  }

  /** Logs in. */
  async connect(account: string | Account, options?: Omit<ConnectOptions, "engine">): Promise<Session> {
    const { signal, ...login } = checkOptions(options, [...LOGIN, "signal"]);
    const whole = wholeAccount(account, login);
    return new Session(await request<NativeSession>(signal, (id) => this.#native.connect(id, nativeAccount(whole))));
  }

  /** Opens the mail in a file, or makes one. No network is asked. */
  async open(path: string | URL, options?: Omit<OpenOptions, "engine">): Promise<Mail> {
    const { signal, account, smtp, sender, keep, ...login } = checkOptions(options, [...LOGIN, "signal", ...STORE]);
    const file = pathOf(path);
    const asked = given<NativeOpen>({ smtp, sender: sender ? nativeAddress(sender) : null, keep: keep && nativeKeep(keep), account: undefined });
    const start = (id: number): void => {
      const whole = given<NativeOpen>({ ...asked, account: account ? nativeAccount(wholeAccount(account, login)) : null });
      this.#native.open(id, file, whole);
    };
    return new Mail(await request<NativeMail>(signal, start));
  }

  /** Closes its sessions, waiting at most `timeout` milliseconds for the servers to agree. */
  async close(options?: { timeout?: number | null }): Promise<void> {
    const { timeout } = checkOptions(options, ["timeout"]);
    await request(null, (id) => this.#native.close(id, count("timeout", timeout) ?? 5000));
  }

  /** What has been done so far. */
  get stats(): Stats {
    return JSON.parse(this.#native.stats()) as Stats;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function wholeAccount(account: string | Account, login: Login): Account {
  const where = typeof account === "string" ? { url: account } : checkOptions(account, ACCOUNT);
  return { ...where, ...given<Login>(login) };
}

let usual: Engine | null = null;

/**
 * Logs in to an account: `imaps://user@host`, `imap+starttls://user@host`, or `imap://user@host` on this machine.
 *
 * ```js
 * const session = await connect("imaps://ada@imap.example.org", { password: ask });
 * ```
 */
export async function connect(account: string | Account, options?: ConnectOptions): Promise<Session> {
  const { engine, ...rest } = checkOptions(options, [...LOGIN, "signal", "engine"]);
  return await (engine ?? (usual ??= new Engine())).connect(account, rest);
}

/**
 * Opens a person's mail on this machine: one file, in step with one account, which works offline. Opening asks no
 * network; {@link Mail.sync} does.
 *
 * ```js
 * const mail = await open("ada.mail", { account: "imaps://ada@imap.example.org", password: ask });
 * ```
 */
export async function open(path: string | URL, options?: OpenOptions): Promise<Mail> {
  const { engine, ...rest } = checkOptions(options, [...LOGIN, "signal", ...STORE, "engine"]);
  return await (engine ?? (usual ??= new Engine())).open(path, rest);
}
