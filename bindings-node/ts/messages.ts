/** The messages of one fetch. */

import { Readable } from "node:stream";
import { direct, request } from "./bridge.js";
import { usage } from "./errors.js";
import { unpackBatch, type Message } from "./message.js";
import type { NativeBatch, NativeMessages } from "./native.js";

/**
 * The messages of one fetch, as they arrive: `for await`, or {@link list}, or {@link first}; once. Leaving the loop
 * ends the fetch. Other calls inside the loop are fine.
 */
export class Messages implements AsyncIterable<Message> {
  readonly #open: () => NativeMessages;
  readonly #signal: AbortSignal | null;
  #native: NativeMessages | null = null;

  /** @internal */
  constructor(open: () => NativeMessages, signal: AbortSignal | null | undefined) {
    this.#open = open;
    this.#signal = signal ?? null;
  }

  /**
   * Whether every word of the query was matched as the query language says; `false` where the server matches words
   * its own way, `null` before the first message.
   */
  get exact(): boolean | null {
    return this.#native?.exact ?? null;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message, void, undefined> {
    for await (const batch of this.#batches()) for (const message of batch) yield message;
  }

  /** All of them. */
  async list(): Promise<Message[]> {
    const all: Message[] = [];
    for await (const batch of this.#batches()) for (const message of batch) all.push(message);
    return all;
  }

  /** The first of them; the rest is not fetched. */
  async first(): Promise<Message | null> {
    for await (const [message] of this.#batches()) return message ?? null;
    return null;
  }

  /** The same as a Node stream of messages. */
  toReadable(): Readable {
    return Readable.from(this, { objectMode: true });
  }

  /** They cross in batches: a crossing for each would cost more than the message. */
  async *#batches(): AsyncGenerator<Message[], void, undefined> {
    if (this.#native) throw usage("usage.closed", "The messages of a fetch are read once", "Call fetch() again");
    const native = (this.#native = direct(this.#open));
    try {
      for (;;) {
        const batch = await request<NativeBatch | null>(this.#signal, (id) => native.next(id));
        if (batch === null) return;
        yield unpackBatch(batch);
      }
    } finally {
      native.close();
    }
  }
}
