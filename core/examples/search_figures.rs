//! Figures of search over a folder of messages, a file each: what the index takes, how long searches and lists take.
//!
//! `cargo run --example search_figures -- FOLDER [STORE]`; a STORE that is there already is searched as it is, its index
//! brought up to date before.
//!
//! Queries are made of the mail itself, the same ones for the same mail: each is asked once, so no phrase has been looked
//! for before. The machine should be idle.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::expect_used, clippy::indexing_slicing)]

#[path = "figures/mix.rs"]
mod mix;

use bytes::Bytes;
use mailtide::imap::InternalDate;
use mailtide::message::{Headers as MessageHeaders, parse_date};
use mailtide::query::Query;
use mailtide::store::search::{SearchOptions, SearchOrder, Searcher, index, tidy};
use mailtide::store::{
    Durability, Headers, MailboxId, MailboxState, NewMailbox, NewMessage, Now, Page, SqliteOptions, SqliteStore, Store,
    body, change, derive, dictionary,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const NOW: Now = Now::from_millis(1_706_702_400_000);

/// What a person types, and a few that are hard: many matches, none, pieces of words, phrases, everything.
const QUERIES: &[&str] = &[
    "invoice",
    "meeting",
    "report",
    "from:ada",
    "from:example.org",
    "subject:re",
    "ing",
    "e",
    "zzzz",
    "xylophone",
    "is:unread",
    "is:flagged",
    "is:unread invoice",
    "has:attachment",
    "larger:1M",
    "newer:30d",
    "newer:30d report",
    "\"thank you\"",
    "\"please find\"",
    "\"the the\"",
    "to:grace -from:ada",
    "meeting OR report",
    "-the",
    "list:*",
    "header:Message-ID=1",
    "linux kernel",
    "\"free software\"",
    "spam",
    "2002",
    "http",
    "日本",
    "münchen",
    "price",
];

fn main() {
    let folder = std::env::args().nth(1).expect("a folder of messages");
    let path = std::env::args().nth(2).map_or_else(|| std::env::temp_dir().join("search-figures.mail"), PathBuf::from);
    let is_new = !path.exists();
    let begin = Instant::now();
    let store = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
    println!("opened in {:?}", begin.elapsed());
    if is_new {
        fill(&store, Path::new(&folder));
    }
    build(&store);
    let mix = mix::mix(&store);
    for order in [SearchOrder::Newest, SearchOrder::Relevance] {
        mixed(&store, &mix, order);
    }
    searches(&store, Some(50));
    searches(&store, None);
    lists(&store);
}

/// Each query once, at most 50 hits wanted.
fn mixed(store: &SqliteStore, mix: &[(&'static str, String)], order: SearchOrder) {
    let searcher = Searcher::new();
    let now = "2024-06-01T12:00:00+00:00[UTC]".parse().unwrap();
    let options = SearchOptions { mailbox: None, limit: Some(50), order };
    let mut times: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    let mut worst = (Duration::ZERO, "");
    for (kind, text) in mix {
        let query = Query::parse(text).unwrap();
        let begin = Instant::now();
        searcher.search(&*store.read().unwrap(), &query, &now, &options).unwrap();
        let time = begin.elapsed();
        worst = worst.max((time, text));
        times.entry(kind).or_default().push(time);
    }
    for (kind, times) in &times {
        report(&format!("  {kind}"), times.clone());
    }
    report(&format!("all, {order:?}"), times.into_values().flatten().collect());
    println!("worst: {:?} for {}", worst.0, worst.1);
}

fn fill(store: &SqliteStore, folder: &Path) {
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.sort();
    let (begin, mut bytes) = (Instant::now(), 0);
    let mut inbox = None;
    for group in files.chunks(500) {
        let mut writer = store.write(Durability::Bulk).unwrap();
        let mailbox = *inbox.get_or_insert_with(|| writer.insert_mailbox(&new_mailbox()).unwrap());
        for file in group {
            let raw = std::fs::read(file).unwrap();
            bytes += raw.len();
            let header = raw.windows(2).position(|pair| pair == b"\n\n").map(|at| at + 2);
            let header = header.or_else(|| raw.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4));
            let header = Bytes::copy_from_slice(raw.get(..header.unwrap_or(raw.len())).unwrap());
            let date = MessageHeaders::parse(header.clone()).get_raw("Date").and_then(parse_date);
            let new = NewMessage {
                size: raw.len() as u64,
                internal_date: date.unwrap_or(InternalDate { seconds: 0, offset: 0 }),
                digest: None,
                email_id: None,
                links: derive::links(&header),
                headers: Headers { header: header.clone(), ..Headers::default() },
            };
            let body = body::put(&mut *writer, &raw, &header, NOW).unwrap();
            let flags = if raw.len() % 7 == 0 { mailtide::imap::Flag::SEEN } else { mailtide::imap::Flag::FLAGGED };
            let flags = [flags].iter().filter(|_| raw.len() % 21 != 1).collect();
            change::append(&mut *writer, mailbox, (&new, body), flags, NOW).unwrap();
        }
        writer.commit().unwrap();
        dictionary::keep_up(store).unwrap();
    }
    println!(
        "{} messages of {bytes} bytes put down in {:?}; {:?}",
        files.len(),
        begin.elapsed(),
        store.usage().unwrap()
    );
}

fn new_mailbox() -> NewMailbox {
    NewMailbox {
        name: "INBOX".into(),
        delimiter: Some('/'),
        role: None,
        attributes: Vec::new(),
        uid_validity: 1,
        state: MailboxState::Ready,
        remote: None,
    }
}

fn build(store: &SqliteStore) {
    let begin = Instant::now();
    loop {
        let mut writer = store.write(Durability::Bulk).unwrap();
        let done = index(&mut *writer, 2000).unwrap();
        writer.commit().unwrap();
        if !done.is_more {
            break;
        }
    }
    let size = || store.read().unwrap().segments().unwrap().iter().map(|row| row.bytes).collect::<Vec<_>>();
    println!("indexed in {:?}: {:?} bytes", begin.elapsed(), size());
    let begin = Instant::now();
    let mut writer = store.write(Durability::Bulk).unwrap();
    tidy(&mut *writer).unwrap();
    writer.commit().unwrap();
    println!("tidied in {:?}: {:?} bytes; {:?}", begin.elapsed(), size(), store.usage().unwrap());
}

fn searches(store: &SqliteStore, limit: Option<usize>) {
    let searcher = Searcher::new();
    let now = "2024-06-01T12:00:00+00:00[UTC]".parse().unwrap();
    let mut times = Vec::new();
    for round in 0..3 {
        for text in QUERIES {
            for mailbox in [None, Some(MailboxId(1))] {
                let query = Query::parse(text).unwrap();
                let options = SearchOptions { mailbox, limit, order: SearchOrder::Newest };
                let begin = Instant::now();
                let found = searcher.search(&*store.read().unwrap(), &query, &now, &options).unwrap();
                let time = begin.elapsed();
                if round == 0 {
                    println!("  {time:>10.1?} {text:?} {} ({} undecided)", found.hits.len(), found.undecided.len());
                } else {
                    times.push(time);
                }
            }
        }
    }
    report(&format!("searches, at most {limit:?}"), times);
}

fn lists(store: &SqliteStore) {
    let mut times = Vec::new();
    for _ in 0..200 {
        let begin = Instant::now();
        let page = Page { after: None, limit: 50, newest_first: true };
        store.read().unwrap().list(MailboxId(1), page).unwrap();
        times.push(begin.elapsed());
    }
    report("lists of 50", times);
}

fn report(name: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: usize| times.get(times.len() * share / 100).unwrap();
    println!("{name}: median {:?}, p95 {:?}, p99 {:?}, worst {:?}", at(50), at(95), at(99), times.last().unwrap());
}

fn collect(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, out) } else { out.push(path) }
    }
}
