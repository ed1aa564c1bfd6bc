//! Capabilities that are taken away: they are not announced, what needs them is refused, and answers say nothing of them.

use crate::error::{Code, MailError, Result};
use crate::imap::command::StatusItem;
use crate::imap::{Role, is_in_rev2};
use crate::server::command::{Algorithm, Clock, Command, FetchItem, Key, Search, SectionKind};
use crate::server::numbers::Numbers;
use crate::server::reply::{Refusal, Reply};
use crate::server::session::offered;
use crate::wire::Frame;

/// What goes with a capability that is taken away.
const IMPLIED: &[(&str, &[&str])] = &[
    ("CONDSTORE", &["QRESYNC"]),
    ("ENABLE", &["QRESYNC", "UTF8=ACCEPT"]),
    ("ESEARCH", &["SEARCHRES", "ESORT"]),
    ("LIST-EXTENDED", &["LIST-STATUS"]),
    ("SORT", &["ESORT"]),
    ("SPECIAL-USE", &["CREATE-SPECIAL-USE"]),
];

/// What is left of an offer.
#[derive(Debug, Default)]
pub(super) struct Offer {
    /// In capitals.
    taken: Vec<String>,
}

impl Offer {
    /// Without these. IMAP4rev2 goes with whatever is a part of it, or clients would go on using that.
    pub(super) fn without(names: &[String]) -> Result<Self> {
        let mut taken: Vec<String> = names.iter().map(|name| name.trim().to_ascii_uppercase()).collect();
        if let Some(unknown) = taken.iter().find(|name| !is_offered(name)) {
            let text = format!("The server does not offer {unknown:?}: it cannot be taken away");
            let offered: Vec<&str> = offered().collect();
            return Err(MailError::new(Code::UsageArgument, text).hint(format!("Offered: {}", offered.join(" "))));
        }
        for (name, implied) in IMPLIED {
            if taken.iter().any(|taken| taken == name) {
                taken.extend(implied.iter().map(ToString::to_string));
            }
        }
        if taken.iter().any(|name| is_in_rev2(name) || name == "LITERAL+") {
            taken.push("IMAP4REV2".to_owned());
        }
        Ok(Self { taken })
    }

    fn is_taken(&self, name: &str) -> bool {
        self.taken.iter().any(|taken| taken.eq_ignore_ascii_case(name) || name.starts_with(&format!("{taken}=")))
    }

    /// The words of CAPABILITY that are left.
    pub(super) fn words(&self, words: &str) -> String {
        words.split(' ').filter(|word| !self.is_taken(word)).collect::<Vec<_>>().join(" ")
    }

    /// Why a command is not understood. What ENABLE asks for in vain is passed over (RFC 5161).
    pub(super) fn refuses(&self, frame: &Frame, command: Option<&mut Command>) -> Option<Refusal> {
        if self.taken.is_empty() {
            return None;
        }
        let has_eager_literal = || frame.head.windows(4).any(|end| end == b"+}\r\n");
        if self.is_taken("LITERAL+") && has_eager_literal() {
            return Some(refusal("LITERAL+"));
        }
        let command = command?;
        if let Command::Enable(words) = command {
            words.retain(|word| !self.is_taken(word));
        }
        needs(command).into_iter().find(|name| self.is_taken(name)).map(|name| refusal(&name))
    }

    /// Takes out of an answer what a server without these would not say.
    pub(super) fn strip(&self, reply: &mut Reply) {
        if self.taken.is_empty() {
            return;
        }
        reply.code = reply.code.take().and_then(|code| self.code(code));
        edit(&mut reply.untagged, |line| self.line(line));
    }

    fn code(&self, code: String) -> Option<String> {
        if let Some(words) = code.strip_prefix("CAPABILITY ") {
            return Some(format!("CAPABILITY {}", self.words(words)));
        }
        (!self.is_hidden(&code)).then_some(code)
    }

