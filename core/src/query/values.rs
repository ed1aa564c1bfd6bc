//! Keys and what may stand after each.

use super::ast::is_field_name;
use super::lexer::{Text, error};
use super::{AddressField, Age, Day, Term, Unit};
use crate::error::{MailError, Result};
use crate::imap::Flag;
use jiff::civil::Date;

/// A value as it stands in a query.
pub(super) struct Value<'a> {
    pub(super) text: &'a Text,
    pub(super) is_quoted: bool,
    pub(super) at: usize,
}

impl Value<'_> {
    fn str(&self) -> &str {
        &self.text.text
    }

    /// Whether it is exactly this, written as syntax: neither quoted nor put in as a value.
    fn is_syntax(&self, word: &str) -> bool {
        !self.is_quoted && self.text.is_plain() && self.str() == word
    }

    fn error(&self, message: impl Into<String>) -> MailError {
        error(message, self.at)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Address(AddressField),
    Subject,
    Body,
    Text,
    List,
    Header,
    Is,
    Has,
    In,
    Larger,
    Smaller,
    Newer,
    Older,
    After,
    Before,
    On,
    Label,
    Thread,
}

const KEYS: [(&str, Key); 21] = [
    ("from", Key::Address(AddressField::From)),
    ("to", Key::Address(AddressField::To)),
    ("cc", Key::Address(AddressField::Cc)),
    ("bcc", Key::Address(AddressField::Bcc)),
    ("subject", Key::Subject),
    ("body", Key::Body),
    ("text", Key::Text),
    ("list", Key::List),
    ("header", Key::Header),
    ("is", Key::Is),
    ("has", Key::Has),
    ("in", Key::In),
    ("larger", Key::Larger),
    ("smaller", Key::Smaller),
    ("newer", Key::Newer),
    ("older", Key::Older),
    ("after", Key::After),
    ("before", Key::Before),
    ("on", Key::On),
    ("label", Key::Label),
    ("thread", Key::Thread),
];

/// What people write for a key of ours.
const OTHER_KEYS: [(&str, &str); 16] = [
    ("sender", "from:"),
    ("recipient", "to:"),
    ("since", "after:"),
    ("until", "before:"),
    ("date", "on:"),
    ("received", "on:"),
    ("size", "larger: or smaller:"),
    ("newer_than", "newer:"),
    ("older_than", "older:"),
    ("folder", "in:"),
    ("mailbox", "in:"),
    ("filename", "has:attachment"),
    ("flag", "is:"),
    ("keyword", "is:$Name or label:"),
    ("tag", "label:"),
    ("raw", "Query::raw"),
];

pub(super) fn key(name: &str, at: usize) -> Result<Key> {
    let lower = name.to_lowercase();
    if let Some((_, key)) = KEYS.iter().find(|(key, _)| *key == lower) {
        return Ok(*key);
    }
    let other = OTHER_KEYS.iter().find(|(key, _)| *key == lower).map(|(_, meant)| (*meant).to_owned());
    let near = || KEYS.iter().find(|(key, _)| is_near(key, &lower)).map(|(key, _)| format!("{key}:"));
    let hint = match other.or_else(near) {
        Some(meant) => format!("Did you mean {meant}?"),
        None if name.bytes().all(|b| b.is_ascii_digit() || b == b'*' || b == b',') => {
            "Numbers of messages are given as a UID set, not as a query".to_owned()
        }
        None => "Quote it to look for it as text".to_owned(),
    };
    Err(error(format!("There is no key {name:?}"), at).hint(hint))
}

/// Whether one word becomes the other by one letter more, less or other, or by other order (`form`).
fn is_near(a: &str, b: &str) -> bool {
    let letters = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        letters.sort_unstable();
        letters
    };
    let same = |(x, y): &(char, char)| x == y;
    let start = a.chars().zip(b.chars()).take_while(same).count();
    let end = a.chars().rev().zip(b.chars().rev()).take_while(same).count();
    let (shorter, longer) = (a.chars().count().min(b.chars().count()), a.chars().count().max(b.chars().count()));
    longer > 2 && longer - shorter <= 1 && (start + end >= longer - 1 || letters(a) == letters(b))
}

