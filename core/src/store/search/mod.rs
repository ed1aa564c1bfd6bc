//! Search over a store: the query language with the meaning that `docs/search.md` writes down.
//!
//! A [`Searcher`] keeps what it has read of the index of words, which never changes once written. A search
//!
//! 1. looks the words of the query up, for a set of messages that can match;
//! 2. walks along the messages in the order asked for, or along that set where it is small;
//! 3. decides each by its row and the index where these suffice, else by its header and, last, its text;
//! 4. stops when it has as many as were asked for.
//!
//! What hangs on a body that is not here is given as undecided, never as no match. Messages that are not indexed yet are
//! looked at instead: an answer is right at any time, and fast once [`index`] has caught up.

mod build;
mod cache;
mod candidate;
mod gather;
mod lacking;
mod run;
mod text;

pub use build::{Gathered, Indexed, gather, index, rebuild, tidy};
pub use cache::Searcher;
pub use gather::{Gathering, Texts};
pub(crate) use text::parsed as searched;
pub use text::snippet;

use super::{MailboxId, MessageId};

/// In which order messages are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SearchOrder {
    /// In a mailbox by descending UID, else by descending INTERNALDATE.
    #[default]
    Newest,
    /// The other way round.
    Oldest,
    /// What the words of the query say most about first; see [`crate::index::search`]. Newest first, by INTERNALDATE,
    /// among equals. Messages that are not indexed yet come last.
    Relevance,
}

impl SearchOrder {
    /// By its name: `newest`, `oldest` or `rank`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "newest" => Some(Self::Newest),
            "oldest" => Some(Self::Oldest),
            "rank" => Some(Self::Relevance),
            _ => None,
        }
    }
}

/// What to search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchOptions {
    /// Only this mailbox; all mailboxes where there is none. A message that is in several is found in each.
    pub mailbox: Option<MailboxId>,
    /// See [`SearchOrder`].
    pub order: SearchOrder,
    /// Most messages; `None` is no limit.
    pub limit: Option<usize>,
}

/// A message that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// Our UID.
    pub uid: u32,
    /// The message.
    pub message: MessageId,
    /// How much it is about the query; 0 unless [`SearchOrder::Relevance`] was asked for.
    pub score: f32,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchFound {
    /// Matches, in the order asked for.
    pub hits: Vec<Hit>,
    /// Messages that may match: their text has to be looked at, and is not here. In the same order, as far as the search
    /// went.
    pub undecided: Vec<Hit>,
}

#[cfg(test)]
mod tests;
