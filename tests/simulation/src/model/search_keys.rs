//! What SEARCH looks for (RFC 9051 section 6.4.4).

use super::args::{Args, Bad};
use super::date::{Moment, parse_day};
use super::mailbox::{Seen, carries};
use super::set::Set;

/// A condition.
#[derive(Clone, Debug)]
pub enum Key {
    /// Holds always.
    All,
    /// All of them hold.
    And(Vec<Key>),
    /// One of them holds.
    Or(Box<Key>, Box<Key>),
    /// It does not hold.
    Not(Box<Key>),
    /// The message carries the flag.
    Flag(String),
    /// Its number is in the set.
    Numbers(Set),
    /// Its UID is in the set.
    Uids(Set),
    /// It was found before.
    Saved,
    /// A field of the header contains the text.
    Header(String, String),
    /// The body contains the text.
    Body(String),
    /// The message contains the text.
    Text(String),
    /// INTERNALDATE or the Date field, compared with a day.
    Date { sent: bool, how: char, day: i64 },
    /// Larger than so many bytes.
    Larger(u64),
    /// Smaller than so many bytes.
    Smaller(u64),
    /// Changed at that MODSEQ or later.
    ModSeq(u64),
    /// Has that EMAILID.
    EmailId(String),
}

/// A message that is looked at.
pub struct Looked<'a> {
    /// The message.
    pub seen: Seen<'a>,
    /// Its number.
    pub number: u32,
    /// How many there are.
    pub count: u32,
    /// The highest UID.
    pub highest: u32,
    /// What was found before.
    pub saved: &'a [u32],
}

/// Reads all conditions up to the end.
pub fn read(args: &mut Args<'_>) -> Result<Key, Bad> {
    let mut keys = vec![key(args)?];
    while args.has(b' ') {
        keys.push(key(args)?);
    }
    args.end()?;
    Ok(Key::And(keys))
}

fn key(args: &mut Args<'_>) -> Result<Key, Bad> {
    match args.peek() {
        Some(b'(') => return args.list(key).map(Key::And),
        Some(b'0'..=b'9' | b'*') => return Set::read(args).map(Key::Numbers),
        Some(b'$') => {
            args.has(b'$');
            return Ok(Key::Saved);
        }
        _ => {}
    }
    let word = args.keyword()?;
    if let Some(key) = without_argument(&word) {
        return Ok(key);
    }
    args.space()?;
    with_argument(&word, args)
}

fn without_argument(word: &str) -> Option<Key> {
    let flag = |name: &str| Key::Flag(name.to_owned());
    let not = |name: &str| Key::Not(Box::new(Key::Flag(name.to_owned())));
    Some(match word {
        "ALL" | "OLD" => Key::All,
        "NEW" | "RECENT" => Key::Not(Box::new(Key::All)),
        "ANSWERED" => flag("\\Answered"),
        "DELETED" => flag("\\Deleted"),
        "DRAFT" => flag("\\Draft"),
        "FLAGGED" => flag("\\Flagged"),
        "SEEN" => flag("\\Seen"),
        "UNANSWERED" => not("\\Answered"),
        "UNDELETED" => not("\\Deleted"),
        "UNDRAFT" => not("\\Draft"),
        "UNFLAGGED" => not("\\Flagged"),
        "UNSEEN" => not("\\Seen"),
        _ => return None,
    })
}

fn with_argument(word: &str, args: &mut Args<'_>) -> Result<Key, Bad> {
    let lower = |args: &mut Args<'_>| args.text().map(|t| t.to_lowercase());
    Ok(match word {
        "NOT" => Key::Not(Box::new(key(args)?)),
        "OR" => {
            let first = key(args)?;
            args.space()?;
            Key::Or(Box::new(first), Box::new(key(args)?))
        }
        "UID" => Key::Uids(Set::read(args)?),
        "KEYWORD" => Key::Flag(args.flag()?),
        "UNKEYWORD" => Key::Not(Box::new(Key::Flag(args.flag()?))),
        "HEADER" => {
            let name = lower(args)?;
            args.space()?;
            Key::Header(name, lower(args)?)
        }
        "FROM" | "TO" | "CC" | "BCC" | "SUBJECT" => Key::Header(word.to_ascii_lowercase(), lower(args)?),
        "BODY" => Key::Body(lower(args)?),
        "TEXT" => Key::Text(lower(args)?),
        "LARGER" => Key::Larger(args.number()?),
        "SMALLER" => Key::Smaller(args.number()?),
        "MODSEQ" => {
            if args.peek() == Some(b'"') {
                args.string()?;
                args.space()?;
                args.keyword()?;
                args.space()?;
            }
            Key::ModSeq(args.number()?)
        }
        "EMAILID" => Key::EmailId(args.text()?),
        _ => date(word, args)?,
    })
}

fn date(word: &str, args: &mut Args<'_>) -> Result<Key, Bad> {
    let (sent, name) = word.strip_prefix("SENT").map_or((false, word), |rest| (true, rest));
    let how = match name {
        "BEFORE" => '<',
        "ON" => '=',
        "SINCE" => '>',
        _ => return Err(Bad(format!("Unknown search key {word}"))),
    };
    let text = args.text()?;
    let day = parse_day(&text).ok_or_else(|| Bad::from("Invalid search date"))?;
    Ok(Key::Date { sent, how, day })
}

impl Key {
    /// Whether MODSEQ is part of it.
    pub fn asks_modseq(&self) -> bool {
        match self {
            Self::ModSeq(_) => true,
            Self::And(keys) => keys.iter().any(Self::asks_modseq),
            Self::Or(a, b) => a.asks_modseq() || b.asks_modseq(),
            Self::Not(key) => key.asks_modseq(),
            _ => false,
        }
    }

    /// Whether it holds for a message.
    pub fn holds(&self, looked: &Looked<'_>) -> bool {
        let placement = looked.seen.placement;
        let content = &placement.content;
        let size = content.bytes.len() as u64;
        match self {
            Self::All => true,
            Self::And(keys) => keys.iter().all(|key| key.holds(looked)),
            Self::Or(a, b) => a.holds(looked) || b.holds(looked),
            Self::Not(key) => !key.holds(looked),
            Self::Flag(flag) => carries(looked.seen.flags, flag),
            Self::Numbers(set) => set.has(looked.number, looked.count),
            Self::Uids(set) => set.has(placement.uid, looked.highest),
            Self::Saved => looked.saved.contains(&placement.uid),
            Self::Header(name, text) => content.field(name).is_some_and(|value| value.to_lowercase().contains(text)),
            Self::Body(text) => contains(&content.section("TEXT", &[]).unwrap_or_default(), text),
            Self::Text(text) => contains(&content.bytes, text),
            Self::Date { sent, how, day } => compare(looked, *sent, *how, *day),
            Self::Larger(than) => size > *than,
            Self::Smaller(than) => size < *than,
            Self::ModSeq(modseq) => looked.seen.modseq >= *modseq,
            Self::EmailId(id) => *id == format!("E{}", content.email_id),
        }
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(bytes).to_lowercase().contains(text)
}

fn compare(looked: &Looked<'_>, sent: bool, how: char, day: i64) -> bool {
    let placement = looked.seen.placement;
    let moment =
        if sent { placement.content.field("date").and_then(Moment::parse_header) } else { Some(placement.date) };
    moment.map(Moment::day).is_some_and(|own| match how {
        '<' => own < day,
        '=' => own == day,
        _ => own >= day,
    })
}
