/** Plain data about a local store: what a pass did, what waits, what is to be sent. */

import { unpack, type MailError, type PackedError } from "./errors.js";
import type { EmailAddress } from "./message.js";
import type { NativeKeep } from "./native.js";
import { checkOptions, count, given } from "./options.js";

/**
 * Which bodies are held; headers, flags and structure always are. `text` holds messages that are hardly more than text
 * (to 256 KiB), a message whole or not at all.
 */
export type Keep =
  | KeepWhat
  | {
      what?: KeepWhat | null;
      /** Bodies only of messages not older than this many days. */
      days?: number | null;
      /** Bodies only of messages up to this many bytes. */
      largest?: number | null;
    };

type KeepWhat = "headers" | "text" | "all";

/** One thing that a pass does, or would do. */
export interface SyncStep {
  /** The mailbox's name on the server. */
  readonly mailbox: string;
  /** Such as `headers`, `bodies`, `flags`, `remove`, `send`. */
  readonly action: string;
  /** For a person to read. */
  readonly text: string;
}

/** What one pass did in a mailbox, or with `dryRun` would do as far as the list of mailboxes tells. */
export interface SyncCounts {
  /** Questions asked; 0 where the list proved that nothing changed. */
  readonly asked: number;
  /** Messages that became visible here. */
  readonly added: number;
  /** Messages that left here. */
  readonly removed: number;
  /** Messages whose flags changed here. */
  readonly flags: number;
  /** Local changes that the server has confirmed. */
  readonly applied: number;
  /** Local changes that were not needed any more. */
  readonly superseded: number;
  /** Local changes that this pass has parked. */
  readonly parked: number;
  /** Bodies that came. */
  readonly bodies: number;
  /** Bytes of headers and bodies, both ways. */
  readonly bytes: number;
}

/** What one pass did, or with `dryRun` would do: the counts are of all mailboxes together. */
export interface SyncReport extends SyncCounts {
  /** What was decided, in order. */
  readonly work: readonly SyncStep[];
  /** The counts of each mailbox in which something was done, by its name. */
  readonly mailboxes: ReadonlyMap<string, SyncCounts>;
  /** Mailboxes that are paused, and why. */
  readonly paused: readonly Paused[];
  /** Local changes that are parked, by this pass or before, and those that wait for one of them; each says why. */
  readonly stuck: readonly Pending[];
  /** What could not be read; the rest was. */
  readonly problems: readonly MailError[];
}

/**
 * A mailbox in which nothing is taken away: too much is missing on the server at once, or it numbers the mailbox anew again
 * and again. See {@link Mail.confirm}.
 */
export interface Paused {
  readonly mailbox: string;
  /** Why, for a person to read. */
  readonly reason: string;
  /** What can be done about it. */
  readonly advice: string;
}

/** A local change that the server has not confirmed. */
export interface Pending {
  /** Its number in the journal. */
  readonly id: number;
  /** Such as `flag`, `move`, `append`. */
  readonly kind: string;
  /** The mailbox, as the server knows it. */
  readonly mailbox: string;
  /** What it is, for a person to read. */
  readonly text: string;
  /** `waiting`; `started`, when its command may be under way; or `parked`, until it is tried again or dropped. */
  readonly state: "waiting" | "started" | "parked";
  /** Why it is stuck, such as `over_quota`, or `behind_parked` where it waits for a parked one. */
  readonly reason: string | null;
  /** The same for a person to read. */
  readonly why: string | null;
  /** What can be done about it. */
  readonly advice: string | null;
  /** The server's own words. */
  readonly server: string | null;
  /** The parked change that it waits for. */
  readonly behind: number | null;
  readonly attempts: number;
  /** It is not tried before. */
  readonly notBefore: Date | null;
  readonly created: Date;
}

/** A message that is in no mailbox any more, and not forgotten yet. It has no UID. */
export interface DeletedMessage {
  /** What {@link Mail.restore} takes. */
  readonly id: number;
  readonly subject: string | null;
  readonly from: readonly EmailAddress[];
  /** When its sender says it was written, and the offset of that zone in minutes. */
  readonly date: Date | null;
  readonly dateOffset: number | null;
  /** `Message-ID`, as its header has it. */
  readonly messageId: string | null;
  /** When it was received, and the offset of that zone in minutes. */
  readonly received: Date;
  readonly receivedOffset: number;
  /** In bytes. */
  readonly size: number;
  /** When it left the last mailbox here. */
  readonly deletedAt: Date;
  /** The mailboxes that it was in, the one it left last first (to the second); empty where that is forgotten. */
  readonly mailboxes: readonly string[];
  /** Whether its body is held. Only then can it be restored. */
  readonly held: boolean;
}

/** What {@link repair} has come to. */
export interface Repaired {
  /** What was wrong, a sentence each; nothing for a sound file, which is left as it is. */
  readonly problems: readonly string[];
  /** Tables of which not all could be read, with how many rows could. */
  readonly incomplete: readonly (readonly [table: string, rows: number])[];
  /** Where the damaged file is now. */
  readonly damaged: string | null;
}

