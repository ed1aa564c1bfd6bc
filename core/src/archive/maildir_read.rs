//! Reading Maildir, whoever wrote it.

use super::lines::{Ends, Lines, Quoting, each_piece};
use super::maildir::{KEYWORDS, LETTERS};
use super::names::decode_folder;
use super::{Archived, io};
use crate::error::Result;
use crate::imap::{Flag, InternalDate};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A Maildir and its folders.
pub struct MaildirReader {
    root: PathBuf,
}

/// A message in a Maildir.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaildirMessage {
    /// Flags, and the file's time as INTERNALDATE.
    pub archived: Archived,
    path: PathBuf,
    ends: Ends,
}

impl MaildirMessage {
    /// Its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl MaildirReader {
    /// Reads that Maildir.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The folders, by the levels of their names, `INBOX` first. Only folders of the Maildir itself, links to others
    /// excepted. Names of other programs that cannot be decoded are given as they are. Errors are `file.io`.
    pub fn folders(&self) -> Result<Vec<(Vec<String>, PathBuf)>> {
        let mut folders = Vec::new();
        for entry in fs::read_dir(&self.root).map_err(|error| io(&error))? {
            let entry = entry.map_err(|error| io(&error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_folder = entry.file_type().map_err(|error| io(&error))?.is_dir() && name.starts_with('.');
            if is_folder && entry.path().join("cur").is_dir() {
                let levels = decode_folder(&name).unwrap_or_else(|| vec![name.trim_start_matches('.').to_owned()]);
                folders.push((levels, entry.path()));
            }
        }
        folders.sort();
        if self.root.join("cur").is_dir() {
            folders.insert(0, (vec!["INBOX".to_owned()], self.root.clone()));
        }
        Ok(folders)
    }

    /// The messages of a folder, by file name: those in `cur`, and those in `new`, which nobody has seen.
    pub fn messages(&self, folder: &Path) -> Result<Vec<MaildirMessage>> {
        let keywords = keywords(folder);
        let mut out = Vec::new();
        for part in ["cur", "new"] {
            let Ok(entries) = fs::read_dir(folder.join(part)) else { continue };
            for entry in entries {
                let entry = entry.map_err(|error| io(&error))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if !name.starts_with('.') && entry.file_type().map_err(|error| io(&error))?.is_file() {
                    out.push((name.clone(), message(entry.path(), &name, &keywords)?));
                }
            }
        }
        out.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(out.into_iter().map(|(_, message)| message).collect())
    }

    /// Writes the content of a message to `out`; its size. Line ends become CRLF, where it was not written here as it
    /// was. Errors are `file.io`.
    pub fn copy(&self, message: &MaildirMessage, out: &mut dyn Write) -> Result<u64> {
        let mut copy = || {
            let mut lines = Lines::new(out, Quoting::None, message.ends, u64::MAX);
            each_piece(&mut File::open(&message.path)?, |piece| lines.push(piece))?;
            lines.finish()
        };
        copy().map_err(|error| io(&error))
    }
}

fn message(path: PathBuf, name: &str, keywords: &[Flag]) -> Result<MaildirMessage> {
    let (base, info) = name.split_once([':', ';']).unwrap_or((name, ""));
    let letters = info.strip_prefix("2,").unwrap_or_default();
    let mut flags: Vec<Flag> = letters.chars().filter_map(|letter| flag(letter, keywords)).collect();
    flags.sort();
    flags.dedup();
    let data = fs::metadata(&path).map_err(|error| io(&error))?;
    let received = data.modified().ok().and_then(seconds).map(|seconds| InternalDate { seconds, offset: 0 });
    let number = |key: &str| base.split(',').find_map(|piece| piece.strip_prefix(key)?.parse::<u64>().ok());
    // The mark of our own files only: others give both sizes alike for a file that has CRLF already.
    let is_as_was = base.contains(".mailtide,") && number("S=") == Some(data.len()) && number("S=") == number("W=");
    let ends = if is_as_was { Ends::Keep } else { Ends::ToCrlf };
    Ok(MaildirMessage { archived: Archived { flags, received }, path, ends })
}

fn flag(letter: char, keywords: &[Flag]) -> Option<Flag> {
    let named = LETTERS.iter().find(|(known, _)| *known == letter).map(|(_, flag)| flag.clone());
    named.or_else(|| {
        let place = u32::from(letter).checked_sub(u32::from('a'))?;
        keywords.get(usize::try_from(place).ok()?).cloned()
    })
}

/// By place; a place without a keyword is one that cannot be a flag.
fn keywords(folder: &Path) -> Vec<Flag> {
    let mut out = Vec::new();
    for line in fs::read_to_string(folder.join(KEYWORDS)).unwrap_or_default().lines() {
        let Some((place, word)) = line.split_once(' ') else { continue };
        let Some(place) = place.parse::<usize>().ok().filter(|place| *place < 26) else { continue };
        if out.len() <= place {
            out.resize(place + 1, Flag::RECENT);
        }
        if let Some(slot) = out.get_mut(place) {
            *slot = Flag::from_server(word.trim().as_bytes());
        }
    }
    out
}

fn seconds(time: SystemTime) -> Option<i64> {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).ok(),
        Err(before) => i64::try_from(before.duration().as_secs()).ok().map(|seconds| -seconds),
    }
}

#[cfg(test)]
mod tests;
