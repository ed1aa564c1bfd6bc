/** One message. What is at hand is a property; what may touch the network is a method that returns a promise. */

import { inspect } from "node:util";
import { Attachment, type AttachmentRow } from "./attachment.js";
import { request, requestJson } from "./bridge.js";
import type { Place } from "./bulk.js";
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

/** 0 stands for the same as `from`. */
type Repeated = EmailAddress[] | 0;

/** A message as the engine hands it over, column by column. @internal */
export type MessageRow = [
  uid: number,
  flags: string[],
  size: number | null,
  received: number | null,
  receivedOffset: number | null,
  date: number | null,
  dateOffset: number | null,
  subject: string | null,
  from: EmailAddress[],
  sender: Repeated,
  replyTo: Repeated,
  to: EmailAddress[],
  cc: EmailAddress[],
  bcc: EmailAddress[],
  messageId: string | null,
  inReplyTo: string | null,
  attachments: AttachmentRow[],
  problems: string[],
  modSeq: string | null,
];

/** Messages as the engine hands them over. @internal */
export interface PackedBatch {
  place: Place;
  rows: MessageRow[];
}

/** The messages of a batch. @internal */
export function unpackBatch(batch: NativeBatch): Message[] {
  const packed = JSON.parse(batch.rows()) as PackedBatch;
  return packed.rows.map((row, index) => new Message(batch, index, packed.place, row));
}

/** One message. */
export class Message {
  readonly #batch: NativeBatch;
  readonly #index: number;
  readonly #place: Place;
  readonly #row: MessageRow;
  #attachments: Attachment[] | null = null;

  /** @internal */
  constructor(batch: NativeBatch, index: number, place: Place, row: MessageRow) {
    this.#batch = batch;
    this.#index = index;
    this.#place = place;
    this.#row = row;
  }

  /** Its address, which may be kept. */
  get ref(): MessageRef {
    return new MessageRef(...this.#place, this.#row[0]);
  }

  get uid(): number {
    return this.#row[0];
  }

  /** Flags and keywords, as of when the message was fetched. */
  get flags(): readonly string[] {
    return this.#row[1];
  }

  /** Size of the whole message, in bytes. */
  get size(): number | null {
    return this.#row[2];
  }

  /** When the server received it. */
  get received(): Date | null {
    return date(this.#row[3]);
  }

  /** Offset of the zone in which the server gave `received`, in minutes east of UTC. */
  get receivedOffset(): number | null {
    return this.#row[4];
  }

  /** When it was written, as its header says. */
  get date(): Date | null {
    return date(this.#row[5]);
  }

  /** Offset of the zone in which `date` was written, in minutes east of UTC. */
  get dateOffset(): number | null {
    return this.#row[6];
  }

  get subject(): string | null {
    return this.#row[7];
  }

  get from(): readonly EmailAddress[] {
    return this.#row[8];
  }

  get sender(): readonly EmailAddress[] {
    return this.#row[9] || this.#row[8];
  }

  get replyTo(): readonly EmailAddress[] {
    return this.#row[10] || this.#row[8];
  }

  get to(): readonly EmailAddress[] {
    return this.#row[11];
  }

  get cc(): readonly EmailAddress[] {
    return this.#row[12];
  }

  get bcc(): readonly EmailAddress[] {
    return this.#row[13];
  }

  /** `Message-ID`, as its header has it. */
  get messageId(): string | null {
    return this.#row[14];
  }

  get inReplyTo(): string | null {
    return this.#row[15];
  }

  get attachments(): readonly Attachment[] {
    return (this.#attachments ??= this.#row[16].map((row) => new Attachment(this.#batch, this.#index, row)));
  }

  /** What could not be read of it; the rest stands. */
  get problems(): readonly string[] {
    return this.#row[17];
  }

  /** MODSEQ (CONDSTORE): up to 63 bits. */
  get modSeq(): bigint | null {
    const modSeq = this.#row[18];
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
    return await request(signal, (id) => this.#batch.raw(id, this.#index));
  }

  /** The whole message, as it was sent, in pieces. */
  stream(options?: CallOptions): ByteStream {
    const { signal } = checkOptions(options, ["signal"]);
    return new ByteStream(this.#batch.stream(this.#index, null), signal);
  }

  /** Plain data: everything that is at hand. */
  toJSON(): Record<string, unknown> {
    const { ref, flags, size, received, receivedOffset, date, dateOffset, subject } = this;
    const { from, sender, replyTo, to, cc, bcc, messageId, inReplyTo } = this;
    const { attachments, problems } = this;
    const modSeq = this.#row[18];
    return {
      ref, flags, size, received, receivedOffset, date, dateOffset, subject, from, sender, replyTo, to, cc, bcc, messageId,
      inReplyTo, attachments, problems, modSeq,
    };
  }

  /** What `console.log` shows. */
  [inspect.custom](): string {
    return `Message ${inspect({ ref: this.ref.toString(), received: this.received, from: this.from, subject: this.subject })}`;
  }
}

function date(seconds: number | null): Date | null {
  return seconds === null ? null : new Date(seconds * 1000);
}
