/**
 * Errors: one class a family, one `code` each. The engine hands them over as JSON; this is the one place that makes
 * them classes again.
 */

import { bulkResult, type BulkResult, type PackedBulk } from "./bulk.js";

/** Every code that an error can carry. A test compares the list with the engine's own. */
export const CODES = [
  "auth.rejected", "auth.token_expired", "auth.no_mechanism", "auth.missing",
  "server.refused", "server.bad", "server.bye", "server.throttled", "server.unavailable", "server.unsupported",
  "server.protocol", "server.over_quota",
  "net.lost", "net.connect", "net.dns", "net.timeout", "net.tls", "net.tampered",
  "mailbox.missing", "mailbox.exists", "mailbox.not_empty", "mailbox.reset", "mailbox.read_only",
  "message.missing", "message.malformed",
  "bulk.partial", "limit.exceeded", "query.syntax",
  "usage.selection", "usage.flag", "usage.argument", "usage.read_only", "usage.closed", "usage.address",
  "store.full", "store.read_only", "store.io", "store.damaged", "store.locked", "store.newer", "store.lease_lost",
  "cursor.expired", "body.not_here",
  "cancelled", "file.io", "internal",
] as const;

/** What went wrong, as the same string in every language. */
export type Code = (typeof CODES)[number];

/**
 * Whether trying again may help: `never`; `later`, after `retryAfter` where the server named a delay; `reconnect`,
 * on a new connection; `ask_user`, when somebody has done something first.
 */
export type Retry = "never" | "later" | "reconnect" | "ask_user";

/** Where it happened. Never holds a secret; what does not apply is `null`. */
export interface ErrorContext {
  /** The server's name. */
  readonly host: string | null;
  /** The mailbox, decoded. */
  readonly mailbox: string | null;
  /** The message. */
  readonly uid: number | null;
  /** The command's name, such as `UID FETCH`. */
  readonly command: string | null;
  /** The server's own text. */
  readonly server: string | null;
  /** The response code that the server gave, such as `TRYCREATE`. */
  readonly serverCode: string | null;
  /** Where in the input, in characters from 0. */
  readonly position: number | null;
  /** What to do about it. */
  readonly hint: string | null;
}

/** An error as the engine hands it over. @internal */
export interface PackedError {
  code: Code;
  message: string;
  retry: Retry;
  retryAfter: number | null;
  context: ErrorContext;
  result?: PackedBulk | null;
}

const NOWHERE: ErrorContext = {
  host: null, mailbox: null, uid: null, command: null, server: null, serverCode: null, position: null, hint: null,
};

/** Base class of every error of this library. */
export class MailError extends Error {
  /** What went wrong, such as `auth.rejected`. */
  readonly code: Code;
  /** Whether trying again may help. */
  readonly retry: Retry;
  /** The delay that the server asked for, in milliseconds. */
  readonly retryAfter: number | null;
  /** Where it happened. */
  readonly context: ErrorContext;

  /** @internal */
  constructor(packed: PackedError) {
    super(packed.message);
    this.code = packed.code;
    this.retry = packed.retry;
    this.retryAfter = packed.retryAfter;
    this.context = packed.context;
  }

  /** Plain data, without the stack. */
  toJSON(): Record<string, unknown> {
    const { name, code, message, retry, retryAfter, context } = this;
    return { name, code, message, retry, retryAfter, context };
  }
}

/** Logging in failed. */
export class AuthError extends MailError {}
/** The server refused, failed, or does not speak IMAP. */
export class ServerError extends MailError {}
/** The server asks for fewer requests; `retryAfter` says for how long, where it named that. */
export class ThrottledError extends ServerError {}
/** The network failed. */
export class NetError extends MailError {}
/** TLS failed, or somebody stands between us and the server. */
export class TlsError extends NetError {}
/** Nothing happened for too long. */
export class TimeoutError extends NetError {}
/** A mailbox is missing, in the way, or has changed. */
export class MailboxError extends MailError {}
/** There is no such mailbox. */
export class MailboxMissingError extends MailboxError {}
/** The mailbox has a new UIDVALIDITY: refs and UIDs kept from before mean nothing now. */
export class MailboxResetError extends MailboxError {}
/** A message is gone or cannot be read. */
export class MessageError extends MailError {}
/** The message is no longer there. */
export class MessageMissingError extends MessageError {}
/** A bound was exceeded. */
export class LimitError extends MailError {}
/** A query is not of the language. */
export class QueryError extends MailError {}
/** A call was made in a way that it cannot be. */
export class UsageError extends MailError {}
/** A file could not be read or written. */
export class FileError extends MailError {}
/** The local store cannot be read or written: the disk is full, the file damaged, locked, or of a newer version. */
export class StoreError extends MailError {}
/** The change feed no longer reaches back to this cursor: read everything anew, then go on from a new one. */
export class CursorExpiredError extends MailError {}
/** The body of this message is not held on this machine, and there is no network to fetch it. */
export class BodyNotHereError extends MessageError {}
/** The operation was cancelled on the engine's side. An aborted call rejects with `signal.reason` instead. */
export class OperationCancelledError extends MailError {}
/** A fault of this library; please report it. */
export class InternalError extends MailError {}

/** Some of many were not done: `result` says which. */
export class PartialError extends MailError {
  /** What was done, what failed, and what is not known. */
  readonly result: BulkResult;

  /** @internal */
  constructor(packed: PackedError) {
    super(packed);
    this.result = bulkResult(packed.result ?? { places: [], done: [], failed: [], unknown: [] });
  }

  override toJSON(): Record<string, unknown> {
    return { ...super.toJSON(), result: this.result };
  }
}

type ErrorClass = new (packed: PackedError) => MailError;

/** The class of a code: its own, else its family's. @internal */
export const CLASSES: Readonly<Record<string, ErrorClass>> = {
  auth: AuthError,
  server: ServerError,
  "server.throttled": ThrottledError,
  net: NetError,
  "net.tls": TlsError,
  "net.tampered": TlsError,
  "net.timeout": TimeoutError,
  mailbox: MailboxError,
  "mailbox.missing": MailboxMissingError,
  "mailbox.reset": MailboxResetError,
  message: MessageError,
  "message.missing": MessageMissingError,
  bulk: PartialError,
  limit: LimitError,
  query: QueryError,
  usage: UsageError,
  file: FileError,
  store: StoreError,
  cursor: CursorExpiredError,
  body: BodyNotHereError,
  cancelled: OperationCancelledError,
  internal: InternalError,
};

for (const kind of new Set([MailError, ...Object.values(CLASSES)])) {
  // On the prototype: it is the same for all, and no own property of each error.
  Object.defineProperty(kind.prototype, "name", { value: kind.name, configurable: true, writable: true });
}

/** Makes an error of what the engine handed over. @internal */
export function unpack(packed: PackedError): MailError {
  const kind = CLASSES[packed.code] ?? CLASSES[packed.code.split(".", 1)[0] ?? ""] ?? MailError;
  return new kind(packed);
}

/** What a call that does not wait has thrown: an error of ours if it carries one. @internal */
export function unpackThrown(error: unknown): unknown {
  if (!(error instanceof Error) || !error.message.startsWith('{"code":')) return error;
  return unpack(JSON.parse(error.message) as PackedError);
}

/** An error that this side finds before the engine is asked. @internal */
export function usage(code: Extract<Code, `usage.${string}`>, message: string, hint: string | null = null): MailError {
  const text = hint === null ? `${message} [${code}]` : `${message}. ${hint} [${code}]`;
  return unpack({ code, message: text, retry: "never", retryAfter: null, context: { ...NOWHERE, hint } });
}
