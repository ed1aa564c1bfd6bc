//! What a store takes for a folder of mail: `store_size FOLDER STORE`. One message a file.

use bytes::Bytes;
use mailtide::imap::InternalDate;
use mailtide::store::{
    Durability, Flags, Headers, NewMessage, Now, SqliteOptions, SqliteStore, Store, body, change, derive, dictionary,
};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const NOW: Now = Now::from_seconds(1_700_000_000);

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(folder), Some(path)) = (arguments.next(), arguments.next()) else {
        return Err("store_size FOLDER STORE".into());
    };
    let began = Instant::now();
    let store = SqliteStore::open(&path, SqliteOptions::default())?;
    let bytes = fill(&store, &files(&folder)?)?;
    let filled = began.elapsed();
    while store.shrink(1 << 30)? > 0 {}
    let usage = store.usage()?;
    let ratio = usage.file as f64 / bytes as f64;
    writeln!(
        std::io::stdout(),
        "{bytes} bytes as files, {} in the store: {ratio:.3}; {filled:.1?}; {usage:?}",
        usage.file
    )?;
    Ok(())
}

fn fill(store: &SqliteStore, files: &[PathBuf]) -> Result<u64> {
    let mut writer = store.write(Durability::Bulk)?;
    let inbox = change::create(&mut *writer, "INBOX", (None, None), NOW)?;
    writer.commit()?;
    let mut bytes = 0;
    for batch in files.chunks(256) {
        let mut writer = store.write(Durability::Bulk)?;
        for file in batch {
            let content = Bytes::from(std::fs::read(file)?);
            bytes += content.len() as u64;
            let new = message(&content);
            let body = body::put(&mut *writer, &content, &new.headers.header, NOW)?;
            change::append(&mut *writer, inbox, (&new, body), Flags::new(), NOW)?;
        }
        writer.commit()?;
        dictionary::keep_up(store)?;
    }
    Ok(bytes)
}

fn message(content: &Bytes) -> NewMessage {
    let ends = [&b"\r\n\r\n"[..], b"\n\n"].map(|end| memchr::memmem::find(content, end).map(|at| at + end.len()));
    let header = content.slice(..ends.into_iter().flatten().min().unwrap_or(content.len()));
    let (size, internal_date) = (content.len() as u64, InternalDate { seconds: 1_000_000_000, offset: 0 });
    NewMessage {
        size,
        internal_date,
        digest: Some(derive::digest(&header, size, internal_date)),
        email_id: None,
        links: derive::links(&header),
        headers: Headers { header, ..Headers::default() },
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { out.extend(files(&path)?) } else { out.push(path) }
    }
    out.sort();
    Ok(out)
}
