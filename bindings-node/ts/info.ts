/** What a server says of its mailboxes. */

import { Role } from "./flag.js";

/** STATUS of a mailbox. What a server does not tell is `null`. */
export interface MailboxStatus {
  /** Number of messages. */
  readonly messages: number | null;
  /** Number of messages without `\Seen`. */
  readonly unseen: number | null;
  /** Number of messages with `\Deleted`. */
  readonly deleted: number | null;
  /** Next UID to be given out. */
  readonly uidNext: number | null;
  readonly uidValidity: number | null;
  /** Total size, in bytes. */
  readonly size: number | null;
  /** Highest MODSEQ: up to 63 bits. */
  readonly highestModSeq: bigint | null;
  /** Largest message that can be appended, in bytes. */
  readonly appendLimit: number | null;
  /** Identifier that survives renames. */
  readonly mailboxId: string | null;
}

/** A mailbox as LIST describes it. */
export interface MailboxInfo {
  /** Decoded name, as the server has it. */
  readonly name: string;
  /** Delimiter of its hierarchy; `null` for a flat one. */
  readonly delimiter: string | null;
  /** Name in levels. */
  readonly path: readonly string[];
  /** What it is for. */
  readonly role: Role | null;
  /** Whether the role was guessed from a well-known name. */
  readonly roleGuessed: boolean;
  /** Whether it can be opened. */
  readonly selectable: boolean;
  /** Whether it has children; `null` where the server does not say. */
  readonly hasChildren: boolean | null;
  /** Whether it is subscribed; `null` where that was not asked. */
  readonly subscribed: boolean | null;
  /** All attributes as the server wrote them. */
  readonly attributes: readonly string[];
  /** Its status, where that was asked. */
  readonly status: MailboxStatus | null;
}

/** One namespace. */
export interface Namespace {
  /** What names in it begin with, delimiter included. */
  readonly prefix: string;
  readonly delimiter: string | null;
}

/** NAMESPACE (RFC 2342). */
export interface Namespaces {
  readonly personal: readonly Namespace[];
  readonly otherUsers: readonly Namespace[];
  readonly shared: readonly Namespace[];
}

/** The answer to a raw command. */
export interface RawReply {
  /** Untagged responses, without their line ends. */
  readonly untagged: readonly string[];
  /** The text of the tagged OK, code included. */
  readonly text: string;
}

/** A status as the engine hands it over: JSON has no 63-bit numbers. @internal */
export type PackedStatus = Omit<MailboxStatus, "highestModSeq"> & { highestModSeq: string | null };

/** @internal */
export type PackedInfo = Omit<MailboxInfo, "role" | "status"> & { role: string | null; status: PackedStatus | null };

/** @internal */
export function mailboxStatus(packed: PackedStatus): MailboxStatus {
  const { highestModSeq } = packed;
  return { ...packed, highestModSeq: highestModSeq === null ? null : BigInt(highestModSeq) };
}

/** @internal */
export function mailboxInfo(packed: PackedInfo): MailboxInfo {
  const { role, status } = packed;
  return { ...packed, role: role === null ? null : Role.from(role), status: status && mailboxStatus(status) };
}
