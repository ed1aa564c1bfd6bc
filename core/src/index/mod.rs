//! An index of words without positions, as bytes: which messages have which words in which field.
//!
//! The index is a list of **segments** that never change. One is made of a batch of messages, small ones are merged into
//! larger ones, and one is made anew when much of it is about messages that are gone. A segment has a head (its messages,
//! the first word of every block) and **blocks** of some thousand words in order, each with their postings:
//!
//! * The words of a block stand one after another as plain text, so that a piece of a word is found by looking for bytes.
//! * The postings are numbers of messages within the segment, as Rice codes of their distances: within a few per cent of
//!   the least that a list of that density takes.
//! * Pairs of words that follow each other stand among the words, by a few letters of each
//!   ([seams](crate::query::Token::Seam)): of messages that have all words of a phrase, few are left to be looked at.
//!
//! Whoever keeps segments (a store) may compress words further. Everything here is a function of values; what cannot be
//! read is [`Code::StoreDamaged`], never a missing word.

mod batch;
mod bits;
mod docset;
mod merge;
mod search;
mod segment;
mod vocabulary;

pub use batch::Batch;
pub use docset::DocSet;
pub use merge::{Merge, to_merge};
pub use search::{Blocks, Hits, Source, search, search_seams};
pub use segment::{Block, Head, Held, SegmentData};

use crate::error::{Code, MailError};

fn damaged() -> MailError {
    MailError::new(Code::StoreDamaged, "The search index is damaged").hint("It can be built again from the messages")
}
