/** The header of a message. */

/** One field: name as the message has it, value decoded. */
export type HeaderField = [name: string, value: string];

/** The header of a message, its fields in their order. Names are compared without regard to case. */
export class Headers implements Iterable<HeaderField> {
  readonly #fields: readonly HeaderField[];

  /** @internal */
  constructor(fields: readonly HeaderField[]) {
    this.#fields = fields;
  }

  /** The value of the first field of that name. */
  get(name: string): string | null {
    return this.getAll(name)[0] ?? null;
  }

  /** The values of all fields of that name. */
  getAll(name: string): string[] {
    const wanted = name.toLowerCase();
    return this.#fields.filter(([field]) => field.toLowerCase() === wanted).map(([, value]) => value);
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  [Symbol.iterator](): Iterator<HeaderField> {
    return this.#fields[Symbol.iterator]();
  }

  toJSON(): readonly HeaderField[] {
    return this.#fields;
  }
}
