/** What every server in this process has, whatever it serves. */

import { request, requestJson } from "./bridge.js";
import { usage } from "./errors.js";
import type { NativeServer } from "./native.js";
import { checkOptions, type CallOptions } from "./options.js";

/** Somebody who may log in. */
export interface ServerUser {
  readonly name: string;
  /** Kept out for now. */
  readonly disabled: boolean;
}

/** A password for one program, without the password itself. Of `ada`, the program logs in as `ada+label`. */
export interface AppPassword {
  readonly label: string;
  readonly created: Date;
}

/**
 * A server in this process: where it is, who may log in, and its end.
 *
 * All users see the same mailboxes. Changes hold at once, for open connections too: whoever came in by what was taken away
 * is sent away.
 */
export abstract class Running {
  readonly #native: NativeServer;

  /** @internal */
  protected constructor(native: NativeServer) {
    this.#native = native;
  }

  /** What a client on this machine connects to: `imap://ada@127.0.0.1:1143`, and with TLS `imaps://` or `imap+starttls://`. */
  get url(): string {
    return this.#native.url;
  }

  get host(): string {
    return this.#native.host;
  }

  get port(): number {
    return this.#native.port;
  }

  get user(): string | null {
    return this.#native.user;
  }

  /** The password of that user, given or made. */
  get password(): string | null {
    return this.#native.password;
  }

  /** The certificate in PEM, for `net: { ca }`; `null` without TLS. */
  get certificate(): string | null {
    return this.#native.certificate;
  }

  /** All who may log in, by name. */
  async users(options?: CallOptions): Promise<ServerUser[]> {
    return await requestJson(signalOf(options), (id) => this.#native.users(id));
  }

  /** Sets a user up, or gives one another password. The store keeps a verifier of it, never the password. */
  async setUser(name: string, password: string, options?: CallOptions): Promise<void> {
    const [known, secret] = [text("name", name), text("password", password)];
    await request(signalOf(options), (id) => this.#native.setUser(id, known, secret));
  }

  /** Keeps a user out, whatever the password or token; or, with `false`, lets it in again. */
  async disableUser(name: string, disabled = true, options?: CallOptions): Promise<void> {
    const known = text("name", name);
    await request(signalOf(options), (id) => this.#native.disableUser(id, known, disabled));
  }

  /** Takes a user away, with its app passwords. The mail stays. */
  async removeUser(name: string, options?: CallOptions): Promise<void> {
    const known = text("name", name);
    await request(signalOf(options), (id) => this.#native.removeUser(id, known));
  }

  /** The app passwords of a user, by label. */
  async appPasswords(user: string, options?: CallOptions): Promise<AppPassword[]> {
    const known = text("user", user);
    const all = await requestJson<{ label: string; created: number }[]>(signalOf(options), (id) => this.#native.appPasswords(id, known));
    return all.map(({ label, created }) => ({ label, created: new Date(created) }));
  }

  /** Makes a password for one program, which logs in with it as `user+label`. It is told here once. */
  async addAppPassword(user: string, label: string, options?: CallOptions): Promise<string> {
    const [known, named] = [text("user", user), text("label", label)];
    return await request(signalOf(options), (id) => this.#native.addAppPassword(id, known, named));
  }

  /** Takes an app password back, and sends away whoever is in by it. */
  async revokeAppPassword(user: string, label: string, options?: CallOptions): Promise<void> {
    const [known, named] = [text("user", user), text("label", label)];
    await request(signalOf(options), (id) => this.#native.revokeAppPassword(id, known, named));
  }

  /** Stops listening and ends all connections. What was acknowledged is kept; closing twice is fine. */
  async close(): Promise<void> {
    await request(null, (id) => this.#native.close(id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function signalOf(options: CallOptions | undefined): AbortSignal | null | undefined {
  return checkOptions(options, ["signal"]).signal;
}

function text(what: string, given: unknown): string {
  if (typeof given === "string") return given;
  throw usage("usage.argument", `The ${what} is a string`);
}
