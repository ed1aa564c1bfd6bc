/** Queries: the language as text, with values put in safely, or built from parts. */

import { direct } from "./bridge.js";
import { usage } from "./errors.js";
import { native, type NativeQuery } from "./native.js";

/** A value of a query: put in as it is, never read as part of the language. */
export type QueryValue = string | number | Date;

/** A query. Immutable; `and`, `or` and `not` make new ones. */
export class Q {
  /** @internal */
  readonly native: NativeQuery;

  private constructor(made: NativeQuery) {
    this.native = made;
  }

  /** A query from its text. User input does not belong in there: use {@link q} or the methods. */
  static parse(text: string): Q {
    return new Q(direct(() => native.Query.parse(text)));
  }

  /** A query from its text in pieces, and the values between them. @internal */
  static template(parts: readonly string[], values: readonly QueryValue[]): Q {
    return new Q(direct(() => native.Query.template([...parts], values.map(text))));
  }

  /** IMAP itself: the arguments of SEARCH, as RFC 9051 has them. */
  static raw(search: string): Q {
    return new Q(direct(() => native.Query.raw(search)));
  }

  /** `from:` */
  static from(value: QueryValue): Q {
    return Q.#term("from", value);
  }

  /** `to:` */
  static to(value: QueryValue): Q {
    return Q.#term("to", value);
  }

  /** `cc:` */
  static cc(value: QueryValue): Q {
    return Q.#term("cc", value);
  }

  /** `bcc:` */
  static bcc(value: QueryValue): Q {
    return Q.#term("bcc", value);
  }

  /** `subject:` */
  static subject(value: QueryValue): Q {
    return Q.#term("subject", value);
  }

  /** `body:` */
  static body(value: QueryValue): Q {
    return Q.#term("body", value);
  }

  /** `text:`, anywhere in the message. */
  static text(value: QueryValue): Q {
    return Q.#term("text", value);
  }

  /** `list:`, the mailing list it came through. */
  static list(value: QueryValue): Q {
    return Q.#term("list", value);
  }

  /** `header:`, a field that is there or, with a value, holds it. */
  static header(name: string, value?: QueryValue | null): Q {
    return new Q(direct(() => native.Query.header(name, value === undefined || value === null ? null : text(value))));
  }

  /** `has:`, such as `has:attachment`. */
  static has(what: string): Q {
    return Q.#term("has", what);
  }

  /** `is:`, such as `is:unread` or `is:flagged`. */
  static is(state: string): Q {
    return Q.#term("is", state);
  }

  static unread(): Q {
    return Q.is("unread");
  }

  static read(): Q {
    return Q.is("read");
  }

  static flagged(): Q {
    return Q.is("flagged");
  }

  static answered(): Q {
    return Q.is("answered");
  }

  static draft(): Q {
    return Q.is("draft");
  }

  /** `larger:`, in bytes, or with a unit such as `1M`. */
  static larger(size: QueryValue): Q {
    return Q.#term("larger", size);
  }

  /** `smaller:`, in bytes, or with a unit such as `1M`. */
  static smaller(size: QueryValue): Q {
    return Q.#term("smaller", size);
  }

  /** `newer:`, such as `7d`: received within that time before the query begins. */
  static newer(span: QueryValue): Q {
    return Q.#term("newer", span);
  }

  /** `older:`, such as `1y`. */
  static older(span: QueryValue): Q {
    return Q.#term("older", span);
  }

  /** `after:`, a day as `2024-12-31` or a `Date` whose day in UTC is meant. */
  static after(day: QueryValue): Q {
    return Q.#term("after", day);
  }

  /** `before:` */
  static before(day: QueryValue): Q {
    return Q.#term("before", day);
  }

  /** `on:` */
  static on(day: QueryValue): Q {
    return Q.#term("on", day);
  }

  /** `thread:` */
  static thread(id: QueryValue): Q {
    return Q.#term("thread", id);
  }

  static #term(key: string, value: QueryValue): Q {
    return new Q(direct(() => native.Query.term(key, text(value))));
  }

  /** What both find. */
  and(other: Q): Q {
    return new Q(direct(() => this.native.and(other.native)));
  }

  /** What either finds. */
  or(other: Q): Q {
    return new Q(direct(() => this.native.or(other.native)));
  }

  /** What this does not find. */
  not(): Q {
    return new Q(direct(() => this.native.not()));
  }

  toString(): string {
    return this.native.toString();
  }

  toJSON(): string {
    return this.toString();
  }
}

/** A query with values: q\`from:${who} is:unread\`. Whatever a value holds, it stays one value. */
export function q(parts: TemplateStringsArray, ...values: QueryValue[]): Q {
  return Q.template(parts, values);
}

function text(value: QueryValue): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString().slice(0, 10);
  throw usage("usage.argument", "A value of a query is a string, a number or a Date");
}
