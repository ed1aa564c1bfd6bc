/** The local mailbox: a store in step with an account, which works offline. */

import { fileURLToPath } from "node:url";
import type { Place } from "./bulk.js";
import { bridge, direct, listen, request, requestJson } from "./bridge.js";
import { nativeDraft, type Draft, type DraftFields } from "./draft.js";
import { usage } from "./errors.js";
import { unpackHits, type Hit } from "./hit.js";
import { dated, deletedMessage, nativeKeep, sendReport, syncReport } from "./local.js";
import type {
  DeletedMessage, Evicted, Exported, Imported, Keep, Outgoing, PackedDeleted, PackedOutgoing, PackedPending, PackedReport, PackedSent, Paused, Pending,
  Repaired, SendReport, SyncReport, Usage,
} from "./local.js";
import { Mailboxes } from "./mailboxes.js";
import { native, type NativeExport, type NativeImport, type NativeMail, type NativeSend } from "./native.js";
import type { NativeBatch, NativeFind, NativeFollow, NativeSync, NativeTidy } from "./native.js";
import { checkOptions, count, given, nativeTarget, type CallOptions, type LongCallOptions, type Target } from "./options.js";
import { listener } from "./progress.js";
import type { Q } from "./query.js";
import { MessageRef } from "./ref.js";
import { readSelection } from "./selection.js";
import { Watch } from "./watch.js";

export interface SyncOptions extends LongCallOptions {
  /** Only say what would be done: nothing is changed on either side. */
  dryRun?: boolean | null;
  /** Most bytes of bodies that are fetched in a day, over all passes. */
  bytesADay?: number | null;
}

export interface FollowOptions extends LongCallOptions {
  /** Most bytes of bodies that are fetched in a day, over all passes. */
  bytesADay?: number | null;
  /** How many seconds after a pass the next one begins where nothing is heard; 300 unless given, a day at most. */
  everySeconds?: number | null;
}

export interface ChangesOptions extends CallOptions {
  /** `now`, or the cursor of an event to go on after it, over restarts too. */
  since?: "now" | (string & {}) | null;
}

export interface DeletedOptions extends CallOptions {
  /** At most so many; all unless given. */
  limit?: number | null;
}

