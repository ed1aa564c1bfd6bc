//! Search programs (RFC 9051 section 6.4.4), WITHIN (RFC 5032), CONDSTORE, OBJECTID and Gmail's own.

use super::{Flag, Label, UidSet, search_date};
use crate::error::{Code, MailError, Result};
use crate::wire::Encoder;
use jiff::civil::Date;

/// What to search for.
///
/// Text is matched by the server as a substring without case, or as its own index does it (Gmail, full-text indexes).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SearchKey {
    /// Every message.
    All,
    /// These messages.
    Uid(UidSet),
    /// Messages that do not match.
    Not(Box<SearchKey>),
    /// Messages that match either. [`SearchKey::any`] joins many without nesting deep.
    Or(Box<SearchKey>, Box<SearchKey>),
    /// Messages that match all; of none, every message.
    And(Vec<SearchKey>),
    /// With a flag.
    Flagged(Flag),
    /// Without a flag.
    Unflagged(Flag),
    /// In the `From` header.
    From(String),
    /// In the `To` header.
    To(String),
    /// In the `Cc` header.
    Cc(String),
    /// In the `Bcc` header.
    Bcc(String),
    /// In the subject.
    Subject(String),
    /// In the body.
    Body(String),
    /// In header or body.
    Text(String),
    /// In the header field of that name; an empty text finds every message that has the field.
    Header(String, String),
    /// Of more than this many bytes.
    Larger(u64),
    /// Of fewer bytes.
    Smaller(u64),
    /// Received before that day (the server's day).
    Before(Date),
    /// Received on that day.
    On(Date),
    /// Received on that day or later.
    Since(Date),
    /// Dated before that day.
    SentBefore(Date),
    /// Dated that day.
    SentOn(Date),
    /// Dated that day or later.
    SentSince(Date),
    /// Received within so many seconds (WITHIN).
    Younger(u64),
    /// Received longer ago (WITHIN).
    Older(u64),
    /// Changed since: a MODSEQ of this or higher (CONDSTORE).
    ModSeq(u64),
    /// What the last search of this connection has saved: `$` (SEARCHRES, RFC 5182).
    Saved,
    /// Gmail's own query language (`X-GM-RAW`).
    GmRaw(String),
    /// With this label of Gmail's.
    GmLabel(Label),
    /// With this `X-GM-MSGID`.
    GmMessageId(u64),
    /// In the thread of this `X-GM-THRID`.
    GmThreadId(u64),
    /// With this id (OBJECTID).
    EmailId(String),
    /// In the thread of this id (OBJECTID).
    ThreadId(String),
    /// IMAP as it stands, such as `KEYWORD $Invoice UNSEEN`. The caller answers for its meaning; line ends are refused.
    Raw(String),
}

/// Deepest nesting that is written. Servers have lower bounds than we do.
const DEPTH: usize = 64;

impl SearchKey {
    /// Messages that match any of `keys`, as a balanced tree of ORs; of none, no message.
    #[must_use]
    pub fn any(keys: Vec<Self>) -> Self {
        let mut level = keys;
        while level.len() > 1 {
            let mut pairs = level.into_iter();
            level = Vec::new();
            while let Some(left) = pairs.next() {
                level.push(match pairs.next() {
                    Some(right) => Self::Or(Box::new(left), Box::new(right)),
                    None => left,
                });
            }
        }
        level.pop().unwrap_or_else(|| Self::Not(Box::new(Self::All)))
    }

