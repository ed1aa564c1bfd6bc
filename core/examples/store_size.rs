//! What a store takes for a folder of mail, in bytes and in time: `store_size FOLDER STORE`. One message a file.

use bytes::Bytes;
use mailtide::imap::{Flag, InternalDate};
use mailtide::store::{
    Durability, Flags, Headers, NewMessage, Now, Page, SqliteOptions, SqliteStore, Store, body, change, derive,
    dictionary,
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
    let mut out = std::io::stdout();
    writeln!(out, "{bytes} bytes as files, {} in the store: {ratio:.3}; {filled:.1?}; {usage:?}", usage.file)?;
    drop(store);
    times(&path, &mut out)
}

/// What one waits for: opening, a list, counts, one change that is on the disk when it returns.
fn times(path: &Path, out: &mut impl Write) -> Result<()> {
    let began = Instant::now();
    let store = SqliteStore::open(path, SqliteOptions::default())?;
    writeln!(out, "open: {:.2?}", began.elapsed())?;
    let inbox = store.read()?.mailbox_named("INBOX")?.ok_or("no INBOX")?.id;
    let page = Page { after: None, limit: 50, newest_first: true };
    for name in ["first", "second"] {
        let (began, reader) = (Instant::now(), store.read()?);
        let rows = reader.list(inbox, page)?;
        let listed = began.elapsed();
        let headers = rows.iter().map(|row| reader.headers(row.message.id)).collect::<mailtide::Result<Vec<_>>>()?;
        writeln!(out, "{name} list of {}: {listed:.2?}, with headers {:.2?}", headers.len(), began.elapsed())?;
    }
    let began = Instant::now();
    let counts = store.read()?.counts(inbox)?;
    writeln!(out, "counts of {}: {:.2?}", counts.messages, began.elapsed())?;
    let began = Instant::now();
    let delta = change::FlagDelta { add: [Flag::SEEN].into_iter().collect(), remove: Flags::new() };
    let mut writer = store.write(Durability::Full)?;
    change::flag(&mut *writer, inbox, &"1:100".parse()?, &delta, NOW)?;
    writer.commit()?;
    writeln!(out, "100 flags: {:.2?}", began.elapsed())?;
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
