//! Search over the store against Dovecot's, on generated mail: structural terms agree exactly, words as far as the two
//! mean the same, and THREAD REFERENCES gives the same trees.
//!
//! `cargo test -p mailtide --test search_dovecot -- --ignored`; `make test` runs it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice, missing_docs)]

use bytes::Bytes;
use jiff::Zoned;
use mailtide::imap::{Flag, InternalDate};
use mailtide::message::{
    Headers as MessageHeaders, ParsedMessage, Threading, base_subject, message_ids, references, thread_text,
};
use mailtide::query::Query;
use mailtide::store::search::{SearchOptions, SearchOrder, Searcher, index};
use mailtide::store::{
    Durability, Headers, MailboxState, NewMailbox, NewMessage, Now, SqliteOptions, SqliteStore, Store, body, change,
    derive,
};
use mailtide::{Account, AppendOptions, AppendSource, Engine, EngineOptions, Mailbox, Roots, Selection};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const COUNT: usize = 300;

struct Dovecot {
    child: Child,
    env: serde_json::Value,
}

impl Dovecot {
    fn start() -> Self {
        let mut child = Command::new("python3")
            .arg(root().join("tests/servers/dovecot.py"))
            .arg("run")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { env: serde_json::from_str(&line).expect("the server's environment"), child }
    }

    fn text(&self, key: &str) -> &str {
        self.env[key].as_str().unwrap()
    }

    fn account(&self) -> Account {
        let port = self.env["imaps_port"].as_u64().unwrap();
        let (user, password) = (self.text("user"), self.text("password"));
        let mut account =
            Account::from_url(&format!("imaps://{user}:{password}@{}:{port}", self.text("host"))).unwrap();
        account.net.roots = Roots::File(PathBuf::from(self.text("ca")));
        account
    }
}

