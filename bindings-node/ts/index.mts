/**
 * Mailtide: IMAP for programs, for `import`. The same objects as for `require`: an error or a message made in one half
 * of a program is an instance of the same class in the other. A test compares the two lists.
 */

export {
  Attachment, AuthError, BodyNotHereError, ByteStream, CODES, CursorExpiredError, Draft, Engine, FileError, Flag,
  Headers, InternalError, LimitError, Mail, MailError, Mailbox, MailboxError, MailboxMissingError, MailboxResetError,
  Mailboxes, Message, MessageError, MessageMissingError, MessageRef, Messages, NetError, OperationCancelledError,
  PartialError, Q, QueryError, Role, ServerError, Session, StoreError, ThrottledError, TimeoutError, TlsError, UidSet,
  UsageError, Watch, connect, open, q, repair,
} from "./index.js";
export type * from "./index.js";
