/** Following a mailbox, or a whole store. */

import { Readable } from "node:stream";
import { onAborted, request } from "./bridge.js";
import { type Place } from "./bulk.js";
import { unpack, usage, type MailError, type PackedError } from "./errors.js";
import { messagesOf, type Message, type PackedBatch } from "./message.js";
import type { NativeBatch, NativeWatch } from "./native.js";
import { MessageRef } from "./ref.js";

/** Where the watch stands after an event; give it to `since` to go on from there, over restarts too. */
interface At {
  readonly cursor: string;
}

/** Something that happened: in a watched mailbox, live or local, or anywhere in a store ({@link Mail.changes}). */
export type MailEvent = At &
  (
    | /** A message has arrived. */ { readonly type: "new"; readonly message: Message }
    | /** Flags of a message have changed. */ {
        readonly type: "flags";
        readonly ref: MessageRef;
        /** Flags it has now and had not. */
        readonly added: readonly string[];
        /** Flags it had and has no longer. */
        readonly removed: readonly string[];
      }
    | /** A message is gone. */ { readonly type: "removed"; readonly ref: MessageRef }
    | /** The mailbox has a new UIDVALIDITY. */ {
        readonly type: "reset";
        readonly mailbox: string;
        readonly uidValidity: number;
      }
    | /** Changes may have been missed: read again what is there. */ { readonly type: "gap"; readonly mailbox: string }
    | /** The connection was lost; it is being made anew. Of a store: {@link Mail.keepInSync} cannot reach the server. */ {
        readonly type: "offline";
        readonly error: MailError;
      }
    | /** The connection is back. */ { readonly type: "online" }
    | /** Of a store, as all that follow: a mailbox is new, has another state, role or subscription, or is gone. */ {
        readonly type: "mailbox_added" | "mailbox_changed" | "mailbox_gone";
        readonly mailbox: string;
      }
    | /** A mailbox has another name. */ { readonly type: "mailbox_renamed"; readonly before: string; readonly mailbox: string }
    | /** A local change has another state: see {@link Mail.pending}. */ { readonly type: "pending"; readonly id: number }
    | /** A message to be sent has another state: see {@link Mail.outgoing}. */ { readonly type: "outbox"; readonly id: number }
  );

/** An event as the engine hands it over. @internal */
type PackedEvent =
  | { cursor: string; type: "new"; batch: PackedBatch }
  | { cursor: string; type: "flags"; ref: [...Place, number]; added: string[]; removed: string[] }
  | { cursor: string; type: "removed"; ref: [...Place, number] }
  | { cursor: string; type: "offline"; error: PackedError }
  | Exclude<MailEvent, { type: "new" | "flags" | "removed" | "offline" }>;

/**
 * The events of a mailbox or a store. Those of a live mailbox have a connection of their own that survives a lost
 * network. Leaving the loop, or {@link close} from elsewhere, or closing the session or the store, ends it; an abort
 * rejects with `signal.reason`.
 */
export class Watch implements AsyncIterable<MailEvent> {
  readonly #native: NativeWatch;
  readonly #signal: AbortSignal | null;
  #detach = (): void => {};
  #read = false;

  /** @internal */
  constructor(native: NativeWatch, signal: AbortSignal | null | undefined) {
    this.#native = native;
    this.#signal = signal ?? null;
    // Without this a watch that nobody reads at the moment would outlive the abort.
    if (signal) this.#detach = onAborted(signal, () => native.close());
  }

  /** Resolves once the watch stands: what happens from then on is an event. */
  async ready(): Promise<void> {
    await request(this.#signal, (id) => this.#native.ready(id));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<MailEvent, void, undefined> {
    if (this.#read) throw usage("usage.closed", "A watch is read by one loop");
    this.#read = true;
    try {
      for (;;) {
        const batch = await request<NativeBatch | null>(this.#signal, (id) => this.#native.next(id));
        if (batch === null) return;
        yield event(batch);
      }
    } finally {
      this.close();
    }
  }

  /** Ends it. A loop over it ends normally. */
  close(): void {
    this.#detach();
    this.#native.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** The same as a Node stream of events. */
  toReadable(): Readable {
    return Readable.from(this, { objectMode: true });
  }
}

function event(batch: NativeBatch): MailEvent {
  const packed = JSON.parse(batch.rows()) as PackedEvent;
  const { cursor } = packed;
  switch (packed.type) {
    case "new":
      return { type: "new", message: messagesOf(batch, packed.batch)[0]!, cursor };
    case "flags":
      return { type: "flags", ref: new MessageRef(...packed.ref), added: packed.added, removed: packed.removed, cursor };
    case "removed":
      return { type: "removed", ref: new MessageRef(...packed.ref), cursor };
    case "offline":
      return { type: "offline", error: unpack(packed.error), cursor };
    default:
      return packed;
  }
}
