//! The promises of every store, and what is SQLite's own: the file, damage, several processes, crashes.

mod crash;
mod damage;
mod file;
mod process;

use super::*;
use crate::imap::{InternalDate, MailboxName};
use crate::store::{
    Account, Flags, Headers, MailboxId, NewMessage, Now, Writer, arrive, body, change, derive, dictionary,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

pub(super) fn open(folder: &Path) -> Box<dyn Store> {
    Box::new(SqliteStore::open(&folder.join("a.mail"), SqliteOptions::default()).unwrap())
}

mod promises {
    crate::store::suite::store_suite!(crate::store::sqlite::tests::open);
}

const NOW: Now = Now::from_seconds(1_700_000_000);

/// A folder and where the store is in it; in memory where the system has such, since hundreds of stores are made here.
fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let path = folder.path().join("a.mail");
    (folder, path)
}

fn store_at(path: &Path) -> SqliteStore {
    SqliteStore::open(path, SqliteOptions::default()).unwrap()
}

fn write<T>(store: &dyn Store, change: impl FnOnce(&mut dyn Writer) -> Result<T>) -> Result<T> {
    let mut writer = store.write(Durability::Full)?;
    let done = change(&mut *writer)?;
    writer.commit()?;
    Ok(done)
}

fn mirror(writer: &mut dyn Writer, name: &str) -> Result<MailboxId> {
    writer.set_account(&Account { address: "ada@x".to_owned(), settings: "{}".to_owned(), identity: None })?;
    let name = MailboxName::new(name, false);
    let listed = arrive::Listed { name, delimiter: Some('/'), role: None, attributes: Vec::new(), object_id: None };
    let id = arrive::listed(writer, None, &listed, NOW)?;
    arrive::advance(writer, id, |remote| remote.uid_validity = 7, NOW)?;
    Ok(id)
}

fn content(number: u32) -> (Bytes, Bytes) {
    let text: String = (0..number % 7 * 40).map(|n| format!("line {} of {number}\r\n", n * number)).collect();
    let header = format!("From: p{number}@x\r\nSubject: note {number}\r\nMessage-ID: <{number}@x>\r\n\r\n");
    // A file that others have as well.
    let file = if number.is_multiple_of(5) { attachment() } else { String::new() };
    let content = Bytes::from(header.clone() + &text + &file);
    (content.slice(..header.len()), content)
}

/// 4,500 bytes that are no text.
fn attachment() -> String {
    let text = STANDARD.encode([0, 1, 2].repeat(1500));
    text.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line) + "\r\n").collect()
}

/// Headers and bodies of messages of the server.
fn arrive(writer: &mut dyn Writer, mailbox: MailboxId, uids: std::ops::Range<u32>) -> Result<()> {
    arrive::reserve(writer, mailbox, &uids.clone().collect(), NOW)?;
    for uid in uids {
        let (header, content) = content(uid);
        let row = arrive::Arrived {
            uid,
            flags: Flags::new(),
            size: content.len() as u64,
            internal_date: InternalDate { seconds: i64::from(uid), offset: 0 },
            headers: Headers { header: header.clone(), ..Headers::default() },
            email_id: None,
            save_date: None,
            same_as: None,
        };
        arrive::headers(writer, mailbox, &[row], NOW)?;
        let placed = writer.placement_by_remote(mailbox, uid)?.and_then(|row| row.message);
        let body = body::put(writer, &content, &header, NOW)?;
        arrive::body(writer, placed.unwrap(), body, NOW)?;
    }
    arrive::advance(writer, mailbox, |remote| remote.uid_next = 1, NOW)
}

fn append(writer: &mut dyn Writer, mailbox: MailboxId, number: u32) -> Result<u32> {
    let (header, content) = content(number);
    let (size, internal_date) = (content.len() as u64, InternalDate { seconds: 1, offset: 0 });
    let digest = Some(derive::digest(&header, size, internal_date));
    let headers = Headers { header: header.clone(), ..Headers::default() };
    let new = NewMessage { size, internal_date, digest, email_id: None, links: derive::links(&header), headers };
    let body = body::put(writer, &content, &header, NOW)?;
    change::append(writer, mailbox, (&new, body), Flags::new(), NOW)
}

/// What a store says of itself, for comparing.
fn state(store: &dyn Store) -> Vec<String> {
    let reader = store.read().unwrap();
    let mut lines = Vec::new();
    for mailbox in reader.mailboxes().unwrap() {
        lines.push(format!("{mailbox:?}"));
        let page = crate::store::Page { after: None, limit: usize::MAX, newest_first: false };
        for row in reader.list(mailbox.id, page).unwrap() {
            let text = row.message.body.map(|_| body::read(&*reader, row.message.id, u64::MAX).unwrap());
            lines.push(format!("{row:?} {text:?} {:?}", reader.headers(row.message.id).unwrap()));
        }
    }
    lines.extend(reader.pending().unwrap().iter().map(|entry| format!("{entry:?}")));
    lines.extend(reader.feed(0, usize::MAX).unwrap().iter().map(|row| format!("{row:?}")));
    lines
}
