//! A folder of mbox files, one a mailbox: `Archive.2024.mbox`.

use super::names::{Taken, decode_folder, encode_folder};
use super::{MboxWriter, io};
use crate::error::Result;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// What the files' names end in.
const ENDING: &str = ".mbox";

/// Writes a folder of mbox files, at a path where nothing is yet.
pub struct MboxFolder {
    root: PathBuf,
    taken: Taken,
}

impl MboxFolder {
    /// Makes the folder. `file.io` where something is there already.
    pub fn create(root: &Path) -> Result<Self> {
        fs::create_dir(root).map_err(|error| io(&error))?;
        Ok(Self { root: root.to_owned(), taken: Taken::default() })
    }

    /// Makes the file of a mailbox, given the levels of its name, which are written as those of a Maildir's folders.
    pub fn file(&mut self, levels: &[&str]) -> Result<MboxWriter<BufWriter<File>>> {
        let name = self.taken.free(&encode_folder(levels))?;
        let path = self.root.join(format!("{}{ENDING}", name.trim_start_matches('.')));
        let file = File::create_new(path).map_err(|error| io(&error))?;
        Ok(MboxWriter::new(BufWriter::new(file)))
    }
}

/// The mbox files of a folder with the levels of their mailboxes' names, by name. Errors are `file.io`.
pub fn mbox_files(root: &Path) -> Result<Vec<(Vec<String>, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).map_err(|error| io(&error))? {
        let entry = entry.map_err(|error| io(&error))?;
        let is_file = entry.file_type().map_err(|error| io(&error))?.is_file();
        if is_file && entry.file_name().to_string_lossy().ends_with(ENDING) {
            found.push((mbox_levels(&entry.path()), entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

/// The levels of a mailbox's name, from the name of its mbox file; one that was not written here is one level.
#[must_use]
pub fn mbox_levels(path: &Path) -> Vec<String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(ENDING).unwrap_or(&name);
    decode_folder(&format!(".{stem}")).unwrap_or_else(|| vec![stem.to_owned()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_after_mailboxes_and_back() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("out");
        let mut files = MboxFolder::create(&root).unwrap();
        for levels in [&["INBOX"][..], &["Archive", "v1.0"], &["archive", "v1.0"]] {
            files.file(levels).unwrap().finish().unwrap();
        }
        let found: Vec<_> = mbox_files(&root).unwrap().into_iter().map(|(levels, _)| levels.join("/")).collect();
        assert_eq!(found, ["Archive/v1.0", "INBOX", "archive/v1.0"]);
        assert!(root.join("Archive.v1%2E0.mbox").exists() && MboxFolder::create(&root).is_err());
        assert_eq!(mbox_levels(Path::new("/a/Old Mail")), ["Old Mail"]);
        assert_eq!(mbox_levels(Path::new("a..b.mbox")), ["a..b"]);
    }
}