/// It ends when its standard input does.
impl Drop for Dovecot {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

struct Mail {
    raw: Vec<u8>,
    flags: Vec<Flag>,
    received: InternalDate,
}

fn mails(folder: &Path) -> Vec<Mail> {
    let generator = root().join("tests/mailgen");
    let status = Command::new("python3").arg(generator).arg("files").arg(folder).args(["--count", "300"]).status();
    assert!(status.unwrap().success());
    let keywords = [Flag::SEEN, Flag::FLAGGED, Flag::ANSWERED, Flag::DRAFT, Flag::parse("$Invoice").unwrap()];
    (1..=COUNT)
        .map(|number| Mail {
            raw: std::fs::read(folder.join(format!("{number:06}.eml"))).unwrap(),
            flags: keywords.iter().enumerate().filter(|(n, _)| number % (n + 2) == 0).map(|(_, f)| f.clone()).collect(),
            // Every 7 hours and 3 minutes, from 2024-01-01 on.
            received: InternalDate { seconds: 1_704_067_200 + number as i64 * 25_380, offset: 0 },
        })
        .collect()
}

async fn upload(mailbox: &Mailbox, mails: &[Mail]) {
    for mail in mails {
        let options =
            AppendOptions { flags: mail.flags.clone(), received: Some(mail.received), ..AppendOptions::default() };
        mailbox.append(AppendSource::Bytes(Bytes::from(mail.raw.clone())), options).await.unwrap();
    }
}

fn keep(path: &Path, mails: &[Mail]) -> SqliteStore {
    let store = SqliteStore::open(path, SqliteOptions::default()).unwrap();
    let now = Now::from_millis(0);
    let mut writer = store.write(Durability::Bulk).unwrap();
    let inbox = writer
        .insert_mailbox(&NewMailbox {
            name: "INBOX".into(),
            delimiter: None,
            role: None,
            attributes: Vec::new(),
            uid_validity: 1,
            state: MailboxState::Ready,
            remote: None,
        })
        .unwrap();
    for mail in mails {
        let header = Bytes::copy_from_slice(ParsedMessage::parse(mail.raw.clone()).headers().raw());
        let body = body::put(&mut *writer, &mail.raw, &header, now).unwrap();
        let new = NewMessage {
            size: mail.raw.len() as u64,
            internal_date: mail.received,
            digest: None,
            email_id: None,
            links: derive::links(&header),
            headers: Headers { header, ..Headers::default() },
        };
        change::append(&mut *writer, inbox, (&new, body), mail.flags.iter().collect(), now).unwrap();
    }
    while index(&mut *writer, 1000).unwrap().is_more {}
    writer.commit().unwrap();
    store
}

fn local(store: &SqliteStore, searcher: &Searcher, query: &Query) -> Vec<u32> {
    let now: Zoned = Zoned::now().in_tz("UTC").unwrap();
    let options = SearchOptions { order: SearchOrder::Oldest, ..SearchOptions::default() };
    let found = searcher.search(&*store.read().unwrap(), query, &now, &options).unwrap();
    assert!(found.undecided.is_empty());
    found.hits.iter().map(|hit| hit.uid).collect()
}

async fn live(mailbox: &Mailbox, query: &Query) -> Vec<u32> {
    let found = mailbox.search(Selection::Query(query.clone()), false, Some("UTC".into())).await.unwrap();
    found.iter().map(|reference| reference.uid).collect()
}

/// Both sides must give the same.
const STRUCTURAL: &[&str] = &[
    "is:unread",
    "is:read",
    "is:flagged",
    "is:answered",
    "is:draft",
    "-is:flagged",
    "is:$Invoice",
    "label:$INVOICE",
    "larger:1K",
    "larger:10K",
    "smaller:2K",
    "larger:2K smaller:4K",
    "after:2024-02-01",
    "before:2024-02-01",
    "on:2024-01-31",
    "-on:2024-01-31",
    "newer:100y",
    "older:1d",
    "is:unread (is:flagged OR is:draft) -larger:5K",
    "from:example",
    "from:example.org",
    "to:@",
    "cc:a",
    "bcc:a",
    "list:*",
    "list:example",
    "header:List-Id",
    "header:X-Nothing",
    "header:Message-ID=1",
    "has:attachment",
    "-has:attachment is:read",
    "in:INBOX",
];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Dovecot"]
async fn the_store_finds_what_dovecot_finds() {
    let folder = tempfile::tempdir().unwrap();
    let mails = mails(&folder.path().join("mails"));
    let server = Dovecot::start();
    let engine = Engine::new(EngineOptions::default(), tokio::runtime::Handle::current());
    let session = engine.connect(server.account()).await.unwrap();
    let inbox = session.mailbox("INBOX").unwrap();
    upload(&inbox, &mails).await;
    let store = keep(&folder.path().join("mail"), &mails);
    let searcher = Searcher::new();

    for text in STRUCTURAL {
        let query = Query::parse(text).unwrap();
        assert_eq!(local(&store, &searcher, &query), live(&inbox, &query).await, "{text}");
    }
    let mut wrong = Vec::new();
    for text in ALIKE {
        let query = Query::parse(text).unwrap();
        let (ours, theirs) = (local(&store, &searcher, &query), live(&inbox, &query).await);
        if ours != theirs {
            wrong.push(format!("{text}: ours {ours:?}, theirs {theirs:?}"));
        }
    }
    for (text, more, why) in DIFFERENT {
        let query = Query::parse(text).unwrap();
        let (ours, theirs) = (local(&store, &searcher, &query), live(&inbox, &query).await);
        let (most, least) = if *more == Finds::More { (&ours, &theirs) } else { (&theirs, &ours) };
        if most.len() <= least.len() || !least.iter().all(|uid| most.contains(uid)) {
            wrong.push(format!("{text} ({why}): ours {ours:?}, theirs {theirs:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));

    let answer = session.raw("UID THREAD REFERENCES UTF-8 ALL").await.unwrap();
    let theirs = answer.untagged.iter().find_map(|line| line.split_once("THREAD ")).unwrap().1.trim().to_owned();
    assert_eq!(threads(&mails), theirs);
    session.close().await.unwrap();
}

fn threads(mails: &[Mail]) -> String {
    let threading: Vec<Threading> = mails.iter().map(threading).collect();
    thread_text(&references(&threading), |place| place as u32 + 1)
}

fn threading(mail: &Mail) -> Threading {
    let parsed = ParsedMessage::parse(mail.raw.clone());
    let headers: &MessageHeaders = parsed.headers();
    let ids = |name: &str| headers.get_raw(name).map(message_ids).unwrap_or_default();
    let mut references = ids("References");
    if references.is_empty() {
        references = ids("In-Reply-To").into_iter().take(1).collect();
    }
    Threading {
        message_id: ids("Message-ID").into_iter().next(),
        references,
        sent: headers.date().unwrap_or(mail.received).seconds,
        subject: base_subject(&headers.get("Subject").unwrap_or_default()),
    }
}

/// Words that mean the same to both: pieces of words in any script, in any charset and transfer encoding.
const ALIKE: &[&str] = &[
    "invoice",
    "INVOICE",
    "voic",
    "body:quarterly",
    "-body:quarterly",
    "subject:budget",
    "subject:\"re: \"",
    "привет",
    "Привет",
    "添付",
    "お世話",
    "合同",
    "계약서",
    "zażółć",
    "Überweisung",
    "überweisung",
    "naïve",
    "zzzzzz",
    "from:müller",
    "from:иванов",
    "to:田中",
];

#[derive(PartialEq)]
enum Finds {
    More,
    Less,
}

/// What each finds that the other does not, and why.
const DIFFERENT: &[(&str, Finds, &str)] = &[
    ("from:muller", Finds::More, "accents do not count for us"),
    ("body:uberweisung", Finds::More, "accents do not count for us"),
    ("body:strasse", Finds::More, "ß is ss for us"),
    ("Message-ID", Finds::Less, "text: looks at the fields that people read, TEXT at all of the header"),
    ("請求書", Finds::More, "names of attached files are decoded"),
    ("moths", Finds::Less, "of a nested message's header only subject and sender are looked at"),
];