    /// Whether it holds text beyond ASCII, which some servers (Exchange) cannot search for. Bounded like writing it.
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.is_ascii_below(DEPTH)
    }

    /// Writes it as the arguments of a command. Nesting beyond 64 levels is refused.
    pub(super) fn encode(&self, e: &mut Encoder) -> Result<()> {
        match self {
            // At the top, AND is what stands side by side.
            Self::And(keys) if !keys.is_empty() => keys.iter().try_for_each(|key| key.write(e, DEPTH)),
            key => key.write(e, DEPTH),
        }
    }

    fn is_ascii_below(&self, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return true };
        match self {
            Self::Not(key) => key.is_ascii_below(depth),
            Self::Or(left, right) => left.is_ascii_below(depth) && right.is_ascii_below(depth),
            Self::And(keys) => keys.iter().all(|key| key.is_ascii_below(depth)),
            Self::Header(name, text) => name.is_ascii() && text.is_ascii(),
            key => key.text().is_none_or(|(_, text)| text.is_ascii()),
        }
    }

    fn write(&self, e: &mut Encoder, depth: usize) -> Result<()> {
        let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
        match self {
            Self::All => plain(e, "ALL"),
            Self::Saved => plain(e, "$"),
            Self::GmLabel(label) => label.encode(e.word("X-GM-LABELS")),
            Self::Uid(uids) if uids.is_empty() => plain(e, "NOT ALL"),
            Self::Uid(uids) => e.word("UID").atom(&uids.to_string()).map(drop),
            Self::Not(key) => key.write(e.word("NOT"), depth),
            Self::Or(left, right) => {
                left.write(e.word("OR"), depth)?;
                right.write(e, depth)
            }
            Self::And(keys) if keys.is_empty() => plain(e, "ALL"),
            Self::And(keys) => e.list(|e| keys.iter().try_for_each(|key| key.write(e, depth))).map(drop),
            Self::Flagged(flag) => flagged(e, flag, true),
            Self::Unflagged(flag) => flagged(e, flag, false),
            Self::Header(name, text) => e.word("HEADER").astring(name.as_bytes())?.string(text.as_bytes()).map(drop),
            Self::Raw(raw) => e.raw(raw).map(drop),
            key => key.write_plain(e),
        }
    }

    fn write_plain(&self, e: &mut Encoder) -> Result<()> {
        if let Some((word, text)) = self.text() {
            e.word(word).string(text.as_bytes())?;
        } else if let Some((word, date)) = self.date() {
            e.word(word).atom(&search_date(date))?;
        } else if let Some((word, number)) = self.number() {
            e.word(word).number(number);
        }
        Ok(())
    }

    fn text(&self) -> Option<(&'static str, &str)> {
        Some(match self {
            Self::From(text) => ("FROM", text),
            Self::To(text) => ("TO", text),
            Self::Cc(text) => ("CC", text),
            Self::Bcc(text) => ("BCC", text),
            Self::Subject(text) => ("SUBJECT", text),
            Self::Body(text) => ("BODY", text),
            Self::Text(text) => ("TEXT", text),
            Self::GmRaw(text) => ("X-GM-RAW", text),
            Self::EmailId(text) => ("EMAILID", text),
            Self::ThreadId(text) => ("THREADID", text),
            _ => return None,
        })
    }

    fn date(&self) -> Option<(&'static str, Date)> {
        Some(match self {
            Self::Before(date) => ("BEFORE", *date),
            Self::On(date) => ("ON", *date),
            Self::Since(date) => ("SINCE", *date),
            Self::SentBefore(date) => ("SENTBEFORE", *date),
            Self::SentOn(date) => ("SENTON", *date),
            Self::SentSince(date) => ("SENTSINCE", *date),
            _ => return None,
        })
    }

    fn number(&self) -> Option<(&'static str, u64)> {
        Some(match self {
            Self::Larger(size) => ("LARGER", *size),
            Self::Smaller(size) => ("SMALLER", *size),
            Self::Younger(seconds) => ("YOUNGER", (*seconds).max(1)),
            Self::Older(seconds) => ("OLDER", (*seconds).max(1)),
            Self::ModSeq(mod_seq) => ("MODSEQ", *mod_seq),
            Self::GmMessageId(id) => ("X-GM-MSGID", *id),
            Self::GmThreadId(id) => ("X-GM-THRID", *id),
            _ => return None,
        })
    }
}

fn plain(e: &mut Encoder, word: &'static str) -> Result<()> {
    e.word(word);
    Ok(())
}

/// System flags have search keys of their own; `\Recent` has two odd ones.
fn flagged(e: &mut Encoder, flag: &Flag, with: bool) -> Result<()> {
    let word = match (flag.as_str(), with) {
        ("\\Seen", true) => "SEEN",
        ("\\Seen", false) => "UNSEEN",
        ("\\Answered", true) => "ANSWERED",
        ("\\Answered", false) => "UNANSWERED",
        ("\\Flagged", true) => "FLAGGED",
        ("\\Flagged", false) => "UNFLAGGED",
        ("\\Deleted", true) => "DELETED",
        ("\\Deleted", false) => "UNDELETED",
        ("\\Draft", true) => "DRAFT",
        ("\\Draft", false) => "UNDRAFT",
        ("\\Recent", true) => "RECENT",
        ("\\Recent", false) => "OLD",
        (keyword, with) if flag.is_writable() && !flag.is_system() => {
            return e.word(if with { "KEYWORD" } else { "UNKEYWORD" }).atom(keyword).map(drop);
        }
        _ => {
            let message = format!("A server cannot be asked for the flag {:?}", flag.as_str());
            return Err(MailError::new(Code::UsageFlag, message));
        }
    };
    plain(e, word)
}

fn too_deep() -> MailError {
    MailError::new(Code::LimitExceeded, format!("The query is nested deeper than {DEPTH} levels"))
}
