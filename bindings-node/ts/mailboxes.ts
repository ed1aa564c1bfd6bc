/** What a session and a local mailbox have alike: their mailboxes. */

import { direct, request, requestJson } from "./bridge.js";
import type { Role } from "./flag.js";
import { mailboxInfo, mailboxStatus, type PackedInfo, type PackedStatus } from "./info.js";
import type { MailboxInfo, MailboxStatus } from "./info.js";
import { Mailbox } from "./mailbox.js";
import type { NativeMailboxes } from "./native.js";
import { checkOptions, given, nativeTarget, type CallOptions, type Target } from "./options.js";

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

/** A {@link Session} or a {@link Mail}, for who does not care which. */
export abstract class Mailboxes {
  readonly #native: NativeMailboxes;

  /** @internal */
  constructor(native: NativeMailboxes) {
    this.#native = native;
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

  /** @returns its name */
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

  /** Ends what runs and logs out. Closing twice is fine. */
  async close(): Promise<void> {
    await request(null, (id) => this.#native.close(id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
