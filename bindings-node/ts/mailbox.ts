/** A mailbox: a name in a session or in a local store. Making one does no I/O. */

import { direct, listen, request, requestJson } from "./bridge.js";
import { listener } from "./progress.js";
import { bulkResult, refList, type BulkResult, type PackedBulk, type Place } from "./bulk.js";
import { usage } from "./errors.js";
import type { MailboxStatus } from "./info.js";
import { mailboxStatus, type PackedStatus } from "./info.js";
import { Messages } from "./messages.js";
import type { NativeMailbox, NativeSelection, NativeWriteOptions } from "./native.js";
import { checkOptions, count, given, nativeTarget, type CallOptions, type LongCallOptions, type Target } from "./options.js";
import { MessageRef } from "./ref.js";
import { readSelection, writeSelection, type ReadSelection, type WriteSelection } from "./selection.js";
import { feed, type MessageSource } from "./source.js";
import { Watch } from "./watch.js";

/** What a fetch can load ahead, so that the methods of that name answer at once. */
export type Part = "text" | "html" | "headers" | "raw";

/** Properties to ask the server for; `envelope` is the header's, `structure` the attachments, `thread` its thread's id. */
export type Column = "flags" | "received" | "size" | "envelope" | "structure" | "thread";

/** A query may need to know whose days `after:`, `before:` and `on:` mean. */
export interface QueryOptions extends CallOptions {
  /** IANA name of a time zone; the system's unless given. */
  timeZone?: string | null;
}

export interface SearchOptions extends QueryOptions {
  /** Match words as the query language says even where the server matches them otherwise. */
  exact?: boolean | null;
}

export interface FetchOptions extends SearchOptions {
  parts?: readonly Part[] | null;
  columns?: readonly Column[] | null;
  /** At most this many messages. */
  limit?: number | null;
  order?: "oldest" | "newest" | null;
  onProgress?: LongCallOptions["onProgress"];
}

export interface WriteOptions extends QueryOptions {
  /** Refuse beforehand when more messages than this are selected. */
  limit?: number | null;
  /** `"return"` a result with failures in it instead of throwing {@link PartialError}. */
  partial?: "raise" | "return" | null;
}

export interface MoveOptions extends WriteOptions {
  /** Create the target if it is missing. */
  create?: boolean | null;
}

export interface FlagOptions extends WriteOptions {
  add?: readonly string[] | string | null;
  remove?: readonly string[] | string | null;
  /** Replace all flags by these; goes without `add` and `remove`. */
  set?: readonly string[] | string | null;
}

export interface AppendOptions extends LongCallOptions {
  flags?: readonly string[] | string | null;
  /** When it was received; the server's clock unless given. */
  received?: Date | null;
  /** Offset of the zone for `received`, in minutes east of UTC. */
  receivedOffset?: number | null;
  /** Create the mailbox if it is missing. */
  create?: boolean | null;
}

export interface WatchOptions extends CallOptions {
  /** `now`, `all` for every message that is there as `new`, or the cursor of an event to go on after it. */
  since?: "now" | "all" | (string & {}) | null;
  /** Ask this often, in seconds, where the server has no IDLE. */
  pollSeconds?: number | null;
}

const QUERY = ["signal", "timeZone"] as const;
const WRITE = [...QUERY, "limit", "partial"] as const;
const MOVE = [...WRITE, "create"] as const;

/** A mailbox of a session or of a local store: the same verbs. A local one answers from disk, and its writes are there at once. */
export class Mailbox {
  readonly #native: NativeMailbox;
  /** How it was named. */
  readonly target: Target;

  /** @internal */
  constructor(native: NativeMailbox, target: Target) {
    this.#native = native;
    this.target = target;
  }

  /**
   * The messages of a selection: a query, messages, refs, UIDs, or nothing for all. Marks nothing as seen; asks the
   * server when the messages are asked for.
   */
  fetch(selection?: ReadSelection, options?: FetchOptions): Messages {
    const known = ["signal", "timeZone", "exact", "parts", "columns", "limit", "order", "onProgress"] as const;
    const { signal, timeZone, exact, parts, columns, limit, order, onProgress } = checkOptions(options, known);
    const chosen = readSelection(selection);
    const ready = given<Parameters<NativeMailbox["fetch"]>[1]>({
      parts: [...(parts ?? [])],
      columns: columns && [...columns],
      limit: count("limit", limit),
      newest: checkOrder(order) === "newest",
      exact: exact ?? false,
      timeZone,
      progress: undefined,
    });
    const open = () => this.#native.fetch(chosen, { ...ready, ...given({ progress: listen(listener(onProgress)) }) });
    return new Messages(open, signal);
  }

