//! SEARCH, SORT and THREAD (RFC 9051 section 6.4.4, RFC 4731, RFC 5032, RFC 5182, RFC 5256, RFC 7162, RFC 8514).

use super::{Args, Bad, Result};
use crate::imap::{Flag, parse_day};
use crate::server::command::{Algorithm, Clock, Command, Key, Search, SortBy, SortKey, Wanted, When};
use crate::server::numbers::Numbers;
use encoding_rs::{Encoding, UTF_8};

/// Most search keys of one command.
const MOST_KEYS: usize = 2000;
/// Deepest nesting of search keys.
const DEEPEST: usize = 32;

/// What a search is read with.
struct Reading {
    charset: &'static Encoding,
    left: usize,
    depth: usize,
}

impl Args<'_> {
    pub(super) fn search(&mut self, uid: bool) -> Result<Command> {
        let wanted = self.wanted()?;
        let mut charset = UTF_8;
        if self.ahead() == "CHARSET" {
            self.word()?;
            charset = self.charset()?;
        }
        let key = self.program(charset)?;
        Ok(Command::Search(Search { uid, wanted, key }))
    }

    pub(super) fn sort(&mut self, uid: bool) -> Result<Command> {
        let wanted = self.wanted()?;
        let (mut keys, mut reverse) = (Vec::new(), false);
        self.space()?;
        self.list_of(|args| {
            let by = match args.bare()?.to_ascii_uppercase().as_str() {
                "REVERSE" if !reverse => {
                    reverse = true;
                    return Ok(());
                }
                "ARRIVAL" => SortBy::Arrival,
                "CC" => SortBy::Cc,
                "DATE" => SortBy::Date,
                "FROM" => SortBy::From,
                "SIZE" => SortBy::Size,
                "SUBJECT" => SortBy::Subject,
                "TO" => SortBy::To,
                _ => return Err(Bad::Syntax("a criterion of SORT")),
            };
            keys.push(SortKey { by, reverse: std::mem::take(&mut reverse) });
            Ok(())
        })?;
        if keys.is_empty() || reverse {
            return Err(Bad::Syntax("a criterion of SORT"));
        }
        let charset = self.charset()?;
        let key = self.program(charset)?;
        Ok(Command::Sort(Search { uid, wanted, key }, keys))
    }

    pub(super) fn thread(&mut self, uid: bool) -> Result<Command> {
        let algorithm = match self.word()?.as_str() {
            "ORDEREDSUBJECT" => Algorithm::OrderedSubject,
            "REFERENCES" => Algorithm::References,
            _ => return Err(Bad::Syntax("an algorithm of THREAD")),
        };
        let charset = self.charset()?;
        let key = self.program(charset)?;
        Ok(Command::Thread(Search { uid, wanted: None, key }, algorithm))
    }

    fn wanted(&mut self) -> Result<Option<Wanted>> {
        if self.ahead() != "RETURN" {
            return Ok(None);
        }
        self.word()?;
        let mut wanted = Wanted::default();
        self.list_of(|args| {
            match args.bare()?.to_ascii_uppercase().as_str() {
                "MIN" => wanted.min = true,
                "MAX" => wanted.max = true,
                "ALL" => wanted.all = true,
                "COUNT" => wanted.count = true,
                "SAVE" => wanted.save = true,
                _ => return Err(Bad::Syntax("a return option of SEARCH")),
            }
            Ok(())
        })?;
        // `RETURN ()` is ALL (RFC 4731 section 3.1).
        wanted.all |= wanted == Wanted::default();
        Ok(Some(wanted))
    }

    fn charset(&mut self) -> Result<&'static Encoding> {
        let name = self.astring()?;
        Encoding::for_label(&name).ok_or(Bad::Charset)
    }

    fn program(&mut self, charset: &'static Encoding) -> Result<Key> {
        let mut reading = Reading { charset, left: MOST_KEYS, depth: DEEPEST };
        let mut keys = Vec::new();
        loop {
            self.space()?;
            keys.push(self.key(&mut reading)?);
            if self.c.is_at_end() {
                return Ok(all_of(keys));
            }
        }
    }

    fn key(&mut self, reading: &mut Reading) -> Result<Key> {
        reading.left = reading.left.checked_sub(1).ok_or(Bad::Syntax("fewer search keys"))?;
        reading.depth = reading.depth.checked_sub(1).ok_or(Bad::Syntax("less nesting"))?;
        let key = if self.is_at_list() { self.keys(reading) } else { self.single(reading) };
        reading.depth += 1;
        key
    }

    fn keys(&mut self, reading: &mut Reading) -> Result<Key> {
        let mut keys = Vec::new();
        self.list_of(|args| {
            keys.push(args.key(reading)?);
            Ok(())
        })?;
        if keys.is_empty() { Err(Bad::Syntax("a search key")) } else { Ok(all_of(keys)) }
    }

    fn single(&mut self, reading: &mut Reading) -> Result<Key> {
        let word = self.bare()?;
        if let Some(numbers) = Numbers::parse(word.as_bytes()) {
            return Ok(Key::Seq(numbers));
        }
        let word = word.to_ascii_uppercase();
        if let Some((flag, is_set)) = flag_key(&word) {
            return Ok(Key::Flag(flag, is_set));
        }
        Ok(match word.as_str() {
            "ALL" | "OLD" => Key::All,
            "RECENT" | "NEW" => Key::None,
            "NOT" => Key::Not(Box::new(self.next_key(reading)?)),
            "OR" => Key::Or(Box::new(self.next_key(reading)?), Box::new(self.next_key(reading)?)),
            "UID" => Key::Uid(self.numbers()?),
            "KEYWORD" => Key::Flag(self.keyword()?, true),
            "UNKEYWORD" => Key::Flag(self.keyword()?, false),
            "BCC" | "CC" | "FROM" | "SUBJECT" | "TO" => Key::Header(word.to_ascii_lowercase(), self.string(reading)?),
            "HEADER" => Key::Header(self.text()?, self.string(reading)?),
            "BODY" => Key::Body(self.string(reading)?),
            "TEXT" => Key::Text(self.string(reading)?),
            "LARGER" => Key::Larger(self.number()?),
            "SMALLER" => Key::Smaller(self.number()?),
            "YOUNGER" => Key::Younger(self.seconds()?),
            "OLDER" => Key::Older(self.seconds()?),
            "MODSEQ" => Key::ModSeq(self.mod_seq()?),
            "EMAILID" => Key::EmailId(self.text()?),
            "THREADID" => Key::ThreadId(self.text()?),
            "SAVEDATESUPPORTED" => Key::All,
            word => self.day(word)?,
        })
    }

    fn next_key(&mut self, reading: &mut Reading) -> Result<Key> {
        self.space()?;
        self.key(reading)
    }

    fn keyword(&mut self) -> Result<Flag> {
        self.space()?;
        let flag = Flag::from_server(&self.c.atom()?);
        if flag.is_writable() && !flag.is_system() { Ok(flag) } else { Err(Bad::Syntax("a keyword")) }
    }

    /// A string in the charset of the search. What is not of that charset matches what a replacement would.
    fn string(&mut self, reading: &Reading) -> Result<String> {
        let bytes = self.astring()?;
        Ok(reading.charset.decode_without_bom_handling(&bytes).0.into_owned())
    }

    fn seconds(&mut self) -> Result<u64> {
        Some(self.number()?).filter(|seconds| *seconds > 0).ok_or(Bad::Syntax("a number of seconds"))
    }

    /// `MODSEQ [entry-name entry-type] n` (RFC 7162 section 3.1.5). All flags have one MODSEQ here.
    fn mod_seq(&mut self) -> Result<u64> {
        self.space()?;
        if self.c.peek() == Some(b'"') {
            self.c.string()?;
            self.word()?;
            self.space()?;
        }
        Ok(self.c.number()?)
    }

    fn day(&mut self, word: &str) -> Result<Key> {
        let (clock, rest) = match word {
            word if word.starts_with("SENT") => (Clock::Sent, word.strip_prefix("SENT")),
            word if word.starts_with("SAVED") => (Clock::Saved, word.strip_prefix("SAVED")),
            word => (Clock::Received, Some(word)),
        };
        let when = match rest.unwrap_or_default() {
            "BEFORE" => When::Before,
            "ON" => When::On,
            "SINCE" => When::Since,
            _ => return Err(Bad::Syntax("a search key")),
        };
        let date = self.astring()?;
        Ok(Key::Day(clock, when, parse_day(&date).ok_or(Bad::Syntax("a day"))?))
    }
}

fn all_of(mut keys: Vec<Key>) -> Key {
    match keys.pop() {
        Some(only) if keys.is_empty() => only,
        Some(last) => {
            keys.push(last);
            Key::And(keys)
        }
        None => Key::All,
    }
}

fn flag_key(word: &str) -> Option<(Flag, bool)> {
    let (name, is_set) = word.strip_prefix("UN").map_or((word, true), |name| (name, false));
    let flag = match name {
        "SEEN" => Flag::SEEN,
        "ANSWERED" => Flag::ANSWERED,
        "FLAGGED" => Flag::FLAGGED,
        "DELETED" => Flag::DELETED,
        "DRAFT" => Flag::DRAFT,
        _ => return None,
    };
    Some((flag, is_set))
}
