//! Threads: which messages belong together, and how they hang together.
//!
//! Two questions, two answers:
//!
//! * **The thread of a message**, given when it arrives and kept ([`arrive`]): two messages are in one thread when one
//!   names the other, or both name a third (`Message-ID`, `References`, `In-Reply-To`). The order of arrival does not
//!   matter: threads only ever grow together. Equal subjects join nothing, since strangers write "Hello".
//! * **The tree of a set of messages** ([`references`]): `THREAD REFERENCES` of RFC 5256, equal base subjects
//!   ([`base_subject`]) joined as it says.

mod ids;
mod link;
mod references;
mod subject;
mod text;

pub use ids::message_ids;
pub(super) use ids::written_ids;
pub use link::{Arrival, arrive, thread_ids};
pub use references::{Threaded, Threading, references};
pub use subject::{BaseSubject, base_subject};
pub use text::thread_text;
