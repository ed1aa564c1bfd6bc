/** Mailtide: IMAP for programs. */

export type { Account, Limits, Login, Net, Token, TokenRequest } from "./account.js";
export { Attachment } from "./attachment.js";
export type { BulkResult, Done } from "./bulk.js";
export { Draft } from "./draft.js";
export type { DraftAddress, DraftAttachment, DraftFields, ForwardOptions, ReplyOptions } from "./draft.js";
export { Engine, connect, open } from "./engine.js";
export type { ConnectOptions, EngineOptions, LogLine, OpenOptions, Stats } from "./engine.js";
export {
  AuthError, BodyNotHereError, CODES, CursorExpiredError, FileError, InternalError, LimitError, MailError, MailboxError,
  MailboxMissingError, MailboxResetError, MessageError, MessageMissingError, NetError, OperationCancelledError,
  PartialError, QueryError, ServerError, StoreError, ThrottledError, TimeoutError, TlsError, UsageError,
} from "./errors.js";
export type { Code, ErrorContext, Retry } from "./errors.js";
export { Flag, Role } from "./flag.js";
export { Headers } from "./headers.js";
export type { HeaderField } from "./headers.js";
export type { Hit, Snippet } from "./hit.js";
export type { MailboxInfo, MailboxStatus, Namespace, Namespaces, RawReply } from "./info.js";
export type {
  DeletedMessage, Evicted, Exported, Imported, Keep, Outgoing, OutgoingRecipient, Paused, Pending, Repaired, SendReport, SyncCounts, SyncReport,
  SyncStep, Usage,
} from "./local.js";
export { Mail, repair } from "./mail.js";
export type { ChangesOptions, DeletedOptions, ExportOptions, FindOptions, FollowOptions, ImportOptions, SendOptions, SyncOptions, TidyOptions } from "./mail.js";
export { Mailbox } from "./mailbox.js";
export type {
  AppendOptions, Column, FetchOptions, FlagOptions, MoveOptions, Part, QueryOptions, SearchOptions, WatchOptions, WriteOptions,
} from "./mailbox.js";
export { Mailboxes } from "./mailboxes.js";
export type { CreateOptions, DeleteOptions, ListOptions } from "./mailboxes.js";
export { Message } from "./message.js";
export type { EmailAddress } from "./message.js";
export { Messages } from "./messages.js";
export type { CallOptions, LongCallOptions, Progress, Target } from "./options.js";
export { Q, q } from "./query.js";
export type { QueryValue } from "./query.js";
export { MessageRef } from "./ref.js";
export type { MessageRefData } from "./ref.js";
export type { OneMessage, ReadSelection, WriteSelection } from "./selection.js";
export type { AppPassword, ServerUser } from "./running.js";
export { Server } from "./server.js";
export type { ServerOptions } from "./server.js";
export { Session } from "./session.js";
export type { MessageSource } from "./source.js";
export { ByteStream } from "./streams.js";
export { UidSet } from "./uidset.js";
export { Watch } from "./watch.js";
export type { MailEvent } from "./watch.js";
