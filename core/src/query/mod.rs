//! The query language: one for the server and for messages in hand.
//!
//! ```text
//! query = and {"OR" and}       and = term {term}
//! term  = ["-"] ("(" query ")" | key ":" value | value)
//! value = word | quoted | "(" (word | quoted) {"|" (word | quoted)} ")"
//! keys    from to cc bcc subject body text list header is has in larger smaller newer older after before on label thread
//! ```
//!
//! | term | matches |
//! | --- | --- |
//! | `from:ada` `to:` `cc:` `bcc:` | name or address |
//! | `subject:` `body:` `text:`, or a bare word | the subject; the text; header or text |
//! | `list:news`, `list:*` | the List-Id; any List-Id |
//! | `header:X-Spam=yes`, `header:X-Spam` | a header field; whether it is there |
//! | `is:unread` | `unread read flagged unflagged answered unanswered draft deleted forwarded important junk notjunk phishing`, or a keyword with its `$` |
//! | `has:attachment` | a file is attached; signatures and the pictures of an HTML text do not count |
//! | `in:Archive` | the mailbox, by its exact name |
//! | `larger:1M` `smaller:` | bytes; `K M G` are powers of 1000, `Ki Mi Gi` of 1024 |
//! | `newer:7d` `older:` | received within, or longer ago: `h d w` are 3,600 s and up, `mo y` go by the calendar |
//! | `after:2024-01-31` `before:` `on:` | received from that day on, before it, on it; `today` and `yesterday` too |
//! | `label:`, `thread:` | a label (a keyword where there are no labels); a thread's id, as a message tells it |
//!
//! Text is matched as a substring, without regard to case (Unicode's simple lower case), accents significant; in mail held
//! here accents, width and the kind of white space do not count either ([`fold`]). Quoted text
//! knows `\"` and `\\`. What is no query is [`Code::QuerySyntax`](crate::Code::QuerySyntax) with its position in
//! characters: an unknown key, an empty query, a word of IMAP itself (`ALL`, `UNSEEN`, `1:*`).

mod ast;
mod builder;
mod fold;
mod index_plan;
mod lexer;
mod matcher;
mod moment;
mod parser;
mod plan;
mod print;
mod snippet;
mod values;
mod words;

pub use ast::{AddressField, Age, Day, Query, Unit};
use ast::{Expr, Term};
pub use fold::fold;
pub use index_plan::{Candidates, Facet, Field, IndexPlan, WordTerm};
pub(crate) use matcher::all;
pub use matcher::{Candidate, Matcher, Needs};
pub(crate) use plan::no_thread_id;
pub use plan::{SearchFacts, SearchPlan};
pub use snippet::Snippet;
pub use words::{Edge, Token, Wanted, tokens, wanted, wanted_seams};