  /** How many messages a selection holds. */
  async count(selection?: ReadSelection, options?: QueryOptions): Promise<number> {
    const { signal, timeZone } = checkOptions(options, QUERY);
    const chosen = readSelection(selection);
    return await request(signal, (id) => this.#native.count(id, chosen, timeZone ?? null));
  }

  /** The addresses of the messages of a selection, by ascending UID. */
  async search(selection?: ReadSelection, options?: SearchOptions): Promise<MessageRef[]> {
    const { signal, timeZone, exact } = checkOptions(options, [...QUERY, "exact"]);
    const chosen = readSelection(selection);
    const start = (id: number): void => this.#native.search(id, chosen, exact ?? false, timeZone ?? null);
    return refList(await requestJson<{ places: Place[]; refs: number[] }>(signal, start));
  }

  /** Its status, as the server sees it now. */
  async status(options?: CallOptions): Promise<MailboxStatus> {
    const { signal } = checkOptions(options, ["signal"]);
    return mailboxStatus(await requestJson<PackedStatus>(signal, (id) => this.#native.status(id)));
  }

  /** Changes flags: `add`, `remove`, or `set` to replace all. */
  async flag(selection: WriteSelection, change: FlagOptions): Promise<BulkResult> {
    const { add, remove, set, ...options } = checkOptions(change, [...WRITE, "add", "remove", "set"]);
    return await this.#write(selection, options, (id, chosen, native) =>
      this.#native.flag(id, chosen, flags(add), flags(remove), set === undefined || set === null ? null : flags(set), native),
    );
  }

  /** Moves messages. */
  async move(selection: WriteSelection, to: Target, options?: MoveOptions): Promise<BulkResult> {
    const target = nativeTarget(to);
    return await this.#write(selection, checkOptions(options, MOVE), (id, chosen, native) => this.#native.move(id, chosen, target, native));
  }

  /** Copies messages. */
  async copy(selection: WriteSelection, to: Target, options?: MoveOptions): Promise<BulkResult> {
    const target = nativeTarget(to);
    return await this.#write(selection, checkOptions(options, MOVE), (id, chosen, native) => this.#native.copy(id, chosen, target, native));
  }

  /** Moves messages to the Trash. Without one, or there already, it is an error that names {@link expunge}. */
  async delete(selection: WriteSelection, options?: WriteOptions): Promise<BulkResult> {
    return await this.#write(selection, checkOptions(options, WRITE), (id, chosen, native) => this.#native.delete(id, chosen, native));
  }

  /** Removes messages for good: just these, whatever others have marked as deleted. */
  async expunge(selection: WriteSelection, options?: WriteOptions): Promise<BulkResult> {
    return await this.#write(selection, checkOptions(options, WRITE), (id, chosen, native) => this.#native.expunge(id, chosen, native));
  }

  /** Adds a message; its address where the server tells it. */
  async append(source: MessageSource, options?: AppendOptions): Promise<MessageRef | null> {
    const [ref] = await this.appendMany([source], options);
    return ref ?? null;
  }

  /** Adds several messages, in one command where the server can. */
  async appendMany(sources: Iterable<MessageSource>, options?: AppendOptions): Promise<(MessageRef | null)[]> {
    const known = ["signal", "flags", "received", "receivedOffset", "create", "onProgress"] as const;
    const { signal, onProgress, create, received, receivedOffset, flags: named } = checkOptions(options, known);
    const feeds = [...sources].map(feed);
    const ready = given<Parameters<NativeMailbox["append"]>[2]>({
      flags: flags(named),
      receivedSeconds: received && Math.floor(received.getTime() / 1000),
      receivedOffset,
      create: create ?? false,
      progress: undefined,
    });
    const start = (id: number): void => {
      const progress = given<{ progress: number }>({ progress: listen(listener(onProgress)) });
      this.#native.append(id, feeds.map(({ source }) => source), { ...ready, ...progress });
    };
    const appended = requestJson<([...Place, number] | null)[]>(signal, start).finally(() => feeds.forEach((one) => one.stop()));
    // What a stream throws comes first, and says more than the append that it ends.
    const fed = Promise.all(feeds.map((one) => one.run(signal))).then(() => appended);
    return (await Promise.race([fed, appended])).map((ref) => ref && new MessageRef(...ref));
  }

  /**
   * Follows it: a live mailbox on a connection of its own; a local one as it is here, without a gap over restarts too, as
   * {@link Mail.changes} follows all of them.
   */
  watch(options?: WatchOptions): Watch {
    const { signal, since, pollSeconds } = checkOptions(options, ["signal", "since", "pollSeconds"]);
    signal?.throwIfAborted();
    const seconds = given<{ pollSeconds: number }>({ pollSeconds: count("pollSeconds", pollSeconds) });
    return new Watch(direct(() => this.#native.watch({ since: since ?? "now", ...seconds })), signal);
  }

  toString(): string {
    return Array.isArray(this.target) ? this.target.join("/") : String(this.target);
  }

  async #write(
    selection: WriteSelection,
    options: MoveOptions,
    start: (id: number, selection: NativeSelection, options: NativeWriteOptions) => void,
  ): Promise<BulkResult> {
    const chosen = writeSelection(selection);
    const { limit, partial, create, timeZone, signal } = options;
    const ready = given<NativeWriteOptions>({
      limit: count("limit", limit),
      partial: checkPartial(partial) === "return",
      create: create ?? false,
      timeZone,
    });
    return bulkResult(await requestJson<PackedBulk>(signal, (id) => start(id, chosen, ready)));
  }
}

function flags(named: readonly string[] | string | null | undefined): string[] {
  return typeof named === "string" ? [named] : [...(named ?? [])];
}

function checkOrder(order: FetchOptions["order"]): "oldest" | "newest" {
  if (order === undefined || order === null) return "oldest";
  if (order === "oldest" || order === "newest") return order;
  throw usage("usage.argument", 'order is "oldest" or "newest"');
}

function checkPartial(partial: WriteOptions["partial"]): "raise" | "return" {
  if (partial === undefined || partial === null) return "raise";
  if (partial === "raise" || partial === "return") return partial;
  throw usage("usage.argument", 'partial is "raise" or "return"');
}
