/** What {@link Mail.search} finds. */

import type { Place } from "./bulk.js";
import { messagesOf, type Message, type PackedBatch } from "./message.js";
import type { NativeBatch } from "./native.js";

/** The piece of a message that has most of what was looked for, in one line. */
export interface Snippet {
  readonly text: string;
  /** Where it stands in `text`, as `[start, end]`, ascending and apart from each other. */
  readonly marks: readonly (readonly [start: number, end: number])[];
  /** Whether there is text before it. */
  readonly beginsInside: boolean;
  /** Whether there is text after it. */
  readonly endsInside: boolean;
}

/** A message that was found. */
export interface Hit {
  readonly message: Message;
  /** How much it is about the query, to be compared within one search only; 0 unless `order` is `rank`. */
  readonly score: number;
  /**
   * `null` where what was looked for stands neither in the text nor in the subject, where the text is not held here, and
   * where nobody asked.
   */
  readonly snippet: Snippet | null;
}

interface PackedHits {
  batch: PackedBatch;
  /** The mailboxes, and the number of that of each message. */
  places: Place[];
  placeOf: number[];
  hits: [score: number, snippet: Snippet | null][];
}

/** @internal */
export function unpackHits(native: NativeBatch): Hit[] {
  const { batch, places, placeOf, hits } = JSON.parse(native.rows()) as PackedHits;
  const messages = messagesOf(native, { ...batch, places: placeOf.map((place) => places[place]!) });
  return hits.map(([score, snippet], index) => ({ message: messages[index]!, score, snippet }));
}
