//! Puts a repaired file in the place of the damaged one, so that it may end anywhere in between.
//!
//! A damaged file may have a log, which would be taken for the new file's, and without which the old one is an earlier
//! one. So the new file first gets a name that says that it is the store ([`ready`]): whoever opens the store next does
//! the rest.

use super::file::{file_error, sync_folder};
use super::upkeep::beside;
use crate::error::{Code, MailError, Result};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What belongs to a database.
const ENDINGS: [&str; 3] = ["-wal", "-shm", ""];

fn ready(path: &Path) -> PathBuf {
    beside(path, ".repaired")
}

/// Puts `fresh`, which is closed and on the disk, in the place of the store; where the old one is now.
pub(super) fn replace(path: &Path, fresh: &Path) -> Result<Option<PathBuf>> {
    fs::rename(fresh, ready(path)).map_err(|error| file_error(&error))?;
    sync_folder(path)?;
    finish(path)
}

/// Does what is left of such an exchange, in most cases nothing; where the old file is now.
pub(super) fn finish(path: &Path) -> Result<Option<PathBuf>> {
    let ready = ready(path);
    let file = match File::open(&ready) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.map_err(|error| file_error(&error))?,
    };
    // Another process may be at it.
    file.lock().map_err(|error| file_error(&error))?;
    if !ready.exists() {
        return Ok(None);
    }
    let damaged = free_name(path)?;
    for ending in ENDINGS {
        let old = beside(path, ending);
        if old.exists() {
            fs::rename(&old, beside(&damaged, ending)).map_err(|error| file_error(&error))?;
        }
    }
    sync_folder(path)?;
    fs::rename(&ready, path).map_err(|error| file_error(&error))?;
    sync_folder(path)?;
    Ok(Some(damaged))
}

/// None is written over another. The database itself comes last, so that its name is free until all is there.
fn free_name(path: &Path) -> Result<PathBuf> {
    let name = |number: u32| if number == 1 { ".damaged".to_owned() } else { format!(".damaged.{number}") };
    let names = (1..).map(|number| beside(path, &name(number)));
    names.into_iter().find(|name| !name.exists()).ok_or_else(|| MailError::from(Code::Internal))
}

/// Takes a file away that an interrupted repair has left.
pub(super) fn remove(path: &Path) -> Result<()> {
    for ending in ENDINGS {
        match fs::remove_file(beside(path, ending)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(file_error(&error)),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wherever_it_ends_the_next_one_does_the_rest() {
        // The names that are there when it ends after so many of its renames.
        for done in 0..=4 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.mail");
            let at = |ending: &str| beside(&path, ending);
            fs::write(&path, "old").unwrap();
            fs::write(at("-wal"), "old log").unwrap();
            fs::write(at("-shm"), "").unwrap();
            fs::write(at(".repaired"), "new").unwrap();
            let renames = [("-wal", ".damaged-wal"), ("-shm", ".damaged-shm"), ("", ".damaged"), (".repaired", "")];
            for (from, to) in &renames[..done] {
                fs::rename(at(from), at(to)).unwrap();
            }
            assert_eq!(finish(&path).unwrap().is_some(), done < 4);
            assert_eq!(fs::read(&path).unwrap(), b"new", "after {done}");
            assert_eq!(fs::read(at(".damaged")).unwrap(), b"old", "after {done}");
            assert_eq!(fs::read(at(".damaged-wal")).unwrap(), b"old log", "after {done}");
            assert!(!at("-wal").exists() && !at(".repaired").exists(), "after {done}");
            assert_eq!(finish(&path).unwrap(), None);
        }
    }
}
