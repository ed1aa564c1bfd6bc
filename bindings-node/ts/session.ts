/** Live IMAP with one account. */

import { direct, request, requestJson } from "./bridge.js";
import { mailboxInfo, mailboxStatus, type PackedInfo, type PackedStatus } from "./info.js";
import type { MailboxInfo, MailboxStatus, Namespaces, RawReply } from "./info.js";
import { Mailbox } from "./mailbox.js";
import type { NativeSession } from "./native.js";
import { checkOptions, given, nativeTarget, type CallOptions, type Target } from "./options.js";
import type { Role } from "./flag.js";

export interface ListOptions extends CallOptions {
  /** Only names that fit: `*` stands for anything, `%` for anything within a level. */
  pattern?: string | null;
  /** Only subscribed ones. */
  subscribed?: boolean | null;
  /** Ask for the status of each as well. */
  status?: boolean | null;
}

export interface CreateOptions extends CallOptions {
  /** What the new mailbox is for. */
  role?: Role | null;
  /** Do not mind if it is there already. */
  existOk?: boolean | null;
}

export interface DeleteOptions extends CallOptions {
  /** Delete it with the messages in it. */
  evenIfNotEmpty?: boolean | null;
}

/**
 * Live IMAP: a small pool of connections to one account, safe to share between any number of calls; nothing is
 * stored. A call that is aborted, or a loop that is left, leaves it usable.
 */
export class Session {
  readonly #native: NativeSession;

  /** @internal */
  constructor(native: NativeSession) {
    this.#native = native;
  }

  /** The account, as `user@host`. */
  get account(): string {
    return this.#native.account;
  }

  /** Whether it has been closed. */
  get closed(): boolean {
    return this.#native.closed;
  }

  /** A mailbox, by its exact decoded name, by the levels of its name, or by its role. No I/O happens. */
  mailbox(target: Target): Mailbox {
    return new Mailbox(direct(() => this.#native.mailbox(nativeTarget(target))), target);
  }

  /** The mailboxes that there are. */
  async mailboxes(options?: ListOptions): Promise<MailboxInfo[]> {
    const { signal, pattern, subscribed, status } = checkOptions(options, ["signal", "pattern", "subscribed", "status"]);
    const asked = given({ pattern, subscribed, status });
    return (await requestJson<PackedInfo[]>(signal, (id) => this.#native.mailboxes(id, asked))).map(mailboxInfo);
  }

  /** @returns its name on the server */
  async createMailbox(target: Target, options?: CreateOptions): Promise<string> {
    const { signal, role, existOk } = checkOptions(options, ["signal", "role", "existOk"]);
    const asked = given({ role: role?.name, existOk });
    return await request(signal, (id) => this.#native.createMailbox(id, nativeTarget(target), asked));
  }

  async renameMailbox(from: Target, to: Target, options?: CallOptions): Promise<void> {
    const { signal } = checkOptions(options, ["signal"]);
    await request(signal, (id) => this.#native.renameMailbox(id, nativeTarget(from), nativeTarget(to)));
  }

  /** Refuses a mailbox that still holds messages, unless told. */
  async deleteMailbox(target: Target, options?: DeleteOptions): Promise<void> {
    const { signal, evenIfNotEmpty } = checkOptions(options, ["signal", "evenIfNotEmpty"]);
    await request(signal, (id) => this.#native.deleteMailbox(id, nativeTarget(target), evenIfNotEmpty ?? false));
  }

  /** Subscribes to a mailbox, or with `false` no longer. */
  async subscribe(target: Target, on = true, options?: CallOptions): Promise<void> {
    const { signal } = checkOptions(options, ["signal"]);
    await request(signal, (id) => this.#native.subscribe(id, nativeTarget(target), on));
  }

  async status(target: Target, options?: CallOptions): Promise<MailboxStatus> {
    const { signal } = checkOptions(options, ["signal"]);
    return mailboxStatus(await requestJson<PackedStatus>(signal, (id) => this.#native.status(id, nativeTarget(target))));
  }

  async namespaces(options?: CallOptions): Promise<Namespaces> {
    const { signal } = checkOptions(options, ["signal"]);
    return await requestJson(signal, (id) => this.#native.namespaces(id));
  }

  /** Tells the server who we are (ID, RFC 2971), and asks who it is. */
  async id(fields: Readonly<Record<string, string | null>> = {}, options?: CallOptions): Promise<Record<string, string | null>> {
    const { signal } = checkOptions(options, ["signal"]);
    const own = Object.entries(fields);
    return Object.fromEntries(await requestJson<[string, string | null][]>(signal, (id) => this.#native.id(id, own)));
  }

  /** What the server can do, as it says itself. */
  async capabilities(options?: CallOptions): Promise<string[]> {
    const { signal } = checkOptions(options, ["signal"]);
    return await requestJson(signal, (id) => this.#native.capabilities(id));
  }

  async noop(options?: CallOptions): Promise<void> {
    const { signal } = checkOptions(options, ["signal"]);
    await request(signal, (id) => this.#native.noop(id));
  }

  /** Sends a command of IMAP itself, without its tag. */
  async raw(command: string, options?: CallOptions): Promise<RawReply> {
    const { signal } = checkOptions(options, ["signal"]);
    return await requestJson(signal, (id) => this.#native.raw(id, command));
  }

  /** Logs out. Closing twice is fine. */
  async close(): Promise<void> {
    await request(null, (id) => this.#native.close(id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
