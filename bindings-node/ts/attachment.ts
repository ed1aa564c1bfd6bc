/** Attachments: described with the message, their bytes fetched when asked for. */

import { listen, request } from "./bridge.js";
import { listener } from "./progress.js";
import type { NativeBatch } from "./native.js";
import { checkOptions, type CallOptions, type LongCallOptions } from "./options.js";
import { ByteStream } from "./streams.js";

/** An attachment as the engine hands it over. @internal */
export type AttachmentRow = [
  path: string,
  filename: string | null,
  mediaType: string,
  size: number | null,
  inline: boolean,
  contentId: string | null,
];

/** An attachment of a message. */
export class Attachment {
  readonly #batch: NativeBatch;
  readonly #index: number;
  /** Number of its part, such as `2.1`. */
  readonly path: string;
  /** Its name, decoded; `null` where the message gives none. */
  readonly filename: string | null;
  /** Such as `application/pdf`. */
  readonly mediaType: string;
  /** Size of its content, in bytes: exact where nothing is encoded, else an estimate to within a few per cent. */
  readonly size: number | null;
  /** Whether it is meant to be shown within the text. */
  readonly inline: boolean;
  /** `Content-ID`, by which HTML refers to it. */
  readonly contentId: string | null;

  /** @internal */
  constructor(batch: NativeBatch, index: number, row: AttachmentRow) {
    this.#batch = batch;
    this.#index = index;
    [this.path, this.filename, this.mediaType, this.size, this.inline, this.contentId] = row;
  }

  /** Its content, decoded. */
  async bytes(options?: CallOptions): Promise<Uint8Array> {
    const { signal } = checkOptions(options, ["signal"]);
    return await request(signal, (id) => this.#batch.part(id, this.#index, this.path));
  }

  /**
   * Writes it into a folder, under a safe name and never over another file.
   *
   * @returns the path written
   */
  async save(folder: string, options?: LongCallOptions): Promise<string> {
    const { signal, onProgress } = checkOptions(options, ["signal", "onProgress"]);
    return await request(signal, (id) => this.#batch.save(id, this.#index, this.path, folder, listen(listener(onProgress))));
  }

  /** Its content, decoded, in pieces. */
  stream(options?: CallOptions): ByteStream {
    const { signal } = checkOptions(options, ["signal"]);
    return new ByteStream(this.#batch.stream(this.#index, this.path), signal);
  }

  /** Plain data, without the content. */
  toJSON(): Record<string, unknown> {
    const { path, filename, mediaType, size, inline, contentId } = this;
    return { path, filename, mediaType, size, inline, contentId };
  }
}
