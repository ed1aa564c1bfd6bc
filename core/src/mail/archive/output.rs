//! Where an export goes: a file or folder beside the place where it belongs, which is put there when it is whole.

use super::{ArchiveFormat, of_file};
use crate::archive::{Archived, MaildirFolder, MaildirWriter, MboxFolder, MboxWriter};
use crate::error::{Code, MailError, Result};
use std::fs::File;
use std::io::{BufWriter, Read, Seek};
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempDir};

/// An export that is being written. It blocks. Dropped, it leaves nothing.
pub(super) struct Output {
    path: PathBuf,
    kind: Kind,
}

enum Kind {
    File(MboxWriter<BufWriter<NamedTempFile>>),
    Files { folder: TempDir, files: MboxFolder, open: Option<MboxWriter<BufWriter<File>>> },
    Maildir { folder: TempDir, maildir: Box<MaildirWriter>, open: Option<MaildirFolder> },
}

/// What the folder is called inside the temporary one.
const INNER: &str = "mail";

impl Output {
    /// Begins one of a single mailbox, or of several.
    pub fn create(path: &Path, format: ArchiveFormat, is_single: bool) -> Result<Self> {
        let made = Self::made(path, format, is_single);
        made.map_err(|error| of_file(path, error))
    }

    fn made(path: &Path, format: ArchiveFormat, is_single: bool) -> Result<Self> {
        if path.symlink_metadata().is_ok() {
            return Err(MailError::new(Code::FileIo, "something is there already"));
        }
        let beside = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let kind = match format {
            ArchiveFormat::Mbox if is_single => {
                let file = NamedTempFile::new_in(beside).map_err(|error| io(&error))?;
                Kind::File(MboxWriter::new(BufWriter::new(file)))
            }
            ArchiveFormat::Mbox => {
                let folder = TempDir::new_in(beside).map_err(|error| io(&error))?;
                let files = MboxFolder::create(&folder.path().join(INNER))?;
                Kind::Files { folder, files, open: None }
            }
            ArchiveFormat::Maildir => {
                let folder = TempDir::new_in(beside).map_err(|error| io(&error))?;
                let maildir = Box::new(MaildirWriter::create(&folder.path().join(INNER))?);
                Kind::Maildir { folder, maildir, open: None }
            }
        };
        Ok(Self { path: path.to_owned(), kind })
    }

    /// What comes next is of the mailbox with that name.
    pub fn begin(&mut self, levels: &[String]) -> Result<()> {
        let levels: Vec<&str> = levels.iter().map(String::as_str).collect();
        let begun = match &mut self.kind {
            Kind::File(_) => Ok(()),
            Kind::Files { files, open, .. } => {
                let ended = open.take().map_or(Ok(()), |file| file.finish().map(drop));
                ended.and_then(|()| files.file(&levels)).map(|file| *open = Some(file))
            }
            Kind::Maildir { maildir, open, .. } => maildir.folder(&levels).map(|folder| *open = Some(folder)),
        };
        begun.map_err(|error| of_file(&self.path, error))
    }

    pub fn add(&mut self, archived: &Archived, content: &mut (impl Read + Seek)) -> Result<()> {
        let none = || MailError::new(Code::Internal, "No mailbox was begun");
        let added = match &mut self.kind {
            Kind::File(file) => file.add(archived, content),
            Kind::Files { open, .. } => open.as_mut().ok_or_else(none)?.add(archived, content),
            Kind::Maildir { open, .. } => open.as_mut().ok_or_else(none)?.add(archived, content),
        };
        added.map_err(|error| of_file(&self.path, error))
    }

    /// Puts it where it belongs.
    pub fn finish(self) -> Result<()> {
        let path = self.path;
        let finished = match self.kind {
            Kind::File(file) => finish_file(file, &path),
            Kind::Files { folder, open, .. } => {
                open.map_or(Ok(()), |file| file.finish().map(drop)).and_then(|()| finish_folder(&folder, &path))
            }
            Kind::Maildir { folder, .. } => finish_folder(&folder, &path),
        };
        finished.map_err(|error| of_file(&path, error))
    }
}

fn finish_file(file: MboxWriter<BufWriter<NamedTempFile>>, path: &Path) -> Result<()> {
    let file = file.finish()?.into_inner().map_err(|error| io(error.error()))?;
    file.as_file().sync_all().map_err(|error| io(&error))?;
    file.persist_noclobber(path).map_err(|error| io(&error.error)).map(drop)
}

/// Renaming does not go over a folder with something in it, and over an empty one it does no harm.
fn finish_folder(folder: &TempDir, path: &Path) -> Result<()> {
    let inner = folder.path().join(INNER);
    readable_by_its_owner(&inner)?;
    std::fs::rename(&inner, path).map_err(|error| io(&error))
}

#[cfg(unix)]
fn readable_by_its_owner(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).map_err(|error| io(&error))
}

#[cfg(not(unix))]
fn readable_by_its_owner(_: &Path) -> Result<()> {
    Ok(())
}

fn io(error: &std::io::Error) -> MailError {
    MailError::new(Code::FileIo, error.to_string())
}