    fn line(&self, line: &str) -> Option<String> {
        if let Some(words) = line.strip_prefix("* CAPABILITY ") {
            return Some(format!("* CAPABILITY {}", self.words(words)));
        }
        if line.strip_prefix("* OK [").is_some_and(|code| self.is_hidden(code)) {
            return None;
        }
        let Some((attributes, rest)) = line.strip_prefix("* LIST (").and_then(|line| line.split_once(") ")) else {
            return Some(line.to_owned());
        };
        let attributes: Vec<&str> = attributes.split(' ').filter(|word| !self.is_hidden_attribute(word)).collect();
        Some(format!("* LIST ({}) {rest}", attributes.join(" ")))
    }

    /// Whether a response code belongs to what is taken away.
    fn is_hidden(&self, code: &str) -> bool {
        let owner = match code.split([' ', ']']).next() {
            Some("APPENDUID" | "COPYUID") => "UIDPLUS",
            Some("HIGHESTMODSEQ") => "CONDSTORE",
            Some("MAILBOXID") => "OBJECTID",
            _ => return false,
        };
        self.is_taken(owner)
    }

    fn is_hidden_attribute(&self, word: &str) -> bool {
        let is_use = || Role::from_attribute(word).is_some();
        self.is_taken("CHILDREN") && matches!(word, "\\HasChildren" | "\\HasNoChildren")
            || self.is_taken("SPECIAL-USE") && is_use()
    }
}