/** What {@link Mail.sendDue} has done. */
export interface SendReport {
  /** The messages whose state has changed, as they are now. */
  readonly changed: readonly Outgoing[];
  /** When there is something to do again; `null` until something is queued or decided. */
  readonly next: Date | null;
  /** What kept messages from being sent that has nothing to do with them: no network, a login refused. */
  readonly trouble: MailError | null;
}

/** What a store takes, in bytes unless said otherwise. */
export interface Usage {
  /** The file, with what is free in it. */
  readonly file: number;
  readonly free: number;
  /** The write-ahead log beside it. */
  readonly log: number;
  /** Visible messages, a number. */
  readonly messages: number;
  /** Contents that are here, a number. */
  readonly bodies: number;
  /** What these take. */
  readonly bodiesStored: number;
  /** What they are as messages. */
  readonly bodiesSize: number;
  /** Contents of deleted messages that can still be restored, a number. */
  readonly restorable: number;
}

/** What {@link Mail.export} has written. */
export interface Exported {
  readonly mailboxes: number;
  readonly messages: number;
  /** Their sizes in sum. */
  readonly bytes: number;
}

/** What {@link Mail.import} has done. */
export interface Imported {
  /** Messages that were added. */
  readonly messages: number;
  /** Messages that were in their mailbox already. */
  readonly known: number;
  /** Sizes in sum of those that were added. */
  readonly bytes: number;
}

/** What {@link Mail.evict} has let go. */
export interface Evicted {
  /** How many bodies. */
  readonly bodies: number;
  /** Given back to the disk, in bytes; free room from before included. */
  readonly bytes: number;
}

/** A message that is to be sent, or was. */
export interface Outgoing {
  readonly id: number;
  readonly messageId: string;
  readonly sender: string;
  readonly recipients: readonly OutgoingRecipient[];
  /** `uncertain`: the server's answer was lost, it may have been sent; it is never sent again by itself. */
  readonly state: "queued" | "connected" | "data_started" | "dot_sent" | "accepted" | "rejected" | "uncertain" | "cancelled";
  /** Whether it waits for a person to decide. */
  readonly needsDecision: boolean;
  readonly attempts: number;
  /** What the server or the network said last. */
  readonly reply: string | null;
  readonly created: Date;
  /** Nothing is done about it before. */
  readonly notBefore: Date | null;
}

/** What has become of one recipient. */
export interface OutgoingRecipient {
  readonly address: string;
  readonly state: "waiting" | "sending" | "accepted" | "rejected" | "uncertain";
  /** What the server said about it last. */
  readonly reply: string | null;
}

/** @internal */
export type PackedReport = Omit<SyncReport, "mailboxes" | "stuck" | "problems"> & {
  mailboxes: [string, SyncCounts][];
  stuck: PackedPending[];
  problems: PackedError[];
};
/** Times in milliseconds since 1970. @internal */
export type PackedPending = Omit<Pending, "created" | "notBefore"> & { created: number; notBefore: number | null };
/** Times in seconds since 1970. @internal */
export type PackedDeleted = Omit<DeletedMessage, "date" | "received" | "deletedAt"> & { date: number | null; received: number; deletedAt: number };
/** @internal */
export type PackedOutgoing = Omit<Outgoing, "created" | "notBefore"> & { created: number; notBefore: number | null };

/** @internal */
export function syncReport(packed: PackedReport): SyncReport {
  const { mailboxes, stuck, problems } = packed;
  return { ...packed, mailboxes: new Map(mailboxes), stuck: stuck.map(dated), problems: problems.map(unpack) };
}

/** @internal */
export function deletedMessage(packed: PackedDeleted): DeletedMessage {
  const { date, received, deletedAt } = packed;
  const moment = (seconds: number): Date => new Date(seconds * 1000);
  return { ...packed, date: date === null ? null : moment(date), received: moment(received), deletedAt: moment(deletedAt) };
}

/** @internal */
export interface PackedSent {
  changed: PackedOutgoing[];
  next: number | null;
  trouble: PackedError | null;
}

/** @internal */
export function sendReport({ changed, next, trouble }: PackedSent): SendReport {
  return { changed: changed.map(dated), next: next === null ? null : new Date(next), trouble: trouble && unpack(trouble) };
}

/** @internal */
export function nativeKeep(keep: Keep): NativeKeep {
  if (typeof keep === "string") return { what: keep };
  const { what, days, largest } = checkOptions(keep, ["what", "days", "largest"]);
  return given<NativeKeep>({ what, days: count("days", days), largest: count("largest", largest) });
}

/** @internal */
export function dated<T extends { created: number; notBefore: number | null }>(packed: T): Omit<T, "created" | "notBefore"> & { created: Date; notBefore: Date | null } {
  const { created, notBefore } = packed;
  return { ...packed, created: new Date(created), notBefore: notBefore === null ? null : new Date(notBefore) };
}
