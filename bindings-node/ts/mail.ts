/** The local mailbox: a store in step with an account, which works offline. */

import { fileURLToPath } from "node:url";
import { direct, listen, request, requestJson } from "./bridge.js";
import { nativeDraft, type Draft, type DraftFields } from "./draft.js";
import { usage } from "./errors.js";
import { dated, syncReport } from "./local.js";
import type { Evicted, Outgoing, PackedOutgoing, PackedPending, PackedReport, Pending, SyncReport, Usage } from "./local.js";
import { Mailboxes } from "./mailboxes.js";
import type { NativeMail, NativeSend, NativeSync } from "./native.js";
import { checkOptions, count, given, type CallOptions, type LongCallOptions } from "./options.js";
import { Watch } from "./watch.js";

export interface SyncOptions extends LongCallOptions {
  /** Only say what would be done: nothing is changed on either side. */
  dryRun?: boolean | null;
  /** Most bytes of bodies that are fetched in a day, over all passes. */
  bytesADay?: number | null;
}

export interface ChangesOptions extends CallOptions {
  /** `now`, or the cursor of an event to go on after it, over restarts too. */
  since?: "now" | (string & {}) | null;
}

export interface SendOptions extends CallOptions {
  /** Not before this moment. */
  at?: Date | null;
  /** What names this message: queued again with the same key, it is not sent twice. Its `Message-ID` unless given. */
  key?: string | null;
  /** Whether a copy is left in Sent; it is unless `false`. */
  copy?: boolean | null;
  /** What to do when it cannot be known whether it was sent: leave it to a person unless given. */
  onDoubt?: "ask" | "resend" | "assume_sent" | null;
}

/**
 * A local mailbox in step with an account, or one with nothing behind it; safe to share between any number of calls.
 *
 * Reads come from disk, online or not. Writes show here at once, and are kept until {@link sync} or {@link keepInSync}
 * has brought them to the server.
 */
export class Mail extends Mailboxes {
  readonly #native: NativeMail;

  /** @internal */
  constructor(native: NativeMail) {
    super(native.common());
    this.#native = native;
  }

  /** The account, as `user@host`; `null` where there is nothing behind the store. */
  get account(): string | null {
    return this.#native.account;
  }

  /**
   * Brings both sides in step, once, and says what it did; with `dryRun` what it would do, changing nothing.
   *
   * What is interrupted, by an error or an abort, goes on where it was with the next pass. The loss of the network is an
   * error; a mailbox or message that cannot be read is in the report.
   */
  async sync(options?: SyncOptions): Promise<SyncReport> {
    const { signal, dryRun, bytesADay, onProgress } = checkOptions(options, ["signal", "dryRun", "bytesADay", "onProgress"]);
    const asked = given<NativeSync>({ dryRun: dryRun ?? false, bytesADay: count("bytesADay", bytesADay), progress: undefined });
    const start = (id: number): void => this.#native.sync(id, { ...asked, ...given({ progress: listen(onProgress) }) });
    return syncReport(await requestJson<PackedReport>(signal, start));
  }

