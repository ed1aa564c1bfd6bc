//! From the bytes of a command to a [`Command`]. Never fails in another way than with a sentence for BAD.

mod append;
mod fetch;
mod list;
mod mailbox;
mod message;
mod search;

use super::command::Command;
use super::numbers::Numbers;
use crate::imap::{Flag, decode_name};
use crate::limits::Limits;
use crate::secret::Secret;
use crate::store::Flags;
use crate::wire::{Cursor, Frame, Octets, WireError};
use bytes::Bytes;

/// Most parameters of ID (RFC 2971 section 3.3; CVE-2026-42391).
const MOST_IDS: usize = 30;
/// Longest tag that is given back.
const LONGEST_TAG: usize = 128;

/// What stands in a command line.
#[derive(Debug, PartialEq)]
pub(super) struct Parsed {
    /// Its tag; `*` where it has none that could be given back.
    pub tag: String,
    pub command: Result<Command, Bad>,
}

/// Why a command was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bad {
    Syntax(&'static str),
    /// A search in a charset that nobody knows here: a `NO` (RFC 9051 section 7.1).
    Charset,
}

impl From<WireError> for Bad {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Malformed { expected, .. } => Self::Syntax(expected),
            WireError::Limit(what) => Self::Syntax(what),
        }
    }
}

type Result<T, E = Bad> = std::result::Result<T, E>;

/// Reads a command. `utf8` says whether names travel as UTF-8.
pub(super) fn command(frame: &Frame, utf8: bool) -> Parsed {
    let limits = Limits { depth: 32, items: 100_000, ..Limits::default() };
    let mut args = Args { c: Cursor::new(frame, &limits), utf8 };
    let Some(tag) = tag(&frame.head) else {
        return Parsed { tag: "*".to_owned(), command: Err(Bad::Syntax("a tag")) };
    };
    let command =
        args.c.atom().map_err(Bad::from).and_then(|_| args.command()).and_then(|command| {
            if args.c.is_at_end() { Ok(command) } else { Err(Bad::Syntax("the end of the command")) }
        });
    Parsed { tag, command }
}

/// The tag that a line begins with (RFC 9051 section 9: no `+`).
pub(super) fn tag(line: &[u8]) -> Option<String> {
    let end = line.iter().position(|byte| matches!(byte, b' ' | b'\r' | b'\n'))?;
    let tag = line.get(..end).filter(|tag| !tag.is_empty() && tag.len() <= LONGEST_TAG)?;
    let is_tag =
        |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b'+');
    tag.iter().all(is_tag).then(|| String::from_utf8_lossy(tag).into_owned())
}

/// The arguments that are left.
struct Args<'a> {
    c: Cursor<'a>,
    utf8: bool,
}

impl<'a> Args<'a> {
    fn command(&mut self) -> Result<Command> {
        let word = self.word()?;
        let (uid, word) = if word == "UID" { (true, self.word()?) } else { (false, word) };
        Ok(match (uid, word.as_str()) {
            (false, "CAPABILITY") => Command::Capability,
            (false, "NOOP") => Command::Noop,
            (false, "STARTTLS") => Command::StartTls,
            (false, "LOGOUT") => Command::Logout,
            (false, "ID") => self.id()?,
            (false, "LOGIN") => Command::Login { user: self.text()?, password: Secret::from(self.text()?) },
            (false, "AUTHENTICATE") => self.authenticate()?,
            (false, "ENABLE") => self.enable()?,
            (false, "NAMESPACE") => Command::Namespace,
            (false, "LIST") => self.list()?,
            (false, "LSUB") => Command::Lsub { reference: self.mailbox()?, pattern: self.mailbox()? },
            (false, "SUBSCRIBE") => Command::Subscribe(self.mailbox()?),
            (false, "UNSUBSCRIBE") => Command::Unsubscribe(self.mailbox()?),
            (false, "CREATE") => self.create()?,
            (false, "DELETE") => Command::Delete(self.mailbox()?),
            (false, "RENAME") => Command::Rename { from: self.mailbox()?, to: self.mailbox()? },
            (false, "STATUS") => self.status()?,
            (false, "SELECT") => self.select(false)?,
            (false, "EXAMINE") => self.select(true)?,
            (false, "CLOSE") => Command::Close,
            (false, "UNSELECT") => Command::Unselect,
            (false, "CHECK") => Command::Check,
            (false, "IDLE") => Command::Idle,
            (false, "APPEND") => self.append()?,
            (false, "EXPUNGE") => Command::Expunge(None),
            (true, "EXPUNGE") => Command::Expunge(Some(self.numbers()?)),
            (uid, "FETCH") => self.fetch(uid)?,
            (uid, "STORE") => self.store(uid)?,
            (uid, "SEARCH") => self.search(uid)?,
            (uid, "SORT") => self.sort(uid)?,
            (uid, "THREAD") => self.thread(uid)?,
            (uid, "COPY") => Command::Copy(self.copy(uid)?),
            (uid, "MOVE") => Command::Move(self.copy(uid)?),
            _ => return Err(Bad::Syntax("a command")),
        })
    }

