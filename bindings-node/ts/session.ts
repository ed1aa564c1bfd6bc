/** Live IMAP with one account. */

import { request, requestJson } from "./bridge.js";
import type { Namespaces, RawReply } from "./info.js";
import { Mailboxes } from "./mailboxes.js";
import type { NativeSession } from "./native.js";
import { checkOptions, type CallOptions } from "./options.js";

/**
 * Live IMAP: a small pool of connections to one account, safe to share between any number of calls; nothing is
 * stored. A call that is aborted, or a loop that is left, leaves it usable.
 */
export class Session extends Mailboxes {
  readonly #native: NativeSession;

  /** @internal */
  constructor(native: NativeSession) {
    super(native.common());
    this.#native = native;
  }

  /** The account, as `user@host`. */
  get account(): string {
    return this.#native.account;
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
}
