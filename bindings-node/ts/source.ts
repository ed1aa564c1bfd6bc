/** What a message can be appended from. */

import { fileURLToPath } from "node:url";
import { bridge, request } from "./bridge.js";
import { usage } from "./errors.js";
import { native, type NativeSource } from "./native.js";

/** A message to append: its bytes, a file, or a stream of bytes such as a `Readable`. */
export type MessageSource =
  | Uint8Array
  | URL
  | { readonly path: string }
  | AsyncIterable<Uint8Array>
  | { readonly stream: AsyncIterable<Uint8Array>; /** In bytes. */ readonly size: number };

/** A source as the engine takes it, and what feeds it meanwhile. @internal */
export interface Feed {
  readonly source: NativeSource;
  /** Ends when all is handed over; rejects with what the stream has thrown. */
  run(signal: AbortSignal | null | undefined): Promise<void>;
  /** Nobody takes any more. */
  stop(): void;
}

/** @internal */
export function feed(source: MessageSource): Feed {
  if (source instanceof Uint8Array) return whole(native.Source.bytes(bridge(), source));
  if (source instanceof URL) return whole(native.Source.file(bridge(), fileURLToPath(source)));
  if (typeof source === "object" && source !== null) {
    if (Symbol.asyncIterator in source) return streamed(source, null);
    if ("path" in source && typeof source.path === "string") return whole(native.Source.file(bridge(), source.path));
    if ("stream" in source) return streamed(source.stream, source.size);
  }
  const hint = "Text becomes bytes by Buffer.from(text); a file is { path }";
  throw usage("usage.argument", "A message to append is a Uint8Array, a file URL, { path }, or an async iterable of bytes", hint);
}

function whole(source: NativeSource): Feed {
  return { source, run: async () => {}, stop: () => {} };
}

function streamed(stream: AsyncIterable<Uint8Array>, size: number | null): Feed {
  const source = native.Source.stream(bridge(), size);
  return { source, run: (signal) => pump(source, stream, signal), stop: () => source.end(null) };
}

async function pump(source: NativeSource, stream: AsyncIterable<Uint8Array>, signal: AbortSignal | null | undefined): Promise<void> {
  try {
    for await (const chunk of stream) {
      const taken = await request<number>(signal, (id) => source.write(id, chunk));
      // The append has ended before its message did, and says itself why.
      if (!taken) return;
    }
    source.end(null);
  } catch (error) {
    source.end(error instanceof Error ? error.message : String(error));
    throw error;
  }
}
