/** Following a local mailbox. */

import { Readable } from "node:stream";
import { onAborted, request } from "./bridge.js";
import type { Place } from "./bulk.js";
import { usage } from "./errors.js";
import { messagesOf, type Message, type PackedBatch } from "./message.js";
import type { NativeBatch, NativeChanges } from "./native.js";
import { MessageRef } from "./ref.js";

/** Where the feed stands after a change; give it to `since` to go on from there, over restarts too. */
interface At {
  readonly cursor: string;
}

/** Something that has changed in a local mailbox, by a pass, by this process or by another. */
export type MailChange = At &
  (
    | /** A message has come. */ { readonly type: "new"; readonly message: Message }
    | /** A message has other flags: all that it had then. */ {
        readonly type: "flags";
        readonly ref: MessageRef;
        readonly flags: readonly string[];
      }
    | /** A message is gone. */ { readonly type: "removed"; readonly ref: MessageRef }
    | /** The mailbox has a new UIDVALIDITY: what was known of it means nothing any more. */ {
        readonly type: "reset";
        readonly mailbox: string;
        readonly uidValidity: number;
      }
    | /** A mailbox is new, has another state, role or subscription, or is gone. */ {
        readonly type: "mailbox_added" | "mailbox_changed" | "mailbox_gone";
        readonly mailbox: string;
      }
    | /** A mailbox has another name. */ { readonly type: "mailbox_renamed"; readonly before: string; readonly mailbox: string }
    | /** A local change has another state: see {@link Mail.pending}. */ { readonly type: "pending"; readonly id: number }
    | /** A message to be sent has another state: see {@link Mail.outbox}. */ { readonly type: "outbox"; readonly id: number }
  );

/** A change as the engine hands it over. @internal */
type PackedChange =
  | { cursor: string; type: "new"; batch: PackedBatch }
  | { cursor: string; type: "flags"; ref: [...Place, number]; flags: string[] }
  | { cursor: string; type: "removed"; ref: [...Place, number] }
  | Exclude<MailChange, { type: "new" | "flags" | "removed" }>;

/**
 * What changes in a local mailbox, without a gap. Leaving the loop, or {@link close} from elsewhere, or closing the
 * mailbox, ends it; an abort rejects with `signal.reason`.
 */
export class Changes implements AsyncIterable<MailChange> {
  readonly #native: NativeChanges;
  readonly #signal: AbortSignal | null;
  #detach = (): void => {};
  #read = false;

  /** @internal */
  constructor(native: NativeChanges, signal: AbortSignal | null | undefined) {
    this.#native = native;
    this.#signal = signal ?? null;
    if (signal) this.#detach = onAborted(signal, () => native.close());
  }

  /** Resolves once it is fixed where it begins: what happens from then on is told. Else the first read fixes that. */
  async ready(): Promise<void> {
    await request(this.#signal, (id) => this.#native.ready(id));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<MailChange, void, undefined> {
    if (this.#read) throw usage("usage.closed", "Changes are read by one loop");
    this.#read = true;
    try {
      for (;;) {
        const batch = await request<NativeBatch | null>(this.#signal, (id) => this.#native.next(id));
        if (batch === null) return;
        yield change(batch);
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

  /** The same as a Node stream of changes. */
  toReadable(): Readable {
    return Readable.from(this, { objectMode: true });
  }
}

function change(batch: NativeBatch): MailChange {
  const packed = JSON.parse(batch.rows()) as PackedChange;
  const { cursor } = packed;
  switch (packed.type) {
    case "new":
      return { type: "new", message: messagesOf(batch, packed.batch)[0]!, cursor };
    case "flags":
      return { type: "flags", ref: new MessageRef(...packed.ref), flags: packed.flags, cursor };
    case "removed":
      return { type: "removed", ref: new MessageRef(...packed.ref), cursor };
    default:
      return packed;
  }
}
