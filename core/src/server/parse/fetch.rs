//! FETCH and its items (RFC 9051 section 6.4.5, RFC 3516, RFC 7162, RFC 8474, RFC 8514, RFC 8970).

use super::{Args, Bad, Result};
use crate::server::command::{Command, Fetch, FetchItem, SectionItem, SectionKind};
use crate::server::numbers::Numbers;

/// Deepest part that can be named.
const DEEPEST: usize = 64;
/// Most fields that HEADER.FIELDS names.
const MOST_FIELDS: usize = 500;

impl Args<'_> {
    pub(super) fn fetch(&mut self, uid: bool) -> Result<Command> {
        let set = self.numbers()?;
        self.space()?;
        let mut items = Vec::new();
        if self.is_at_list() {
            self.list_of(|args| {
                items.push(args.item()?);
                Ok(())
            })?;
        } else {
            items = self.items()?;
        }
        let mut fetch = Fetch { uid, set, items, changed_since: None, vanished: false };
        if !self.c.is_at_end() {
            self.list_of(|args| args.modifier(&mut fetch))?;
        }
        if fetch.vanished && !(fetch.uid && fetch.changed_since.is_some()) {
            return Err(Bad::Syntax("UID FETCH with CHANGEDSINCE for VANISHED"));
        }
        Ok(Command::Fetch(fetch))
    }

    fn modifier(&mut self, fetch: &mut Fetch) -> Result<()> {
        match self.bare()?.to_ascii_uppercase().as_str() {
            "CHANGEDSINCE" => fetch.changed_since = Some(self.number()?),
            "VANISHED" => fetch.vanished = true,
            _ => return Err(Bad::Syntax("a modifier of FETCH")),
        }
        Ok(())
    }

    /// One item, or one of the macros.
    fn items(&mut self) -> Result<Vec<FetchItem>> {
        use FetchItem::{Body, Envelope, Flags, InternalDate, Size};
        let all = || vec![Flags, InternalDate, Size, Envelope];
        let items = match self.ahead().as_str() {
            "ALL" => all(),
            "FAST" => vec![Flags, InternalDate, Size],
            "FULL" => [all(), vec![Body]].concat(),
            _ => return self.item().map(|item| vec![item]),
        };
        self.bare()?;
        Ok(items)
    }

    fn item(&mut self) -> Result<FetchItem> {
        let word = String::from_utf8_lossy(&self.c.atom()?).into_owned();
        let legacy = |kind, peek| {
            let (label, path) = (word.to_ascii_uppercase(), Vec::new());
            FetchItem::Section(SectionItem { label, path, kind, partial: None, peek })
        };
        Ok(match word.to_ascii_uppercase().as_str() {
            "FLAGS" => FetchItem::Flags,
            "UID" => FetchItem::Uid,
            "INTERNALDATE" => FetchItem::InternalDate,
            "RFC822.SIZE" => FetchItem::Size,
            "ENVELOPE" => FetchItem::Envelope,
            "BODYSTRUCTURE" => FetchItem::BodyStructure,
            "BODY" => FetchItem::Body,
            "MODSEQ" => FetchItem::ModSeq,
            "EMAILID" => FetchItem::EmailId,
            "THREADID" => FetchItem::ThreadId,
            "SAVEDATE" => FetchItem::SaveDate,
            "PREVIEW" => FetchItem::Preview { lazy: self.is_lazy()? },
            "RFC822" => legacy(SectionKind::Content, false),
            "RFC822.HEADER" => legacy(SectionKind::Header, true),
            "RFC822.TEXT" => legacy(SectionKind::Text, false),
            _ => FetchItem::Section(section(&word)?),
        })
    }

    /// `PREVIEW (LAZY)`: the parenthesis is the item's own where nothing but LAZY stands in it.
    fn is_lazy(&mut self) -> Result<bool> {
        let mut ahead = self.c.clone();
        if ahead.peek_value() != Some(b'(') || ahead.open().is_err() {
            return Ok(false);
        }
        if !ahead.keyword().is_ok_and(|word| word.eq_ignore_ascii_case(b"LAZY")) {
            return Ok(false);
        }
        if !ahead.close()? {
            return Err(Bad::Syntax("LAZY alone"));
        }
        self.c = ahead;
        Ok(true)
    }
}

