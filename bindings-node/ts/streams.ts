/** Bytes that come in pieces. */

import { Readable } from "node:stream";
import { request } from "./bridge.js";
import { usage } from "./errors.js";
import type { NativeStream } from "./native.js";

/**
 * The bytes of a message or part, in pieces of at most 256 KiB, fetched as they are read. May be read once; leaving
 * the loop ends the transfer.
 */
export class ByteStream implements AsyncIterable<Uint8Array> {
  readonly #native: NativeStream;
  readonly #signal: AbortSignal | null;
  #read = false;

  /** @internal */
  constructor(native: NativeStream, signal: AbortSignal | null | undefined) {
    this.#native = native;
    this.#signal = signal ?? null;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#read) throw usage("usage.closed", "A stream is read once");
    this.#read = true;
    try {
      for (;;) {
        const piece = await request<Uint8Array | null>(this.#signal, (id) => this.#native.next(id));
        if (piece === null) return;
        yield piece;
      }
    } finally {
      this.#native.close();
    }
  }

  /** The same as a Node stream. */
  toReadable(): Readable {
    return Readable.from(this, { objectMode: false });
  }
}
