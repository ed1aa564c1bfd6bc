//! The rows of a store, as every backend gives and takes them. Plain values: nothing here reads or writes.

mod admin;
mod body;
mod feed;
mod ids;
mod mailbox;
mod message;
mod outbox;
mod placement;
mod search;
mod sets;

pub use admin::{Account, AppPassword, Keep, KeepRule, Lease, Metadata, Now, Right, StoreId, Usage, User, Verifier};
pub use body::{BodyRow, ContentHash, Frame};
pub use feed::{Change, Cursor, FeedRow};
pub use ids::{BodyId, IntentId, MailboxId, MessageId, OutboxId, SegmentId, ThreadId, UserId};
pub use mailbox::{Counts, MailboxRow, MailboxState, NewMailbox, RemoteMailbox};
pub use message::{Headers, Link, LinkKind, MessageFacts, MessageRow, NewMessage};
pub use outbox::{NewOutbox, OutboxRow, RecipientRow};
pub use placement::{ListRow, Local, Page, PlacementRow, ShownParts, ShownRow, Tombstone, Wanted};
pub use search::{SearchFacts, SearchRow, SegmentRow, Walk};
pub use sets::FlagSets;
