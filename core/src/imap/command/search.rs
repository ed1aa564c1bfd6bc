//! UID SEARCH.

use crate::error::Result;
use crate::imap::SearchKey;
use crate::wire::{Command, Encoder};

/// What an extended SEARCH returns (ESEARCH, RFC 4731).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SearchReturn {
    /// The smallest UID.
    Min,
    /// The largest UID.
    Max,
    /// All UIDs, as ranges.
    All,
    /// How many.
    Count,
    /// Nothing: the result is kept on the server as `$` (SEARCHRES, RFC 5182).
    Save,
}

impl SearchReturn {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Min => "MIN",
            Self::Max => "MAX",
            Self::All => "ALL",
            Self::Count => "COUNT",
            Self::Save => "SAVE",
        }
    }
}

/// How to search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchOptions {
    /// What to return, where the server has ESEARCH; empty for an answer of the old kind.
    pub returns: Vec<SearchReturn>,
    /// Whether UTF-8 is enabled (UTF8=ACCEPT or IMAP4rev2): then no charset may be named (RFC 6855 section 3).
    pub utf8: bool,
}

/// `UID SEARCH [RETURN (…)] [CHARSET UTF-8] program`.
///
/// A charset is named only where some text is beyond ASCII: several servers refuse any, even US-ASCII.
pub fn uid_search(key: &SearchKey, options: &SearchOptions) -> Result<Command> {
    let mut e = Encoder::new("UID SEARCH");
    e.utf8(options.utf8);
    if !options.returns.is_empty() {
        e.word("RETURN").list(|e| {
            for item in &options.returns {
                e.word(item.as_str());
            }
            Ok(())
        })?;
    }
    if !options.utf8 && !key.is_ascii() {
        e.word("CHARSET").word("UTF-8");
    }
    key.encode(&mut e)?;
    Ok(e.finish())
}
