//! Mail out to files of other programs and in from them: `export`, `import`.

mod export;
mod import;
mod output;
mod source;

use super::Mail;
use crate::archive::MboxQuoting;
use crate::error::{Code, MailError, Result};
use crate::query::Query;
use crate::session::{OnProgress, Progress, Target};
use std::path::Path;
use std::time::{Duration, Instant};

/// How messages are written to files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ArchiveFormat {
    /// One file a mailbox, in the `mboxrd` dialect (RFC 4155).
    #[default]
    Mbox,
    /// One file a message, with folders as Maildir++ has them.
    Maildir,
}

/// What to export, and as what.
#[derive(Clone, Debug, Default)]
pub struct ExportOptions {
    /// The format.
    pub format: ArchiveFormat,
    /// One mailbox; all unless given.
    pub mailbox: Option<Target>,
    /// Only messages that it finds.
    pub query: Option<Query>,
    /// Time zone for the query; see [`FetchOptions::time_zone`](crate::FetchOptions::time_zone).
    pub time_zone: Option<String>,
    /// Called with progress.
    pub on_progress: Option<OnProgress>,
}

/// How to import.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The mailbox that messages go to; folders go below it. Without it, mailboxes are named as the files are.
    pub to: Option<Target>,
    /// How another program has quoted `From ` lines in mbox.
    pub quoting: MboxQuoting,
    /// Called with progress.
    pub on_progress: Option<OnProgress>,
}

/// What an export has written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Mailboxes.
    pub mailboxes: u64,
    /// Messages.
    pub messages: u64,
    /// Their sizes in sum, in bytes.
    pub bytes: u64,
}

/// What an import has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Messages that were added.
    pub messages: u64,
    /// Messages that were in their mailbox already.
    pub known: u64,
    /// Sizes in sum of those that were added, in bytes.
    pub bytes: u64,
}

impl ArchiveFormat {
    /// `mbox` or `maildir`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "mbox" => Some(Self::Mbox),
            "maildir" => Some(Self::Maildir),
            _ => None,
        }
    }
}

impl Mail {
    /// Writes messages to files of another program, as it reads them: content, flags, keywords and INTERNALDATE.
    ///
    /// All mailboxes become a folder of mbox files, or a Maildir with folders; a single one becomes an mbox file, or a
    /// Maildir without. `path` is where nothing is yet, and what is there at the end is whole: a failure, or giving the
    /// call up, leaves nothing. Contents are streamed; one that is not held is fetched.
    ///
    /// # Errors
    ///
    /// [`Code::FileIo`] where it cannot be written, or something is there already; [`Code::BodyNotHere`] for a message
    /// that is neither held nor to be had; [`Code::LimitExceeded`] beyond the 26 keywords of a folder of a Maildir.
    pub async fn export(&self, path: impl AsRef<Path>, options: ExportOptions) -> Result<Exported> {
        export::export(self, path.as_ref(), options).await
    }

    /// Adds the messages of an mbox file, of a folder of mbox files (`*.mbox`) or of a Maildir with its folders.
    ///
    /// Content, flags, keywords and dates come with them; mailboxes that are missing are made. A message that is in its
    /// mailbox already, as often as it is in the file, is left alone: done again after a failure, it goes on, and
    /// nothing is there twice. Contents are streamed, up to 2 GiB each; some 4 MiB of messages are held at a time.
    ///
    /// # Errors
    ///
    /// [`Code::FileIo`] where it cannot be read, with the file and in mbox the position in bytes;
    /// [`Code::UsageArgument`] where it is no mail; [`Code::LimitExceeded`] for a message of more than 2 GiB. What was
    /// added before stays.
    pub async fn import(&self, path: impl AsRef<Path>, options: ImportOptions) -> Result<Imported> {
        import::import(self, path.as_ref(), options).await
    }
}

/// Tells how far it is, ten times a second and at the end.
struct Teller {
    on_progress: Option<OnProgress>,
    phase: &'static str,
    total: Option<u64>,
    at: Instant,
}

impl Teller {
    fn new(on_progress: Option<OnProgress>, phase: &'static str, total: Option<u64>) -> Self {
        Self { on_progress, phase, total, at: Instant::now() }
    }

    fn now(&mut self, done: u64, bytes: u64) {
        if self.at.elapsed() >= Duration::from_millis(100) {
            self.at = Instant::now();
            self.tell(done, bytes);
        }
    }

    fn tell(&self, done: u64, bytes: u64) {
        if let Some(on_progress) = &self.on_progress {
            on_progress.0(Progress { phase: self.phase, done, total: self.total, bytes });
        }
    }
}

/// Work that blocks.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let interrupted = |_| MailError::new(Code::Internal, "Reading or writing files was interrupted");
    tokio::task::spawn_blocking(work).await.map_err(interrupted)?
}

/// The same error, with the file that it is about.
fn of_file(path: &Path, error: MailError) -> MailError {
    if error.code() != Code::FileIo {
        return error;
    }
    let text = format!("The file {} cannot be used: {}", path.display(), error.message());
    let context = error.context().clone();
    MailError::new(Code::FileIo, text).with(|c| *c = context)
}
