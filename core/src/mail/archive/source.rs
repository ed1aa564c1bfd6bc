//! What an import reads: an mbox file, a folder of them, or a Maildir; one message after the other.

use super::of_file;
use crate::archive::{
    Archived, MaildirMessage, MaildirReader, MboxMessage, MboxOptions, MboxReader, mbox_files, mbox_levels,
};
use crate::error::{Code, MailError, Result};
use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A source. It blocks.
pub(super) struct Source {
    path: PathBuf,
    options: MboxOptions,
    /// Files or folders that are still to be read, with the levels of their mailboxes' names.
    left: VecDeque<(Vec<String>, PathBuf)>,
    open: Option<Open>,
    is_maildir: bool,
    found: u64,
}

struct Open {
    levels: Vec<String>,
    path: PathBuf,
    kind: Kind,
}

enum Kind {
    Mbox(Box<MboxReader<File>>),
    Maildir(VecDeque<MaildirMessage>),
}

/// A message of it, whose content can be read until the next one is asked for.
pub(super) struct Item {
    /// The levels of its mailbox's name.
    pub levels: Vec<String>,
    pub archived: Archived,
    place: Place,
}

enum Place {
    Mbox(MboxMessage),
    Maildir(MaildirMessage),
}

impl Source {
    pub fn open(path: &Path, options: MboxOptions) -> Result<Self> {
        let opened = Self::opened(path, options);
        opened.map_err(|error| of_file(path, error))
    }

    fn opened(path: &Path, options: MboxOptions) -> Result<Self> {
        let data = std::fs::metadata(path).map_err(|error| MailError::new(Code::FileIo, error.to_string()))?;
        let is_maildir = path.join("cur").is_dir();
        let left = match data.is_dir() {
            true if is_maildir => MaildirReader::new(path).folders()?,
            true => mbox_files(path)?,
            false => vec![(mbox_levels(path), path.to_owned())],
        };
        if left.is_empty() {
            return Err(no_mail(path));
        }
        Ok(Self { path: path.to_owned(), options, left: left.into(), open: None, is_maildir, found: 0 })
    }

    /// Whether it is one file or folder with one mailbox in it.
    pub fn is_single(&self) -> bool {
        !self.path.is_dir()
    }

    /// The next message; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Item>> {
        loop {
            let Some(open) = &mut self.open else {
                let Some((levels, path)) = self.left.pop_front() else { return Ok(None) };
                let kind = self.kind(&path).map_err(|error| of_file(&path, error))?;
                self.open = Some(Open { levels, path, kind });
                continue;
            };
            if let Some(item) = open.next().map_err(|error| of_file(&open.path, error))? {
                self.found += 1;
                return Ok(Some(item));
            }
            self.ended()?;
        }
    }

    fn kind(&self, path: &Path) -> Result<Kind> {
        if self.is_maildir {
            return Ok(Kind::Maildir(MaildirReader::new(&self.path).messages(path)?.into()));
        }
        let file = File::open(path).map_err(|error| MailError::new(Code::FileIo, error.to_string()))?;
        Ok(Kind::Mbox(Box::new(MboxReader::new(file, self.options))))
    }

    /// A file with something in it that is no message is no mail; an empty one is an empty mailbox.
    fn ended(&mut self) -> Result<()> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let is_none = std::mem::take(&mut self.found) == 0 && matches!(open.kind, Kind::Mbox(_));
        let has_bytes = || std::fs::metadata(&open.path).is_ok_and(|data| data.len() > 0);
        if is_none && has_bytes() { Err(no_mail(&open.path)) } else { Ok(()) }
    }

    /// Writes the content of the last message.
    pub fn copy(&mut self, item: &Item, out: &mut dyn Write) -> Result<u64> {
        let gone = || MailError::new(Code::Internal, "The file of this message was left");
        let Open { path, kind, .. } = self.open.as_mut().ok_or_else(gone)?;
        match (kind, &item.place) {
            (Kind::Mbox(reader), Place::Mbox(message)) => {
                let at = usize::try_from(message.position()).unwrap_or(usize::MAX);
                reader.copy(message, out).map_err(|error| of_file(path, error.at(at)))
            }
            (_, Place::Maildir(message)) => {
                let reader = MaildirReader::new(&self.path);
                reader.copy(message, out).map_err(|error| of_file(message.path(), error))
            }
            _ => Err(gone()),
        }
    }
}

impl Open {
    fn next(&mut self) -> Result<Option<Item>> {
        let levels = self.levels.clone();
        Ok(match &mut self.kind {
            Kind::Mbox(reader) => reader.next()?.map(|message| Item {
                levels,
                archived: message.archived.clone(),
                place: Place::Mbox(message),
            }),
            Kind::Maildir(left) => left.pop_front().map(|message| Item {
                levels,
                archived: message.archived.clone(),
                place: Place::Maildir(message),
            }),
        })
    }
}

fn no_mail(path: &Path) -> MailError {
    let text =
        format!("{} holds no mail: it is no mbox file, no folder of *.mbox files and no Maildir", path.display());
    MailError::new(Code::UsageArgument, text)
}
