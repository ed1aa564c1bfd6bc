/** One message. What is at hand is a property; what may touch the network is a method that returns a promise. */

import { inspect } from "node:util";
import { Attachment, type AttachmentRow } from "./attachment.js";
import { request, requestJson } from "./bridge.js";
import type { Place } from "./bulk.js";
import { madeDraft, nativeForward, nativeReply, type Draft, type ForwardOptions, type ReplyOptions } from "./draft.js";
import { Headers, type HeaderField } from "./headers.js";
import type { NativeBatch } from "./native.js";
import { checkOptions, type CallOptions } from "./options.js";
import { MessageRef } from "./ref.js";
import { ByteStream } from "./streams.js";

/** An e-mail address with its display name. */
export interface EmailAddress {
  /** Display name, decoded. */
  readonly name: string | null;
  /** `local@domain`; only the local part where the message gives no domain. */
  readonly email: string;
  /** The group that it stands in. */
  readonly group: string | null;
}

/** 0 stands for none. */
type Several<T> = T[] | 0;
/** Addresses as one text: name, e-mail and group of each, with a DEL between. */
type Addresses = string;
/** 0 stands for the same as `from`. */
type Repeated = Addresses | 0;

/** Messages as the engine hands them over: column by column. @internal */
export interface PackedBatch {
  place: Place;
  /** Where messages are of several mailboxes: that of each. */
  places?: Place[];
  flagSets: string[][];
  uid: number[];
  /** Numbers of flag sets. */
  flags: number[];
  size: (number | null)[];
  received: (number | null)[];
  receivedOffset: (number | null)[];
  date: (number | null)[];
  dateOffset: (number | null)[];
  subject: (string | null)[];
  from: Addresses[];
  sender: Repeated[];
  replyTo: Repeated[];
  to: Addresses[];
  cc: Addresses[];
  bcc: Addresses[];
  messageId: (string | null)[];
  inReplyTo: (string | null)[];
  thread: (string | null)[];
  attachments: Several<AttachmentRow>[];
  problems: Several<string>[];
  modSeq: (string | null)[];
}

const NONE: readonly never[] = Object.freeze([]);

/** The messages of a batch. @internal */
export function unpackBatch(batch: NativeBatch): Message[] {
  return messagesOf(batch, JSON.parse(batch.rows()) as PackedBatch);
}

/** @internal */
export function messagesOf(batch: NativeBatch, columns: PackedBatch): Message[] {
  columns.flagSets.forEach(Object.freeze);
  return columns.uid.map((_, index) => new Message(batch, columns, index));
}

/** One message. */
export class Message {
  readonly #batch: NativeBatch;
  readonly #columns: PackedBatch;
  readonly #index: number;
  #attachments: readonly Attachment[] | null = null;

  /** @internal */
  constructor(batch: NativeBatch, columns: PackedBatch, index: number) {
    this.#batch = batch;
    this.#columns = columns;
    this.#index = index;
  }