impl Key {
    pub(super) fn term(self, value: &Value<'_>) -> Result<Term> {
        let text = || value.str().to_owned();
        if value.str().is_empty() {
            return Err(value.error("The text to look for is empty"));
        }
        Ok(match self {
            Key::Address(field) => Term::Address(field, text()),
            Key::Subject => Term::Subject(text()),
            Key::Body => Term::Body(text()),
            Key::Text => Term::Text(text()),
            Key::List => Term::List(Some(text()).filter(|_| !value.is_syntax("*"))),
            Key::Header => header(value)?,
            Key::Is => is(value)?,
            Key::Has => has(value)?,
            Key::In => Term::In(text()),
            Key::Larger => Term::Larger(size(value)?),
            Key::Smaller => Term::Smaller(size(value)?),
            Key::Newer => Term::Newer(age(value)?),
            Key::Older => Term::Older(age(value)?),
            Key::After => Term::After(day(value)?),
            Key::Before => Term::Before(day(value)?),
            Key::On => Term::On(day(value)?),
            Key::Label => Term::Label(text()),
            Key::Thread => Term::Thread(text()),
        })
    }
}

/// `Name=text` or `Name`. The `=` is syntax only where the query itself has it.
fn header(value: &Value<'_>) -> Result<Term> {
    let plain = value.str().get(..value.text.plain).unwrap_or_default();
    let (name, text) = match plain.find('=') {
        Some(at) => (value.str().get(..at).unwrap_or_default(), value.str().get(at + 1..)),
        None => (value.str(), None),
    };
    if !is_field_name(name) {
        return Err(value.error("A header field's name is needed").hint("Such as header:X-Spam-Flag=yes"));
    }
    match text {
        Some("") => {
            Err(value.error("The text to look for is empty").hint(format!("header:{name} asks whether it is there")))
        }
        text => Ok(Term::Header(name.to_owned(), text.map(str::to_owned))),
    }
}

/// The first of each flag is what a query is printed with.
pub(super) const STATES: [(&str, Flag, bool); 22] = [
    ("read", Flag::SEEN, true),
    ("seen", Flag::SEEN, true),
    ("unread", Flag::SEEN, false),
    ("unseen", Flag::SEEN, false),
    ("flagged", Flag::FLAGGED, true),
    ("starred", Flag::FLAGGED, true),
    ("unflagged", Flag::FLAGGED, false),
    ("unstarred", Flag::FLAGGED, false),
    ("answered", Flag::ANSWERED, true),
    ("replied", Flag::ANSWERED, true),
    ("unanswered", Flag::ANSWERED, false),
    ("draft", Flag::DRAFT, true),
    ("undraft", Flag::DRAFT, false),
    ("deleted", Flag::DELETED, true),
    ("undeleted", Flag::DELETED, false),
    ("forwarded", Flag::FORWARDED, true),
    ("important", Flag::IMPORTANT, true),
    ("junk", Flag::JUNK, true),
    ("spam", Flag::JUNK, true),
    ("notjunk", Flag::NOT_JUNK, true),
    ("phishing", Flag::PHISHING, true),
    ("receipted", Flag::MDN_SENT, true),
];

fn is(value: &Value<'_>) -> Result<Term> {
    let lower = value.str().to_lowercase();
    if let Some((_, flag, set)) = STATES.iter().find(|(name, ..)| *name == lower) {
        return Ok(Term::Flag(flag.clone(), *set));
    }
    if value.str().starts_with(['$', '\\']) {
        return match Flag::parse(value.str()) {
            Ok(flag) => Ok(Term::Flag(flag, true)),
            Err(refused) => Err(value.error(refused.message())),
        };
    }
    let near =
        STATES.iter().find(|(name, ..)| is_near(name, &lower)).map(|(name, ..)| format!("Did you mean is:{name}?"));
    let hint =
        near.unwrap_or_else(|| "Such as is:unread, is:flagged, or a keyword: is:$Invoice, label:invoice".to_owned());
    Err(value.error(format!("A message is never {:?}", value.str())).hint(hint))
}

fn has(value: &Value<'_>) -> Result<Term> {
    match value.str().to_lowercase().as_str() {
        "attachment" | "attachments" => Ok(Term::HasAttachment),
        _ => Err(value.error(format!("A message never has {:?}", value.str())).hint("There is has:attachment")),
    }
}