    fn id(&mut self) -> Result<Command> {
        self.space()?;
        if self.c.nil() {
            return Ok(Command::Id);
        }
        let mut count = 0;
        self.c.list(|c| {
            count += 1;
            let value = c.nbytes().map(drop);
            if count > MOST_IDS * 2 { Err(c.expected("fewer parameters")) } else { value }
        })?;
        Ok(Command::Id)
    }

    fn authenticate(&mut self) -> Result<Command> {
        let mechanism = self.word()?;
        let initial = if self.c.is_at_end() { None } else { Some(self.c.atom()?) };
        Ok(Command::Authenticate { mechanism, initial })
    }

    fn enable(&mut self) -> Result<Command> {
        let mut words = vec![self.word()?];
        while !self.c.is_at_end() {
            words.push(self.word()?);
        }
        Ok(Command::Enable(words))
    }

    /// What parts an argument from what comes before.
    fn space(&mut self) -> Result<()> {
        if self.c.spaces() { Ok(()) } else { Err(Bad::Syntax("another argument")) }
    }

    /// A word of the language, in capitals.
    fn word(&mut self) -> Result<String> {
        self.space()?;
        Ok(String::from_utf8_lossy(self.c.keyword()?).to_ascii_uppercase())
    }

    /// The next word in capitals, without moving there.
    fn ahead(&mut self) -> String {
        let mut ahead = self.c.clone();
        ahead.keyword().map(|word| String::from_utf8_lossy(word).to_ascii_uppercase()).unwrap_or_default()
    }

    fn astring(&mut self) -> Result<Bytes> {
        self.space()?;
        Ok(self.c.astring()?)
    }

    /// An astring in UTF-8.
    fn text(&mut self) -> Result<String> {
        String::from_utf8(self.astring()?.to_vec()).map_err(|_| Bad::Syntax("UTF-8"))
    }

    /// A mailbox's name, or a pattern for such.
    fn mailbox(&mut self) -> Result<String> {
        let raw = self.astring()?;
        named(&raw, self.utf8)
    }

    fn numbers(&mut self) -> Result<Numbers> {
        self.space()?;
        Numbers::parse(self.c.keyword()?).ok_or(Bad::Syntax("a set of numbers"))
    }

    fn number(&mut self) -> Result<u64> {
        self.space()?;
        Ok(self.c.number()?)
    }

    /// Whether a list begins here, after a space.
    fn is_at_list(&mut self) -> bool {
        self.c.peek_value() == Some(b'(')
    }

    /// A parenthesised list, each item read by `item`.
    fn list_of(&mut self, mut item: impl FnMut(&mut Args<'a>) -> Result<()>) -> Result<()> {
        self.c.spaces();
        self.c.open()?;
        // So that the first item has the space before it that every other one has.
        loop {
            if self.c.close()? {
                return Ok(());
            }
            let before = self.c.rest().len();
            item(self)?;
            if self.c.rest().len() == before {
                return Err(Bad::Syntax("a list item"));
            }
        }
    }

    /// A flag that a client may set.
    fn flag(&mut self) -> Result<Flag> {
        let word = self.c.atom()?;
        let flag = Flag::from_server(&word);
        let is_known = !flag.is_system() || SYSTEM.contains(&flag);
        if flag.is_settable() && is_known { Ok(flag) } else { Err(Bad::Syntax("a flag that can be set")) }
    }

    fn flags(&mut self) -> Result<Flags> {
        let mut flags = Flags::new();
        self.list_of(|args| {
            flags.insert(&args.flag()?);
            Ok(())
        })?;
        Ok(flags)
    }

    fn literal(&mut self) -> Result<Octets> {
        match self.c.peek_value() {
            Some(b'{' | b'~') => Ok(self.c.string()?),
            _ => Err(Bad::Syntax("a literal")),
        }
    }
}

const SYSTEM: [Flag; 5] = [Flag::SEEN, Flag::ANSWERED, Flag::FLAGGED, Flag::DELETED, Flag::DRAFT];

/// A name as it travels; NUL and line ends are in none.
fn named(raw: &[u8], utf8: bool) -> Result<String> {
    let name = decode_name(raw, utf8);
    if name.contains(|c: char| c.is_control()) { Err(Bad::Syntax("a mailbox name")) } else { Ok(name) }
}

#[cfg(test)]
mod tests;