/// `BODY.PEEK[1.HEADER.FIELDS (DATE)]<0.100>`
fn section(word: &str) -> Result<SectionItem> {
    let wrong = Bad::Syntax("an item of FETCH");
    let (name, rest) = word.split_once('[').ok_or(wrong.clone())?;
    let (inside, after) = rest.rsplit_once(']').ok_or(wrong.clone())?;
    let name = name.to_ascii_uppercase();
    let (base, peek) = name.strip_suffix(".PEEK").map_or((name.as_str(), false), |base| (base, true));
    let (path, text) = numbered(inside)?;
    let (kind, peek) = match base {
        "BODY" => (kind(text, &path)?, peek),
        "BINARY" if text.is_empty() => (SectionKind::Binary, peek),
        "BINARY.SIZE" if text.is_empty() && !peek && after.is_empty() => (SectionKind::BinarySize, true),
        _ => return Err(wrong),
    };
    let partial = if after.is_empty() { None } else { Some(partial(after).ok_or(wrong)?) };
    Ok(SectionItem { label: format!("{base}[{}]", shown(inside)), path, kind, partial, peek })
}

/// What stands between the brackets, in capitals, as the client's names of fields are found again.
fn shown(inside: &str) -> String {
    inside.chars().filter(|c| !c.is_control()).collect::<String>().to_ascii_uppercase()
}

/// The numbers of a part, and what is wanted of it.
fn numbered(inside: &str) -> Result<(Vec<u32>, &str)> {
    let (mut path, mut rest) = (Vec::new(), inside);
    while rest.starts_with(|c: char| c.is_ascii_digit()) {
        let (number, after) = rest.split_once('.').unwrap_or((rest, ""));
        let Some(Numbers::Ranges(ranges)) = Numbers::parse(number.as_bytes()) else {
            return Err(Bad::Syntax("the number of a part"));
        };
        match ranges.as_slice() {
            [(first, last)] if first == last && path.len() < DEEPEST => path.push(*first),
            _ => return Err(Bad::Syntax("the number of a part")),
        }
        rest = after;
    }
    Ok((path, rest))
}

fn kind(text: &str, path: &[u32]) -> Result<SectionKind> {
    let (word, names) = text.split_once(' ').unwrap_or((text, ""));
    Ok(match (word.to_ascii_uppercase().as_str(), names.is_empty()) {
        ("", true) => SectionKind::Content,
        ("HEADER", true) => SectionKind::Header,
        ("TEXT", true) => SectionKind::Text,
        ("MIME", true) if !path.is_empty() => SectionKind::Mime,
        ("HEADER.FIELDS", false) => SectionKind::Fields(fields(names)?, true),
        ("HEADER.FIELDS.NOT", false) => SectionKind::Fields(fields(names)?, false),
        _ => return Err(Bad::Syntax("a section")),
    })
}

/// `(DATE "From")`
fn fields(text: &str) -> Result<Vec<String>> {
    let wrong = Bad::Syntax("names of header fields");
    let inside = text.trim().strip_prefix('(').and_then(|text| text.strip_suffix(')')).ok_or(wrong.clone())?;
    let names: Vec<String> =
        inside.split_whitespace().map(|name| name.trim_matches('"').to_ascii_lowercase()).collect();
    let is_name = |name: &String| !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
    if names.is_empty() || names.len() > MOST_FIELDS || !names.iter().all(is_name) { Err(wrong) } else { Ok(names) }
}

/// `<0.100>`
fn partial(text: &str) -> Option<(u32, u32)> {
    let (first, count) = text.strip_prefix('<')?.strip_suffix('>')?.split_once('.')?;
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u32>().ok()).flatten();
    Some((number(first)?, number(count).filter(|count| *count > 0)?))
}