/// Rewrites an answer line by line; `None` leaves a line out. What is not text stays as it is.
pub(super) fn edit(untagged: &mut Vec<u8>, mut line: impl FnMut(&str) -> Option<String>) {
    let mut out = Vec::with_capacity(untagged.len());
    for raw in untagged.split_inclusive(|byte| *byte == b'\n') {
        let text = raw.strip_suffix(b"\r\n").and_then(|text| std::str::from_utf8(text).ok());
        let Some(text) = text.filter(|text| text.starts_with("* ")) else {
            out.extend_from_slice(raw);
            continue;
        };
        if let Some(text) = line(text) {
            out.extend_from_slice(text.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
    *untagged = out;
}

fn refusal(name: &str) -> Refusal {
    Refusal::Bad(format!("This server has no {name}"))
}

/// Whether a word, or the part of it before its `=`, is ever announced.
fn is_offered(name: &str) -> bool {
    name == "APPENDLIMIT"
        || offered().any(|word| {
            let family = word.split_once('=').map_or(word, |(family, _)| family);
            word.eq_ignore_ascii_case(name) || family.eq_ignore_ascii_case(name)
        })
}

/// The capabilities that a command needs.
fn needs(command: &Command) -> Vec<String> {
    let names: &[&str] = match command {
        Command::Authenticate { mechanism, initial } => {
            let own = format!("AUTH={mechanism}");
            return if initial.is_some() { vec![own, "SASL-IR".to_owned()] } else { vec![own] };
        }
        Command::Enable(_) => &["ENABLE"],
        Command::Id => &["ID"],
        Command::Namespace => &["NAMESPACE"],
        Command::Idle => &["IDLE"],
        Command::Unselect => &["UNSELECT"],
        Command::Expunge(Some(_)) => &["UIDPLUS"],
        Command::Move(copy) if copy.set == Numbers::Saved => &["MOVE", "SEARCHRES"],
        Command::Move(_) => &["MOVE"],
        Command::Copy(copy) if copy.set == Numbers::Saved => &["SEARCHRES"],
        Command::Create { role: Some(_), .. } => &["CREATE-SPECIAL-USE"],
        Command::Append { messages, .. } if messages.len() > 1 => &["MULTIAPPEND"],
        Command::Select(select) if select.qresync.is_some() => &["QRESYNC"],
        Command::Select(select) if select.condstore => &["CONDSTORE"],
        Command::Status { items, .. } => return status(items),
        Command::List(list) => {
            let asked = [(list.extended, "LIST-EXTENDED"), (!list.status.is_empty(), "LIST-STATUS")];
            let asked = asked.into_iter().chain([(list.special_use, "SPECIAL-USE")]);
            let names = asked.filter(|(is_asked, _)| *is_asked).map(|(_, name)| name.to_owned());
            return names.chain(status(&list.status)).collect();
        }
        Command::Fetch(fetch) => {
            let mut names: Vec<&str> = fetch.items.iter().filter_map(item).collect();
            names.extend(fetch.changed_since.map(|_| "CONDSTORE"));
            names.extend(fetch.vanished.then_some("QRESYNC"));
            names.extend((fetch.set == Numbers::Saved).then_some("SEARCHRES"));
            return owned(names);
        }
        Command::Store(store) => {
            let mut names: Vec<&str> = store.unchanged_since.map(|_| "CONDSTORE").into_iter().collect();
            names.extend((store.set == Numbers::Saved).then_some("SEARCHRES"));
            return owned(names);
        }
        Command::Search(search) => return owned(searching(search, "ESEARCH")),
        Command::Sort(search, _) => {
            let mut names = searching(search, "ESORT");
            names.push("SORT");
            return owned(names);
        }
        Command::Thread(search, algorithm) => {
            let mut names = searching(search, "ESEARCH");
            names.push(match algorithm {
                Algorithm::OrderedSubject => "THREAD=ORDEREDSUBJECT",
                Algorithm::References => "THREAD=REFERENCES",
            });
            return owned(names);
        }
        _ => &[],
    };
    owned(names.to_vec())
}

fn owned(names: Vec<&str>) -> Vec<String> {
    names.into_iter().map(str::to_owned).collect()
}

fn status(items: &[StatusItem]) -> Vec<String> {
    let name = |item: &StatusItem| match item {
        StatusItem::Size => Some("STATUS=SIZE"),
        StatusItem::HighestModSeq => Some("CONDSTORE"),
        StatusItem::MailboxId => Some("OBJECTID"),
        StatusItem::AppendLimit => Some("APPENDLIMIT"),
        _ => None,
    };
    owned(items.iter().filter_map(name).collect())
}

fn item(item: &FetchItem) -> Option<&'static str> {
    match item {
        FetchItem::ModSeq => Some("CONDSTORE"),
        FetchItem::EmailId | FetchItem::ThreadId => Some("OBJECTID"),
        FetchItem::SaveDate => Some("SAVEDATE"),
        FetchItem::Preview { .. } => Some("PREVIEW"),
        FetchItem::Section(section) if matches!(section.kind, SectionKind::Binary | SectionKind::BinarySize) => {
            Some("BINARY")
        }
        _ => None,
    }
}

fn searching(search: &Search, extended: &'static str) -> Vec<&'static str> {
    let mut names = Vec::new();
    names.extend(search.wanted.map(|_| extended));
    names.extend(search.wanted.filter(|wanted| wanted.save).map(|_| "SEARCHRES"));
    of_key(&search.key, &mut names);
    names
}

/// The parser bounds how deep keys lie in each other.
fn of_key(key: &Key, names: &mut Vec<&'static str>) {
    match key {
        Key::Seq(Numbers::Saved) | Key::Uid(Numbers::Saved) => names.push("SEARCHRES"),
        Key::Younger(_) | Key::Older(_) => names.push("WITHIN"),
        Key::ModSeq(_) => names.push("CONDSTORE"),
        Key::EmailId(_) | Key::ThreadId(_) => names.push("OBJECTID"),
        Key::Day(Clock::Saved, ..) => names.push("SAVEDATE"),
        Key::Not(key) => of_key(key, names),
        Key::Or(one, other) => [one, other].into_iter().for_each(|key| of_key(key, names)),
        Key::And(keys) => keys.iter().for_each(|key| of_key(key, names)),
        _ => {}
    }
}