  /**
   * Follows the server and what is changed here, until it is aborted (then it rejects with `signal.reason`) or the store
   * is closed. A lost network is waited for; what needs a person, such as a new password, is thrown.
   */
  async keepInSync(options?: CallOptions): Promise<void> {
    const { signal } = checkOptions(options, ["signal"]);
    await request(signal, (id) => this.#native.keepInSync(id));
  }

  /**
   * What changes in the store, whoever changed it: without a gap, over restarts too; and that {@link keepInSync} cannot
   * reach the server, or can again. A consumer that keeps the cursor with its own data sees each change once. A cursor that is too old is `cursor.expired`: read everything anew, then go
   * on from now.
   */
  changes(options?: ChangesOptions): Watch {
    const { signal, since } = checkOptions(options, ["signal", "since"]);
    signal?.throwIfAborted();
    return new Watch(direct(() => this.#native.changes(since ?? "now")), signal);
  }

  /** The place in the feed after everything that has happened: read what is there after asking for it. */
  async cursor(options?: CallOptions): Promise<string> {
    const { signal } = checkOptions(options, ["signal"]);
    return await request(signal, (id) => this.#native.cursor(id));
  }

  /** Local changes that the server has not confirmed, the oldest first; parked ones with their reason. */
  async pending(options?: CallOptions): Promise<Pending[]> {
    const { signal } = checkOptions(options, ["signal"]);
    return (await requestJson<PackedPending[]>(signal, (id) => this.#native.pending(id))).map(dated);
  }

  /** Lets a parked change be tried again with the next pass. */
  async retry(change: Pending | number, options?: CallOptions): Promise<void> {
    const { signal } = checkOptions(options, ["signal"]);
    await request(signal, (id) => this.#native.retry(id, numberOf(change)));
  }

  /**
   * Gives a parked change up: what it did here is taken back. Changes that depend on it go with it.
   *
   * @returns the numbers of those that were dropped
   */
  async drop(change: Pending | number, options?: CallOptions): Promise<number[]> {
    const { signal } = checkOptions(options, ["signal"]);
    return await requestJson(signal, (id) => this.#native.drop(id, numberOf(change)));
  }

  /** Queues a message: it is on the disk when this resolves, and leaves with a pass when there is a network. */
  async send(draft: Draft | DraftFields, options?: SendOptions): Promise<Outgoing> {
    const { signal, at, key, copy, onDoubt } = checkOptions(options, ["signal", "at", "key", "copy", "onDoubt"]);
    const ready = nativeDraft(draft);
    const asked = given<NativeSend>({ atSeconds: at && Math.ceil(at.getTime() / 1000), key, noCopy: copy === false, onDoubt });
    return dated(await requestJson<PackedOutgoing>(signal, (id) => this.#native.send(id, ready, asked)));
  }

  /** Messages that are queued, on their way, uncertain, or without their copy in Sent. */
  async outbox(options?: CallOptions): Promise<Outgoing[]> {
    const { signal } = checkOptions(options, ["signal"]);
    return (await requestJson<PackedOutgoing[]>(signal, (id) => this.#native.outbox(id))).map(dated);
  }

  /** Takes a message back that nobody has begun to send. */
  async cancel(message: Outgoing | number, options?: CallOptions): Promise<Outgoing> {
    const { signal } = checkOptions(options, ["signal"]);
    return dated(await requestJson<PackedOutgoing>(signal, (id) => this.#native.cancel(id, numberOf(message))));
  }

  /** Decides about a message that may have been sent: send it again, take it for sent, or let it be. */
  async decide(message: Outgoing | number, decision: "resend" | "sent" | "drop", options?: CallOptions): Promise<Outgoing> {
    const { signal } = checkOptions(options, ["signal"]);
    return dated(await requestJson<PackedOutgoing>(signal, (id) => this.#native.decide(id, numberOf(message), decision)));
  }

  /** What the store takes. */
  async usage(options?: CallOptions): Promise<Usage> {
    const { signal } = checkOptions(options, ["signal"]);
    return await requestJson(signal, (id) => this.#native.usage(id));
  }

  /** Lets bodies go that can be fetched again, the oldest first, until so many bytes are free; the file shrinks. */
  async evict(bytes: number, options?: CallOptions): Promise<Evicted> {
    const { signal } = checkOptions(options, ["signal"]);
    const wanted = count("bytes", bytes) ?? 0;
    return await requestJson(signal, (id) => this.#native.evict(id, wanted));
  }

  /** Writes a whole copy of the store, while it is in use. */
  async backup(path: string | URL, options?: CallOptions): Promise<void> {
    const { signal } = checkOptions(options, ["signal"]);
    await request(signal, (id) => this.#native.backup(id, pathOf(path)));
  }

  /** Reads everything in the file and says what is wrong, a sentence each; nothing for a sound one. */
  async check(options?: CallOptions): Promise<string[]> {
    const { signal } = checkOptions(options, ["signal"]);
    return await requestJson(signal, (id) => this.#native.check(id));
  }
}

/** @internal */
export function pathOf(path: string | URL): string {
  if (path instanceof URL) return fileURLToPath(path);
  if (typeof path === "string" && path !== "") return path;
  throw usage("usage.argument", "A path is a string or a file URL");
}

function numberOf(one: { readonly id: number } | number): number {
  const number = typeof one === "number" ? one : one?.id;
  if (Number.isSafeInteger(number)) return number;
  throw usage("usage.argument", "Give one of pending() or outbox(), or its id");
}
