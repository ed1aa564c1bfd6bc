/** Sets of UIDs. */

import { direct } from "./bridge.js";
import { native } from "./native.js";

/** A set of UIDs, kept as ranges: `new UidSet("1:5,9")`. `*` is refused: what is the largest UID is up to the server. */
export class UidSet implements Iterable<number> {
  readonly #text: string;

  constructor(set: string | Iterable<number>) {
    const text = typeof set === "string" ? set : [...set].join(",");
    // An empty list is an empty set; an empty string is a slip.
    this.#text = text === "" && typeof set !== "string" ? "" : direct(() => native.uidSet(text));
  }

  /** Ranges, both ends included, ascending. */
  get ranges(): [first: number, last: number][] {
    if (this.#text === "") return [];
    return this.#text.split(",").map((range) => {
      const [first, last] = range.split(":").map(Number);
      return [first!, last ?? first!];
    });
  }

  /** How many UIDs it holds. */
  get size(): number {
    return this.ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  }

  has(uid: number): boolean {
    return this.ranges.some(([first, last]) => first <= uid && uid <= last);
  }

  *[Symbol.iterator](): IterableIterator<number> {
    for (const [first, last] of this.ranges) for (let uid = first; uid <= last; uid++) yield uid;
  }

  /** In its shortest form, as IMAP writes it. */
  toString(): string {
    return this.#text;
  }

  toJSON(): string {
    return this.#text;
  }
}
