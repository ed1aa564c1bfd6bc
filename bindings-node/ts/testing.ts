/** An IMAP server for the tests of programs that use IMAP, with any client. */

import { bridge, direct, request } from "./bridge.js";
import { nativeDraft, type DraftFields } from "./draft.js";
import { usage } from "./errors.js";
import { Mail } from "./mail.js";
import type { Message } from "./message.js";
import { native, type NativeFault, type NativeLetter, type NativeTest, type NativeTestServer } from "./native.js";
import { checkOptions, count, given, nativeTarget, type CallOptions, type Target } from "./options.js";
import { Running } from "./running.js";

/** A message: its bytes, or a draft. One that does not say who writes to whom is from Grace Hopper to the server's user. */
export type Letter = Uint8Array | DraftFields;

const START = ["signal", "mail", "without", "quirks", "user", "password"] as const;

export interface TestServerOptions extends CallOptions {
  /** Messages by mailbox. Missing mailboxes are made; INBOX, Archive, Drafts, Junk, Sent and Trash are there. */
  mail?: Readonly<Record<string, readonly Letter[]>> | null;
  /**
   * Capabilities that it has not got, such as `MOVE` or `THREAD`: they are not announced, and what needs them is answered
   * with BAD. IMAP4rev2 goes with whatever is a part of it.
   */
  without?: readonly string[] | null;
  /** Faults that servers are known for, by the names of the rules of the engine: `Exchange and Office 365`. */
  quirks?: readonly string[] | null;
  /** Who may log in; `ada` unless given. */
  user?: string | null;
  /** And with which password; `secret` unless given. */
  password?: string | null;
}

/**
 * `cut` ends the connection; `delay` says nothing for a while; `no` and `bad` answer with a text; `garbage` sends bytes that
 * are no IMAP.
 */
export type FaultKind = "cut" | "delay" | "no" | "bad" | "garbage";

const FAULT = ["command", "nth", "after", "text", "delay", "data"] as const;

export interface FaultOptions {
  /** In any case and without UID: `FETCH`. `GREETING` is the begin of a connection; any command unless given. */
  command?: string | null;
  /** At the how manyth of them from now on; the next unless given. */
  nth?: number | null;
  /** The command is done, and so many bytes of its answer are sent before. */
  after?: number | null;
  /** Of `no` and `bad`; it may begin with a response code: `[OVERQUOTA] Full`. */
  text?: string | null;
  /** Of `delay`, in milliseconds. */
  delay?: number | null;
  /** Of `garbage`. */
  data?: Uint8Array | null;
}

/**
 * A server in this process, on a free port and with mail of its own that goes when it is closed.
 *
 * ```js
 * const server = await Server.start({ mail: { INBOX: [Buffer.from("Subject: moth\r\n\r\nrelay 70\r\n")] } });
 * server.fault("cut", { command: "FETCH", after: 100 });
 * ```
 */
export class Server extends Running {
  readonly #test: NativeTestServer;

  private constructor(test: NativeTestServer) {
    super(test.server());
    this.#test = test;
  }

  /** Starts one. */
  static async start(options?: TestServerOptions): Promise<Server> {
    const { signal, mail, without, quirks, user, password } = checkOptions(options, START);
    const seeded = Object.entries(mail ?? {}).map(([mailbox, letters]) => ({ mailbox, letters: letters.map(nativeLetter) }));
    const asked = given<NativeTest>({ mail: seeded, without: [...(without ?? [])], quirks: [...(quirks ?? [])], user, password });
    return new Server(await request<NativeTestServer>(signal, (id) => native.startTestServer(bridge(), id, asked)));
  }

  override get user(): string {
    return super.user ?? "";
  }

  override get password(): string {
    return super.password ?? "";
  }

  /** What clients have sent, in order, without tags, passwords and the contents of messages. */
  get commands(): string[] {
    return this.#test.commands;
  }

  /** The mailbox behind it, for all that a test wants to do on the other side. */
  get mail(): Mail {
    return new Mail(this.#test.mail());
  }

  /**
   * Puts a message into a mailbox, as a delivery does: clients that wait are told. A missing mailbox is made.
   *
   * @returns its UID
   */
  async deliver(mailbox: Target, message: Letter, options?: CallOptions & { flags?: readonly string[] | null }): Promise<number> {
    const { signal, flags } = checkOptions(options, ["signal", "flags"]);
    const letter = nativeLetter(message);
    return await request(signal, (id) => this.#test.deliver(id, nativeTarget(mailbox), letter, [...(flags ?? [])]));
  }

  /** What a mailbox holds, oldest first: what clients have made of it, seen from the other side. */
  async messages(mailbox: Target = "INBOX"): Promise<Message[]> {
    return await this.mail.mailbox(mailbox).fetch().list();
  }

  /** Has something go wrong once, at the next such command of any client, or at the `nth` from now on. */
  fault(kind: FaultKind, options?: FaultOptions): void {
    const { command, nth, after, text, delay, data } = checkOptions(options, FAULT);
    const asked = given<NativeFault>({
      kind,
      command,
      nth: count("nth", nth),
      after: count("after", after),
      text: text ?? "No",
      delay: delay ?? 0,
      data: data ?? Buffer.from("\0\xff garbage\r\n", "latin1"),
    });
    direct(() => this.#test.fault(asked));
  }

  /** Ends all connections, and removes its mail; closing twice is fine. */
  override async close(): Promise<void> {
    await request(null, (id) => this.#test.close(id));
  }
}

function nativeLetter(message: Letter): NativeLetter {
  if (message instanceof Uint8Array) return { raw: message };
  if (typeof message === "object" && message !== null) return { draft: nativeDraft(message) };
  throw usage("usage.argument", "A message is a Uint8Array or a draft", "Text becomes bytes by Buffer.from(text)");
}
