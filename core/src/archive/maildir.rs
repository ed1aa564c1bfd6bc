//! Writing Maildir: one file a message, flags in its name, folders as Maildir++ has them.
//!
//! A file's name ends in `S=` with its size and `W=` with that which it has with CRLF, as Dovecot writes them: where they
//! differ, the message had CRLF and is turned back when it is read. Keywords are small letters, named in the file
//! `dovecot-keywords` of the folder; a letter for more than 26 there is not.

use super::lines::{Ends, Lines, Quoting, Traits, each_piece, examine};
use super::names::{Taken, encode_folder};
use super::{Archived, io};
use crate::error::{Code, MailError, Result};
use crate::imap::Flag;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Flags by letter, in the order in which names have them.
pub(super) const LETTERS: [(char, Flag); 6] = [
    ('D', Flag::DRAFT),
    ('F', Flag::FLAGGED),
    ('P', Flag::FORWARDED),
    ('R', Flag::ANSWERED),
    ('S', Flag::SEEN),
    ('T', Flag::DELETED),
];

/// The file that names keywords.
pub(super) const KEYWORDS: &str = "dovecot-keywords";

/// Writes a Maildir, at a path where nothing is yet.
pub struct MaildirWriter {
    root: PathBuf,
    taken: Taken,
}

/// Writes one folder of a Maildir.
pub struct MaildirFolder {
    path: PathBuf,
    keywords: Vec<String>,
    count: u64,
}

impl MaildirWriter {
    /// Makes the Maildir. `file.io` where something is there already.
    pub fn create(root: &Path) -> Result<Self> {
        make(root)?;
        Ok(Self { root: root.to_owned(), taken: Taken::default() })
    }

    /// Makes the folder for a mailbox, given the levels of its name, or opens the Maildir itself for `INBOX`.
    ///
    /// Two names that a file system may take for one get different folders. A name too long for the file system is
    /// `file.io`.
    pub fn folder(&mut self, levels: &[&str]) -> Result<MaildirFolder> {
        let is_inbox = matches!(levels, [name] if name.eq_ignore_ascii_case("INBOX"));
        let name = if is_inbox { String::new() } else { self.taken.free(&encode_folder(levels))? };
        let path = if is_inbox { self.root.clone() } else { self.root.join(name) };
        if !is_inbox {
            make(&path)?;
            File::create_new(path.join("maildirfolder")).map_err(|error| io(&error))?;
        }
        Ok(MaildirFolder { path, keywords: Vec::new(), count: 0 })
    }
}

fn make(path: &Path) -> Result<()> {
    fs::create_dir(path).map_err(|error| io(&error))?;
    ["cur", "new", "tmp"].iter().try_for_each(|name| fs::create_dir(path.join(name)).map_err(|error| io(&error)))
}

impl MaildirFolder {
    /// Adds a message, which is read twice: once to see its line ends. Errors are `file.io`.
    pub fn add(&mut self, archived: &Archived, content: &mut (impl Read + Seek)) -> Result<()> {
        let letters = self.letters(&archived.flags)?;
        self.write(archived, &letters, content).map_err(|error| io(&error))
    }

    fn write(&mut self, archived: &Archived, letters: &str, content: &mut (impl Read + Seek)) -> std::io::Result<()> {
        let traits = examine(content)?;
        content.rewind()?;
        self.count += 1;
        let seconds = archived.received.map_or(0, |date| date.seconds.max(0));
        let Traits { size, short, .. } = traits;
        let name = format!("{seconds}.M{:06}.mailtide,S={short},W={size}", self.count);
        let path = self.path.join("tmp").join(&name);
        let mut file = File::create_new(&path)?;
        let ends = if traits.is_crlf { Ends::ToLf } else { Ends::Keep };
        let mut lines = Lines::new(&mut file, Quoting::None, ends, u64::MAX);
        each_piece(content, |piece| lines.push(piece))?;
        lines.finish()?;
        if let Some(date) = archived.received {
            let seconds = Duration::from_secs(date.seconds.unsigned_abs());
            let epoch = SystemTime::UNIX_EPOCH;
            let moment = if date.seconds < 0 { epoch.checked_sub(seconds) } else { epoch.checked_add(seconds) };
            file.set_modified(moment.unwrap_or(epoch))?;
        }
        fs::rename(path, self.path.join("cur").join(format!("{name}{SEPARATOR}2,{letters}")))
    }

    /// Letters for flags, ascending; a new keyword is written to its file first.
    fn letters(&mut self, flags: &[Flag]) -> Result<String> {
        let mut letters = BTreeSet::new();
        for flag in flags.iter().filter(|flag| flag.is_settable()) {
            match LETTERS.iter().find(|(_, known)| known == flag) {
                Some((letter, _)) => letters.insert(*letter),
                None => letters.insert(self.keyword(flag.as_str())?),
            };
        }
        Ok(letters.into_iter().collect())
    }

    fn keyword(&mut self, word: &str) -> Result<char> {
        let place = match self.keywords.iter().position(|known| known.eq_ignore_ascii_case(word)) {
            Some(place) => place,
            None => {
                self.keywords.push(word.to_owned());
                self.keywords.len() - 1
            }
        };
        let letter = u8::try_from(place).ok().filter(|place| *place < 26).map(|place| char::from(b'a' + place));
        let letter = letter.ok_or_else(|| {
            MailError::new(Code::LimitExceeded, "A folder of a Maildir has room for 26 keywords")
                .hint("An mbox file has room for all")
        })?;
        let lines: String = self.keywords.iter().enumerate().map(|(place, word)| format!("{place} {word}\n")).collect();
        File::create(self.path.join(KEYWORDS))
            .and_then(|mut file| file.write_all(lines.as_bytes()))
            .map_err(|error| io(&error))?;
        Ok(letter)
    }
}

/// What stands before the flags. Windows has no colon in names; there programs use a semicolon.
pub(super) const SEPARATOR: char = if cfg!(windows) { ';' } else { ':' };