/// `1500`, `1M`, `1Mi`, with or without a `B`.
fn size(value: &Value<'_>) -> Result<u64> {
    let wrong =
        || value.error("A size is a number of bytes").hint("Such as 1500, 20K, 1M (a million) or 1Mi (1,048,576)");
    let lower = value.str().to_ascii_lowercase();
    let digits = lower.len() - lower.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = lower.split_at_checked(digits).ok_or_else(wrong)?;
    let factor: u64 = match unit.strip_suffix('b').unwrap_or(unit) {
        "" => 1,
        "k" => 1000,
        "m" => 1_000_000,
        "g" => 1_000_000_000,
        "ki" => 1 << 10,
        "mi" => 1 << 20,
        "gi" => 1 << 30,
        _ => return Err(wrong()),
    };
    let bytes = number.parse::<u64>().ok().and_then(|n| n.checked_mul(factor)).ok_or_else(wrong)?;
    // IMAP has 63 bits for it (RFC 9051 section 9, `number64`).
    if i64::try_from(bytes).is_ok() { Ok(bytes) } else { Err(wrong()) }
}

fn age(value: &Value<'_>) -> Result<Age> {
    let wrong = || value.error("An age is a number and a unit").hint("Such as 12h, 7d, 2w, 6mo or 1y");
    let lower = value.str().to_ascii_lowercase();
    let digits = lower.len() - lower.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = lower.split_at_checked(digits).ok_or_else(wrong)?;
    let unit = match unit {
        "h" => Unit::Hour,
        "d" => Unit::Day,
        "w" => Unit::Week,
        "mo" => Unit::Month,
        "y" => Unit::Year,
        "m" => return Err(wrong().hint("Months are mo")),
        _ => return Err(wrong()),
    };
    Ok(Age { count: number.parse().map_err(|_| wrong())?, unit })
}

fn day(value: &Value<'_>) -> Result<Day> {
    let lower = value.str().to_lowercase();
    match lower.as_str() {
        "today" => return Ok(Day::Today),
        "yesterday" => return Ok(Day::Yesterday),
        _ => {}
    }
    let date = || -> Option<Date> {
        let mut pieces = lower.split(['-', '/']);
        let (year, month, day) = (pieces.next()?, pieces.next()?, pieces.next()?);
        let is_whole = year.len() == 4 && pieces.next().is_none();
        Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok().filter(|_| is_whole)
    };
    date().map(Day::Date).ok_or_else(|| {
        value.error(format!("{:?} is no day", value.str())).hint("Such as 2024-01-31, today or yesterday")
    })
}

/// Words of IMAP's own search language that somebody will type out of habit; looking for them as text would find nothing
/// and say nothing.
pub(super) fn refuse_imap(text: &Text, at: usize) -> Result<()> {
    if !text.is_plain() {
        return Ok(());
    }
    let hint = match text.text.as_str() {
        "ALL" => "Give no query at all to select every message",
        "UNSEEN" | "NEW" | "RECENT" => "Did you mean is:unread?",
        "SEEN" | "OLD" => "Did you mean is:read?",
        "FLAGGED" => "Did you mean is:flagged?",
        "UNFLAGGED" => "Did you mean is:unflagged?",
        "ANSWERED" => "Did you mean is:answered?",
        "UNANSWERED" => "Did you mean is:unanswered?",
        "DELETED" => "Did you mean is:deleted?",
        "UNDELETED" => "Did you mean is:undeleted?",
        "DRAFT" => "Did you mean is:draft?",
        "UNDRAFT" => "Did you mean is:undraft?",
        "KEYWORD" | "UNKEYWORD" => "Did you mean is:$Name or label:?",
        "FROM" => "Did you mean from:?",
        "TO" => "Did you mean to:?",
        "CC" => "Did you mean cc:?",
        "BCC" => "Did you mean bcc:?",
        "SUBJECT" => "Did you mean subject:?",
        "BODY" => "Did you mean body:?",
        "TEXT" => "Did you mean text:?",
        "HEADER" => "Did you mean header:Name=text?",
        "LARGER" => "Did you mean larger:?",
        "SMALLER" => "Did you mean smaller:?",
        "SINCE" | "SENTSINCE" => "Did you mean after:?",
        "BEFORE" | "SENTBEFORE" => "Did you mean before:?",
        "ON" | "SENTON" => "Did you mean on:?",
        "YOUNGER" => "Did you mean newer:?",
        "OLDER" => "Did you mean older:?",
        "NOT" => "A term is negated by a - before it",
        "AND" => "Terms side by side must all match; no AND is needed",
        "UID" | "MODSEQ" => "Query::raw takes IMAP's own search language",
        _ => return Ok(()),
    };
    Err(error(format!("{} is IMAP, not a query", text.text), at).hint(format!("{hint} Quoted, it is text to look for")))
}