/** How many days what is gone is remembered. */
export interface TidyOptions extends CallOptions {
  /** Contents of deleted messages; 30 unless given. */
  contents?: number | null;
  /** Entries of the feed: an older cursor is `cursor.expired`; 30 unless given. */
  feed?: number | null;
  /** Traces of deletions; 90 unless given. */
  tombstones?: number | null;
  /** Finished changes; 30 unless given. */
  journal?: number | null;
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

const FIND = ["signal", "mailbox", "order", "limit", "snippets", "timeZone"] as const;

export interface FindOptions extends CallOptions {
  /** One mailbox; all unless given. */
  mailbox?: Target | null;
  /** `newest` unless given; with `rank` those come first that the words of the query say most about. */
  order?: "newest" | "oldest" | "rank" | null;
  /** At most this many messages, 50 unless given; `Infinity` is no limit. */
  limit?: number | null;
  /** Give the piece of each message that has most of what was looked for. */
  snippets?: boolean | null;
  /** What `after:`, `before:` and `on:` mean; the system's zone unless given. */
  timeZone?: string | null;
}

const EXPORT = ["signal", "format", "mailbox", "query", "timeZone", "onProgress"] as const;

export interface ExportOptions extends LongCallOptions {
  /** `mbox` unless given. */
  format?: "mbox" | "maildir" | null;
  /** One mailbox; all unless given. */
  mailbox?: Target | null;
  /** Only messages that it finds. */
  query?: string | Q | null;
  /** What `after:`, `before:` and `on:` mean; the system's zone unless given. */
  timeZone?: string | null;
}

export interface ImportOptions extends LongCallOptions {
  /** The mailbox that messages go to. */
  to?: Target | null;
  /** How another program has quoted `From ` lines in mbox: `rd` unless given. */
  quoting?: "rd" | "o" | "none" | null;
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
    natives.set(this, native);
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
    const pass = nativeSync({ dryRun, bytesADay, onProgress });
    return syncReport(await requestJson<PackedReport>(signal, (id) => this.#native.sync(id, pass())));
  }

  /**
   * Follows the server and what is changed here, until it is aborted (then it rejects with `signal.reason`) or the store
   * is closed. A lost network is waited for; what needs a person, such as a new password, is thrown. `bytesADay` and
   * `onProgress` are those of each pass, as for {@link sync}.
   */
  async keepInSync(options?: FollowOptions): Promise<void> {
    const { signal, bytesADay, everySeconds, onProgress } = checkOptions(options, ["signal", "bytesADay", "everySeconds", "onProgress"]);
    const [pass, every] = [nativeSync({ bytesADay, onProgress }), count("everySeconds", everySeconds)];
    const asked = (): NativeFollow => ({ sync: pass(), ...given({ everySeconds: every }) });
    await request(signal, (id) => this.#native.keepInSync(id, asked()));
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

  /**
   * Searches all mailboxes, or one: the messages that come first in the order asked for.
   *
   * When ranked, rare words count more than common ones, a subject more than a text, and a whole word more than a piece of
   * one. A message that is in several mailboxes is found in each.
   */
  async search(query: string | Q, options?: FindOptions): Promise<Hit[]> {
    const { signal, mailbox, order, limit, snippets, timeZone } = checkOptions(options, FIND);
    const [chosen, most] = [readSelection(query), limit === Infinity ? undefined : count("limit", limit ?? 50)];
    const asked = given<NativeFind>({ mailbox: maybeTarget(mailbox), order, limit: most, snippets: snippets ?? false, timeZone });
    return unpackHits(await request<NativeBatch>(signal, (id) => this.#native.search(id, chosen, asked)));
  }

  /**
   * Local changes that the server has not confirmed, the oldest first. Those that are parked, or wait for a parked one, say
   * why and what can be done.
   */
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

  /**
   * Messages that were deleted, here or on the server, and are not forgotten yet: they are for 30 days, or what {@link tidy}
   * is told. Those deleted last come first.
   */
  async deleted(options?: DeletedOptions): Promise<DeletedMessage[]> {
    const { signal, limit } = checkOptions(options, ["signal", "limit"]);
    const most = count("limit", limit) ?? null;
    return (await requestJson<PackedDeleted[]>(signal, (id) => this.#native.deleted(id, most))).map(deletedMessage);
  }

  /**
   * Places a message again that was deleted: in that mailbox, INBOX unless given, under a UID of its own, with the flags
   * that it had in the mailbox it left last, except `\Deleted`. It reaches the server as one that was added. One that is
   * forgotten is `message.missing`, one whose body was not held when it was deleted `body.not_here`.
   */
  async restore(message: DeletedMessage | number, mailbox?: Target | null, options?: CallOptions): Promise<MessageRef> {
    const { signal } = checkOptions(options, ["signal"]);
    const [which, target] = [numberOf(message), nativeTarget(mailbox ?? "INBOX")];
    const placed = await requestJson<[...Place, number]>(signal, (id) => this.#native.restore(id, which, target));
    return new MessageRef(...placed);
  }

  /** Mailboxes in which nothing is taken away until somebody has looked: see {@link confirm}. */
  async paused(options?: CallOptions): Promise<Paused[]> {
    const { signal } = checkOptions(options, ["signal"]);
    return await requestJson(signal, (id) => this.#native.paused(id));
  }

  /** Says of a paused mailbox that the server is right: what is missing there goes here too, with the next pass. */
  async confirm(mailbox: Target, options?: CallOptions): Promise<void> {
    const { signal } = checkOptions(options, ["signal"]);
    await request(signal, (id) => this.#native.confirm(id, nativeTarget(mailbox)));
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

  /** One message that is to be sent, or was: also one that is finished, with what has become of each recipient. */
  async outgoing(message: Outgoing | number, options?: CallOptions): Promise<Outgoing | null> {
    const { signal } = checkOptions(options, ["signal"]);
    const found = await requestJson<PackedOutgoing | null>(signal, (id) => this.#native.outgoing(id, numberOf(message)));
    return found && dated(found);
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

  /** Sends, looks for and files all that is due in the outbox, once, without a pass over the mailboxes. */
  async sendDue(options?: CallOptions): Promise<SendReport> {
    const { signal } = checkOptions(options, ["signal"]);
    return sendReport(await requestJson<PackedSent>(signal, (id) => this.#native.sendDue(id)));
  }

  /** Which bodies are held of a mailbox; without one, of all that have no rule of their own. */
  async keep(mailbox?: Target | null, options?: CallOptions): Promise<Exclude<Keep, string>> {
    const { signal } = checkOptions(options, ["signal"]);
    return await requestJson(signal, (id) => this.#native.keep(id, maybeTarget(mailbox)));
  }

  /**
   * Sets which bodies are held of a mailbox, or without one of all that have no rule of their own; `null` takes the rule
   * away. What is wanted now comes with the next pass; what is not goes with {@link evict}.
   */
  async setKeep(keep: Keep | null, mailbox?: Target | null, options?: CallOptions): Promise<void> {
    const { signal } = checkOptions(options, ["signal"]);
    const rule = keep === null ? null : nativeKeep(keep);
    await request(signal, (id) => this.#native.setKeep(id, rule, maybeTarget(mailbox)));
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

  /**
   * Takes away what has been gone for so many days.
   *
   * @returns how many messages went for good
   */
  async tidy(options?: TidyOptions): Promise<number> {
    const { signal, ...days } = checkOptions(options, ["signal", "contents", "feed", "tombstones", "journal"]);
    const asked = Object.entries(days).map(([name, value]) => [name, count(name, value)]);
    return await request(signal, (id) => this.#native.tidy(id, given<NativeTidy>(Object.fromEntries(asked))));
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

  /**
   * Writes messages to files of other programs, with their flags, keywords and dates, at a path where nothing is.
   *
   * All mailboxes become a folder of mbox files, or a Maildir with folders; a single one becomes an mbox file, or a Maildir
   * without. A failure or an abort leaves nothing. Contents are streamed; one that is not held is fetched.
   */
  async export(path: string | URL, options?: ExportOptions): Promise<Exported> {
    const { signal, format, mailbox, query, timeZone, onProgress } = checkOptions(options, EXPORT);
    const [file, chosen, target] = [pathOf(path), readSelection(query), mailbox ? nativeTarget(mailbox) : null];
    const start = (id: number): void =>
      this.#native.export(id, file, chosen, given<NativeExport>({ format, mailbox: target, timeZone, progress: listen(listener(onProgress)) }));
    return await requestJson(signal, start);
  }

  /**
   * Adds the messages of an mbox file, of a folder of `*.mbox` files, or of a Maildir with its folders.
   *
   * They go to the mailbox `to`, folders below it; without it mailboxes are named as the files are. A message that is in its
   * mailbox already is left alone, so an import that was interrupted is done again, and nothing is there twice.
   */
  async import(path: string | URL, options?: ImportOptions): Promise<Imported> {
    const { signal, to, quoting, onProgress } = checkOptions(options, ["signal", "to", "quoting", "onProgress"]);
    const [file, target] = [pathOf(path), to ? nativeTarget(to) : null];
    const start = (id: number): void => this.#native.import(id, file, given<NativeImport>({ to: target, quoting, progress: listen(listener(onProgress)) }));
    return await requestJson(signal, start);
  }
}

/** How a pass goes, once its options are found to be right: its progress is listened to from when this is asked. */
function nativeSync({ dryRun, bytesADay, onProgress }: { [K in keyof SyncOptions]: SyncOptions[K] | undefined }): () => NativeSync {
  const bytes = count("bytesADay", bytesADay);
  return () => given<NativeSync>({ dryRun: dryRun ?? false, bytesADay: bytes, progress: listen(listener(onProgress)) });
}

const natives = new WeakMap<object, NativeMail>();

/** What the engine has of a `Mail`; null for anything else. @internal */
export function nativeOf(mail: unknown): NativeMail | null {
  return typeof mail === "object" && mail !== null ? (natives.get(mail) ?? null) : null;
}

/** @internal */
export function pathOf(path: string | URL): string {
  if (path instanceof URL) return fileURLToPath(path);
  if (typeof path === "string" && path !== "") return path;
  throw usage("usage.argument", "A path is a string or a file URL");
}

/**
 * Saves what can be saved of a damaged file, which nobody may have open: a new one takes its place, with changes and
 * messages that the server has not got; the rest comes with the next pass. A sound file is left as it is.
 */
export async function repair(path: string | URL, options?: CallOptions): Promise<Repaired> {
  const { signal } = checkOptions(options, ["signal"]);
  const where = pathOf(path);
  return await requestJson(signal, (id) => native.repair(bridge(), id, where));
}

function maybeTarget(mailbox: Target | null | undefined): ReturnType<typeof nativeTarget> | null {
  return mailbox === null || mailbox === undefined ? null : nativeTarget(mailbox);
}

function numberOf(one: { readonly id: number } | number): number {
  const number = typeof one === "number" ? one : one?.id;
  if (Number.isSafeInteger(number)) return number;
  throw usage("usage.argument", "Give one of pending(), outbox() or deleted(), or its id");
}