  /** Its address, which may be kept. */
  get ref(): MessageRef {
    return new MessageRef(...(this.#columns.places?.[this.#index] ?? this.#columns.place), this.uid);
  }

  get uid(): number {
    return this.#columns.uid[this.#index]!;
  }

  /** Flags and keywords, as of when the message was fetched. */
  get flags(): readonly string[] {
    return this.#columns.flagSets[this.#columns.flags[this.#index]!]!;
  }

  /** Size of the whole message, in bytes. */
  get size(): number | null {
    return this.#columns.size[this.#index] ?? null;
  }

  /** When the server received it. */
  get received(): Date | null {
    return date(this.#columns.received[this.#index]);
  }

  /** Offset of the zone in which the server gave `received`, in minutes east of UTC. */
  get receivedOffset(): number | null {
    return this.#columns.receivedOffset[this.#index] ?? null;
  }

  /** When it was written, as its header says. */
  get date(): Date | null {
    return date(this.#columns.date[this.#index]);
  }

  /** Offset of the zone in which `date` was written, in minutes east of UTC. */
  get dateOffset(): number | null {
    return this.#columns.dateOffset[this.#index] ?? null;
  }

  get subject(): string | null {
    return this.#columns.subject[this.#index] ?? null;
  }

  get from(): readonly EmailAddress[] {
    return addresses(this.#columns.from[this.#index]!);
  }

  get sender(): readonly EmailAddress[] {
    return repeated(this.#columns.sender[this.#index]!, this.#columns.from[this.#index]!);
  }

  get replyTo(): readonly EmailAddress[] {
    return repeated(this.#columns.replyTo[this.#index]!, this.#columns.from[this.#index]!);
  }

  get to(): readonly EmailAddress[] {
    return addresses(this.#columns.to[this.#index]!);
  }

  get cc(): readonly EmailAddress[] {
    return addresses(this.#columns.cc[this.#index]!);
  }

  get bcc(): readonly EmailAddress[] {
    return addresses(this.#columns.bcc[this.#index]!);
  }

  /** `Message-ID`, as its header has it. */
  get messageId(): string | null {
    return this.#columns.messageId[this.#index] ?? null;
  }

  get inReplyTo(): string | null {
    return this.#columns.inReplyTo[this.#index] ?? null;
  }

  /**
   * The id of its thread, as `thread:` of a query takes it: THREADID (RFC 8474), or X-GM-THRID with `gm-` before it. One of a
   * local mailbox has the store's own, which changes when a later message shows two threads to be one. `null` where the
   * server has none, or it was not asked for.
   */
  get thread(): string | null {
    return this.#columns.thread[this.#index] ?? null;
  }

  get attachments(): readonly Attachment[] {
    const rows = this.#columns.attachments[this.#index] || NONE;
    return (this.#attachments ??= rows.map((row) => new Attachment(this.#batch, this.#index, row)));
  }

  /** What could not be read of it; the rest stands. */
  get problems(): readonly string[] {
    return this.#columns.problems[this.#index] || NONE;
  }

  /** MODSEQ (CONDSTORE): up to 63 bits. */
  get modSeq(): bigint | null {
    const modSeq = this.#columns.modSeq[this.#index] ?? null;
    return modSeq === null ? null : BigInt(modSeq);
  }

  /** The plain text, made of the HTML where there is no other. */
  async text(options?: CallOptions): Promise<string> {
    const { signal } = checkOptions(options, ["signal"]);
    return await request(signal, (id) => this.#batch.text(id, this.#index));
  }

  /** The HTML text, as it was sent: nothing in it is loaded, and nothing is made safe. */
  async html(options?: CallOptions): Promise<string | null> {
    const { signal } = checkOptions(options, ["signal"]);
    return await request(signal, (id) => this.#batch.html(id, this.#index));
  }

  /** The header, decoded. */
  async headers(options?: CallOptions): Promise<Headers> {
    const { signal } = checkOptions(options, ["signal"]);
    return new Headers(await requestJson<HeaderField[]>(signal, (id) => this.#batch.headers(id, this.#index)));
  }

  /** The whole message, as it was sent. */
  async raw(options?: CallOptions): Promise<Uint8Array> {
    const { signal } = checkOptions(options, ["signal"]);
    signal?.throwIfAborted();
    return this.#batch.rawAtHand(this.#index) ?? (await request(signal, (id) => this.#batch.raw(id, this.#index)));
  }

  /**
   * A draft that answers it, for {@link Mail.send}: to `Reply-To` or the sender, with `all` to everybody who got it. It
   * stands in the thread, with one `Re:`, the text quoted below what is written. `{ ...draft, subject }` changes it.
   */
  async reply(options?: ReplyOptions): Promise<Draft> {
    const { signal, ...rest } = checkOptions(options, ["signal", "text", "all", "quote", "attribution", "me"]);
    const asked = nativeReply(rest);
    return madeDraft(await request(signal, (id) => this.#batch.reply(id, this.#index, asked)));
  }

  /** A draft that passes it on, for {@link Mail.send}: its text below a description of it, with its attachments. */
  async forward(options?: ForwardOptions): Promise<Draft> {
    const { signal, ...rest } = checkOptions(options, ["signal", "to", "text", "attachments"]);
    const asked = nativeForward(rest);
    return madeDraft(await request(signal, (id) => this.#batch.forward(id, this.#index, asked)));
  }

  /** The whole message, as it was sent, in pieces. */
  stream(options?: CallOptions): ByteStream {
    const { signal } = checkOptions(options, ["signal"]);
    return new ByteStream(this.#batch.stream(this.#index, null), signal);
  }

  /** Plain data: everything that is at hand. */
  toJSON(): Record<string, unknown> {
    const { ref, flags, size, received, receivedOffset, date, dateOffset, subject } = this;
    const { from, sender, replyTo, to, cc, bcc, messageId, inReplyTo, thread } = this;
    const { attachments, problems } = this;
    const modSeq = this.#columns.modSeq[this.#index] ?? null;
    return {
      ref, flags, size, received, receivedOffset, date, dateOffset, subject, from, sender, replyTo, to, cc, bcc, messageId,
      inReplyTo, thread, attachments, problems, modSeq,
    };
  }

  /** What `console.log` shows. */
  [inspect.custom](): string {
    return `Message ${inspect({ ref: this.ref.toString(), received: this.received, from: this.from, subject: this.subject })}`;
  }
}

function repeated(packed: Repeated, from: Addresses): readonly EmailAddress[] {
  return addresses(packed === 0 ? from : packed);
}

function addresses(packed: Addresses): readonly EmailAddress[] {
  if (packed === "") return NONE;
  const fields = packed.split("\x7f");
  const all: EmailAddress[] = [];
  for (let i = 0; i + 2 < fields.length; i += 3) {
    all.push({ name: fields[i] || null, email: fields[i + 1]!, group: fields[i + 2] || null });
  }
  return all;
}

function date(seconds: number | null | undefined): Date | null {
  return seconds === null || seconds === undefined ? null : new Date(seconds * 1000);
}
