//! Saving an attachment: a safe name, inside the folder, never over another file.

use super::message::Message;
use super::options::{OnProgress, Progress};
use crate::error::{Code, MailError, Result};
use crate::message::{filename_candidates, safe_filename};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;

/// Saves a part; a file that could not be written whole is taken away again.
pub(super) async fn save(
    message: &Message,
    path: &str,
    directory: &Path,
    on_progress: Option<OnProgress>,
) -> Result<PathBuf> {
    let attachment = message.attachments().into_iter().find(|a| a.path() == path);
    let name = match &attachment {
        Some(attachment) => attachment.safe_filename(),
        None => safe_filename(None, "application/octet-stream"),
    };
    let total = attachment.and_then(|a| a.size());
    let mut stream = message.stream(Some(path))?;
    let first = stream.next().await?;
    let (mut file, saved) = create(directory, &name).await?;
    let mut guard = Unfinished(Some(saved.clone()));
    let mut report = Report { on_progress, total, done: 0, at: Instant::now() };
    let mut piece = first;
    while let Some(bytes) = piece {
        file.write_all(&bytes).await.map_err(|e| io(&saved, &e))?;
        report.add(bytes.len() as u64);
        piece = stream.next().await?;
    }
    file.flush().await.map_err(|e| io(&saved, &e))?;
    guard.0 = None;
    report.send();
    Ok(saved)
}

/// Creates a file that was not there: `create_new` follows no link and overwrites nothing.
async fn create(directory: &Path, name: &str) -> Result<(File, PathBuf)> {
    tokio::fs::create_dir_all(directory).await.map_err(|e| io(directory, &e))?;
    for candidate in filename_candidates(name).take(10_000) {
        let path = directory.join(candidate);
        match OpenOptions::new().write(true).create_new(true).open(&path).await {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(io(&path, &error)),
        }
    }
    Err(MailError::new(Code::FileIo, format!("{} holds too many files called {name}", directory.display())))
}

fn io(path: &Path, error: &std::io::Error) -> MailError {
    MailError::new(Code::FileIo, format!("{} could not be written: {error}", path.display()))
}

/// Takes a file away again when it was not finished: the call failed or was given up.
struct Unfinished(Option<PathBuf>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}

struct Report {
    on_progress: Option<OnProgress>,
    total: Option<u64>,
    done: u64,
    at: Instant,
}

impl Report {
    fn add(&mut self, bytes: u64) {
        self.done += bytes;
        if self.at.elapsed() >= Duration::from_millis(100) {
            self.at = Instant::now();
            self.send();
        }
    }

    fn send(&self) {
        if let Some(on_progress) = &self.on_progress {
            on_progress.0(Progress { phase: "save", done: self.done, total: self.total, bytes: self.done });
        }
    }
}
