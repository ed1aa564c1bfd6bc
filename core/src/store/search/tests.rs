//! Searches against a look at every message, whatever the index has got hold of; and what must never happen.

use super::*;
use crate::error::{Code, Result};
use crate::imap::{Flag, InternalDate, UidSet};
use crate::index::{Block, Head, SegmentData};
use crate::message::{self, ParsedMessage, SearchFields, search_texts};
use crate::query::{AddressField, Candidate, Query, fold};
use crate::store::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Zoned;
use std::borrow::Cow;

const NOW: Now = Now::from_millis(1_706_702_400_000);

struct Fixture {
    _folder: tempfile::TempDir,
    store: SqliteStore,
    inbox: MailboxId,
    searcher: Searcher,
    raws: Vec<Vec<u8>>,
}

impl Fixture {
    fn new(raws: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("mail"), SqliteOptions::default()).unwrap();
        let mut writer = store.write(Durability::Bulk).unwrap();
        let inbox = writer.insert_mailbox(&mailbox("INBOX")).unwrap();
        writer.insert_mailbox(&mailbox("Archive")).unwrap();
        writer.commit().unwrap();
        let mut fixture = Self { _folder: folder, store, inbox, searcher: Searcher::new(), raws: Vec::new() };
        raws.iter().for_each(|raw| fixture.add(raw, &[]));
        fixture
    }

    /// One a day, from 2024-01-01 on.
    fn add(&mut self, raw: &str, flags: &[Flag]) {
        let raw = raw.replace('\n', "\r\n");
        let header = Bytes::from(raw[..raw.find("\r\n\r\n").unwrap() + 4].to_owned());
        let seconds = 1_704_067_200 + 86_400 * self.raws.len() as i64;
        let mut writer = self.store.write(Durability::Bulk).unwrap();
        let body = body::put(&mut *writer, raw.as_bytes(), &header, NOW).unwrap();
        let new = NewMessage {
            size: raw.len() as u64,
            internal_date: InternalDate { seconds, offset: 0 },
            digest: None,
            email_id: None,
            links: derive::links(&header),
            headers: Headers { header, ..Headers::default() },
        };
        let flags = flags.iter().collect();
        change::append(&mut *writer, self.inbox, (&new, body), flags, NOW).unwrap();
        writer.commit().unwrap();
        self.raws.push(raw.into_bytes());
    }

    fn write(&self, change: impl FnOnce(&mut dyn Writer) -> Result<()>) {
        let mut writer = self.store.write(Durability::Bulk).unwrap();
        change(&mut *writer).unwrap();
        writer.commit().unwrap();
    }

    fn index(&self, limit: usize) {
        self.write(|writer| {
            while index(writer, limit)?.is_more {}
            Ok(())
        });
    }

    fn found(&self, query: &str, options: &SearchOptions) -> SearchFound {
        let query = Query::parse(query).unwrap();
        self.searcher.search(&*self.store.read().unwrap(), &query, &now(), options).unwrap()
    }

    /// UIDs, ascending; nothing undecided.
    fn uids(&self, query: &str) -> Vec<u32> {
        let found = self.found(query, &SearchOptions { order: SearchOrder::Oldest, ..SearchOptions::default() });
        assert!(found.undecided.is_empty(), "{query}");
        found.hits.iter().map(|hit| hit.uid).collect()
    }

    /// By a look at every message, without index and store.
    fn expected(&self, query: &str) -> Vec<u32> {
        let matcher = Query::parse(query).unwrap().folded_matcher(&now()).unwrap();
        let mails = self.raws.iter().map(|raw| ParsedMessage::parse(raw.clone())).map(|parsed| Plain::new(&parsed));
        (1..).zip(mails).filter(|(_, mail)| matcher.matches(mail) == Some(true)).map(|(uid, _)| uid).collect()
    }
}

fn now() -> Zoned {
    "2024-01-31T12:00:00+00:00[UTC]".parse().unwrap()
}

fn mailbox(name: &str) -> NewMailbox {
    NewMailbox {
        name: name.to_owned(),
        delimiter: Some('/'),
        role: None,
        attributes: Vec::new(),
        uid_validity: 7,
        state: MailboxState::Ready,
        remote: None,
    }
}

/// A message without a store.
struct Plain {
    fields: SearchFields,
    headers: message::Headers,
    body: String,
    size: u64,
    attached: bool,
}

impl Plain {
    fn new(parsed: &ParsedMessage) -> Self {
        Self {
            fields: SearchFields::of(parsed.headers()),
            headers: parsed.headers().clone(),
            body: search_texts(parsed).iter().map(|text| fold(text)).collect::<Vec<_>>().join("\n"),
            size: parsed.raw().len() as u64,
            attached: parsed.attachments().iter().any(message::Attachment::is_attached),
        }
    }
}

impl Candidate for Plain {
    fn flags(&self) -> Option<&[Flag]> {
        Some(&[])
    }
    fn size(&self) -> Option<u64> {
        Some(self.size)
    }
    fn addresses(&self, field: AddressField) -> Option<Cow<'_, str>> {
        let SearchFields { from, to, cc, bcc, .. } = &self.fields;
        Some(fold([from, to, cc, bcc][field as usize]).into())
    }
    fn subject(&self) -> Option<Cow<'_, str>> {
        Some(fold(&self.fields.subject).into())
    }
    fn header(&self, name: &str) -> Option<Vec<Cow<'_, str>>> {
        Some(self.headers.get_all(name).map(|value| fold(&value).into()).collect())
    }
    fn header_text(&self) -> Option<Cow<'_, str>> {
        let SearchFields { subject, from, to, cc, bcc, list } = &self.fields;
        Some([subject, from, to, cc, bcc, list].map(|text| fold(text)).join("\n").into())
    }
    fn has_attachment(&self) -> Option<bool> {
        Some(self.attached)
    }
    fn body(&self) -> Option<Cow<'_, str>> {
        Some(self.body.as_str().into())
    }
}

fn mails() -> Vec<String> {
    let words = [
        "moth",
        "Möth",
        "relay",
        "panel F",
        "behemoth",
        "ada@example.org",
        "日本語のメール",
        "2024-01-31",
        "€500",
        "don’t",
    ];
    let mail = |n: usize| {
        let [a, b, c] = [1, 3, 7].map(|step| words[n * step % words.len()]);
        format!(
            "From: Person {n} <p{n}@example.org>\nTo: ada@example.org\nSubject: {a} {n}\nMessage-ID: <{n}@x>\n\
             Content-Type: text/plain; charset=utf-8\n\nAbout {b},\nand the {c} of number {n}.\n"
        )
    };
    let attached = "List-Id: <news.example.org>\nSubject: file\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nsee\n\
                    --b\nContent-Type: application/pdf; name=moth.pdf\n\nx\n--b--\n";
    (0..59).map(mail).chain([attached.to_owned()]).collect()
}

const QUERIES: &[&str] = &[
    "moth",
    "oth",
    "-moth",
    "MOTH relay",
    "moth OR panel",
    "subject:moth",
    "body:moth -subject:moth",
    "\"panel f\"",
    "\"the moth of\"",
    "\"about moth, and\"",
    "ada",
    "from:ada",
    "to:ada@example",
    "from:\"person 1\"",
    "from:p11@",
    "本語",
    "日",
    "日本語",
    "\"2024-01\"",
    "€500",
    "don't",
    "\"don’t\"",
    "nothing",
    "\",\"",
    "-\"panel f\"",
    "number 7",
    "\"the the\"",
    "\"and the\"",
    "\"of n\"",
    "\"of number 7\"",
    "\"the moth of\" OR \"on 1\"",
    "from:\"on 12\"",
    "subject:\"the moth\"",
    "-\"moth of\"",
    "header:Message-ID=3@x",
    "larger:230",
    "is:unread moth",
    "is:read moth",
    "has:attachment",
    "list:*",
    "-list:* moth",
    "cc:x",
    "(moth -relay) OR subject:€500",
];

#[test]
fn every_state_of_the_index_gives_the_same_answers() {
    let fixture = Fixture::new(&mails());
    let check = |state: &str| {
        for query in QUERIES {
            assert_eq!(fixture.uids(query), fixture.expected(query), "{query} with {state}");
        }
    };
    check("no index");
    fixture.write(|writer| index(writer, 17).map(drop));
    check("a part indexed");
    fixture.index(7);
    check("everything indexed");
    assert!(fixture.store.read().unwrap().segments().unwrap().len() < 9, "small segments are merged");
    fixture.write(tidy);
    assert_eq!(fixture.store.read().unwrap().segments().unwrap().len(), 1);
    check("one segment");
    fixture.write(rebuild);
    check("the index thrown away");
    fixture.index(100);
    check("the index built again");
}

/// Makes the index as an earlier version has left it, which knew no seams.
fn forget_seams(fixture: &Fixture) {
    fixture.write(|writer| {
        for row in writer.segments()? {
            let mut head = Head::parse(&writer.segment_head(row.id)?)?;
            head.is_current = false;
            head.docs.iter_mut().for_each(|doc| doc.seams = false);
            let block = |block| {
                Ok(Block {
                    words: writer.segment_words(row.id, block)?,
                    postings: writer.segment_postings(row.id, block)?,
                })
            };
            let blocks = (0..head.starts.len() as u32).map(block).collect::<Result<_>>()?;
            writer.delete_segment(row.id)?;
            writer.insert_segment(&SegmentData { head: head.write(), blocks })?;
        }
        Ok(())
    });
}

fn heads(fixture: &Fixture) -> Vec<Head> {
    let reader = fixture.store.read().unwrap();
    let ids = reader.segments().unwrap().into_iter().map(|row| row.id);
    ids.map(|id| Head::parse(&reader.segment_head(id).unwrap()).unwrap()).collect()
}

#[test]
fn an_index_of_an_earlier_version_serves_and_is_brought_to_this_one() {
    let fixture = Fixture::new(&mails());
    fixture.index(20);
    let message = fixture.store.read().unwrap().placement(fixture.inbox, 3).unwrap().unwrap().message.unwrap();
    fixture.write(|writer| writer.set_body(message, None));
    fixture.write(|writer| writer.set_indexed(message));
    forget_seams(&fixture);
    let check = |state: &str| {
        for query in ["\"the moth of\"", "\"and the\"", "\"about relay\"", "-\"of number\""] {
            let found = fixture.found(query, &SearchOptions { order: SearchOrder::Oldest, ..SearchOptions::default() });
            let uids: Vec<u32> = found.hits.iter().map(|hit| hit.uid).collect();
            let expected: Vec<u32> = fixture.expected(query).into_iter().filter(|uid| *uid != 3).collect();
            assert_eq!(uids, expected, "{query}: {state}");
        }
        assert!(fixture.uids("body:number").contains(&3), "words of a text that was let go are kept: {state}");
    };
    check("old");
    fixture.write(|writer| index(writer, 7).map(drop));
    check("partly renewed");
    fixture.index(7);
    check("renewed");
    let held: Vec<_> = heads(&fixture).into_iter().flat_map(|head| head.docs).collect();
    assert!(heads(&fixture).iter().all(|head| head.is_current));
    assert_eq!(held.len(), 60, "what was indexed again is held once");
    assert_eq!(held.iter().filter(|doc| !doc.seams).map(|doc| doc.id).collect::<Vec<_>>(), [message.0]);
    fixture.write(|writer| {
        assert_eq!(index(writer, 7)?.messages, 0, "nothing is done twice");
        Ok(())
    });
}

#[test]
fn order_and_limit_are_kept() {
    let fixture = Fixture::new(&mails());
    fixture.index(100);
    let uids = |order, limit, mailbox| {
        let options = SearchOptions { order, limit, mailbox };
        fixture.found("relay", &options).hits.iter().map(|hit| hit.uid).collect::<Vec<_>>()
    };
    let all = fixture.expected("relay");
    for mailbox in [None, Some(fixture.inbox)] {
        assert_eq!(uids(SearchOrder::Oldest, Some(3), mailbox), all[..3]);
        let newest: Vec<u32> = all.iter().rev().copied().take(3).collect();
        assert_eq!(uids(SearchOrder::Newest, Some(3), mailbox), newest);
        assert_eq!(uids(SearchOrder::Newest, None, mailbox).len(), all.len());
    }
    let archive = fixture.store.read().unwrap().mailbox_named("Archive").unwrap().unwrap().id;
    assert!(uids(SearchOrder::Newest, None, Some(archive)).is_empty());
    let options = SearchOptions { order: SearchOrder::Relevance, limit: Some(5), mailbox: None };
    let ranked = fixture.found("relay", &options).hits;
    assert!(ranked.windows(2).all(|pair| pair[0].score >= pair[1].score) && ranked[0].score > 0.0);
    let subjects = fixture.expected("subject:relay");
    assert!(ranked.iter().all(|hit| subjects.contains(&hit.uid)), "the subject says more than the text");
}

#[test]
fn rows_say_what_they_say() {
    let mut fixture = Fixture::new(&mails());
    fixture.add("Subject: relay\n\nx\n", &[Flag::SEEN, Flag::FLAGGED]);
    fixture.add("Subject: relay\n\nx\n", &[Flag::from_server(b"$Invoice")]);
    fixture.index(100);
    for (query, uids) in [
        ("is:flagged", vec![61]),
        ("is:read relay", vec![61]),
        ("is:$invoice", vec![62]),
        ("label:$INVOICE", vec![62]),
        ("is:unread subject:relay larger:10 smaller:25", vec![62]),
        ("in:INBOX is:flagged", vec![61]),
        ("is:flagged is:read", vec![61]),
        ("larger:20 smaller:22", vec![61, 62]),
        ("in:Archive is:flagged", vec![]),
        ("on:2024-01-03", vec![3]),
        ("before:2024-01-03", vec![1, 2]),
        ("newer:1d before:2024-02-02", vec![31, 32]),
    ] {
        assert_eq!(fixture.uids(query), uids, "{query}");
    }
    let options = SearchOptions::default();
    let reader = fixture.store.read().unwrap();
    let missing = fixture.searcher.search(&*reader, &Query::in_mailbox("Nowhere"), &now(), &options).unwrap_err();
    assert_eq!(missing.code(), Code::MailboxMissing);
    let raw = fixture.searcher.search(&*reader, &Query::raw("ALL"), &now(), &options).unwrap_err();
    assert_eq!(raw.code(), Code::UsageArgument);
}

#[test]
fn what_hangs_on_a_body_that_is_not_here_is_undecided() {
    let fixture = Fixture::new(&mails());
    fixture.index(100);
    let message = |uid| fixture.store.read().unwrap().placement(fixture.inbox, uid).unwrap().unwrap().message.unwrap();
    let phrase = fixture.expected("\"about moth, and\"");
    fixture.write(|writer| writer.set_body(message(phrase[0]), None));
    let found = fixture.found("\"about moth, and\"", &SearchOptions::default());
    assert_eq!(found.hits.len(), phrase.len() - 1);
    assert_eq!(found.undecided.iter().map(|hit| hit.uid).collect::<Vec<_>>(), phrase[..1]);
    // The index still proves single words.
    assert_eq!(fixture.uids("body:moth"), fixture.expected("body:moth"));
    // Without body and index there is nothing to decide by, but for what the header says.
    fixture.write(rebuild);
    let found = fixture.found("nowhere", &SearchOptions::default());
    assert_eq!(found.undecided.len(), 1);
    assert_eq!(fixture.uids("subject:relay"), fixture.expected("subject:relay"));
}

#[test]
fn deleted_messages_are_not_found_and_their_words_go() {
    let fixture = Fixture::new(&[mails(), vec!["Subject: x\n\nxylophone\n".to_owned()]].concat());
    fixture.index(100);
    assert_eq!(fixture.uids("xylophone"), [61]);
    let message = fixture.store.read().unwrap().placement(fixture.inbox, 61).unwrap().unwrap().message.unwrap();
    fixture.write(|writer| change::expunge(writer, fixture.inbox, &UidSet::from_iter([61]), NOW).map(drop));
    assert!(fixture.uids("xylophone").is_empty());
    fixture.write(|writer| writer.delete_message(message));
    assert!(fixture.uids("xylophone").is_empty());
    for uid in 1..20 {
        let message = fixture.store.read().unwrap().placement(fixture.inbox, uid).unwrap().unwrap().message.unwrap();
        fixture.write(|writer| change::expunge(writer, fixture.inbox, &UidSet::from_iter([uid]), NOW).map(drop));
        fixture.write(|writer| writer.delete_message(message));
    }
    fixture.index(100);
    let reader = fixture.store.read().unwrap();
    assert!(reader.stale().unwrap().is_empty());
    for row in reader.segments().unwrap() {
        let words = reader.segment_words(row.id, 0).unwrap();
        assert!(!words.windows(9).any(|piece| piece == b"xylophone"));
    }
}

#[test]
fn a_header_that_changes_is_searched_as_it_is() {
    let fixture = Fixture::new(&mails());
    fixture.index(100);
    let message = fixture.store.read().unwrap().placement(fixture.inbox, 1).unwrap().unwrap().message.unwrap();
    let header = Bytes::from_static(b"Subject: xylophone, moth and more\r\n\r\n");
    assert!(!fixture.uids("\"moth and\"").contains(&1), "there is a comma between");
    // A content is kept without the header that it shares with its message.
    fixture.write(|writer| writer.set_body(message, None));
    fixture.write(|writer| writer.set_headers(message, &Headers { header, ..Headers::default() }, &[]));
    assert_eq!(fixture.uids("subject:xylophone"), [1]);
    assert_eq!(fixture.uids("subject:\"moth and\""), [1]);
    assert!(!fixture.uids("from:\"person 0\"").contains(&1));
    fixture.index(100);
    assert_eq!(fixture.uids("subject:xylophone"), [1]);
    assert_eq!(fixture.uids("subject:\"moth and\""), [1]);
    assert!(!fixture.uids("from:\"person 0\"").contains(&1));
}

fn base64_lines(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    text.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line) + "\n").collect()
}

#[test]
fn text_is_found_beside_attachments_and_in_what_is_stored_as_one() {
    let file = base64_lines(&[0, 1, 2].repeat(3000));
    let wide: Vec<u8> = "xylophone and moth ".repeat(300).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let part = |fields: &str, content: &str| {
        format!("--b\nContent-Type: {fields}\nContent-Transfer-Encoding: base64\n\n{content}")
    };
    let mixed = |parts: &[String]| {
        format!("Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n{}\n--b--\n", parts.concat())
    };
    let pdf = part("application/pdf; name=relay.pdf", &file);
    let text = "--b\n\nthe panel\n".to_owned();
    let nested = format!("--b\nContent-Type: message/rfc822\n\nSubject: inner\nContent-Type: image/png\n\n{file}");
    let raws = [
        mixed(&[pdf.clone(), text.clone(), pdf.clone()]),
        mixed(&[text.clone(), part("text/plain; charset=utf-16le", &base64_lines(&wide)), pdf.clone()]),
        mixed(&[nested, text]),
        format!("Subject: bare\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n{file}"),
        format!("Subject: odd\nX-Junk: {file}\nContent-Type: text/plain\n\npanel\n"),
        format!("Subject: no type\n\n{file}panel"),
    ];
    let fixture = Fixture::new(&raws);
    let reader = fixture.store.read().unwrap();
    for (uid, raw) in (1..).zip(&fixture.raws) {
        let message = reader.placement(fixture.inbox, uid).unwrap().unwrap().message.unwrap();
        let parsed = ParsedMessage::parse(raw.clone());
        let expected = search_texts(&parsed).iter().map(|text| fold(text)).collect::<Vec<_>>().join("\n");
        assert!(*text::text(&*reader, message, &text::Lately::new(0)).unwrap() == *expected, "{uid}");
        let attached = message::parts(parsed.structure()).has_attachment();
        assert_eq!(text::has_attachment(&*reader, message).unwrap(), attached, "{uid}");
    }
    drop(reader);
    for is_indexed in [false, true] {
        for query in ["xylophone", "\"moth xylophone\"", "\"the panel\"", "relay", "has:attachment", "inner", "panel"] {
            assert_eq!(fixture.uids(query), fixture.expected(query), "{query}, indexed: {is_indexed}");
        }
        fixture.index(100);
    }
}

/// The words of what is in memory, as a sync gathers them, of the contents that `content` gives.
fn gathered_in_memory(fixture: &Fixture, content: impl Fn(u32, &[u8]) -> Vec<u8>) -> Gathered {
    let (mut gathering, reader) = (Gathering::default(), fixture.store.read().unwrap());
    for (uid, raw) in (1..).zip(&fixture.raws) {
        let message = reader.placement(fixture.inbox, uid).unwrap().unwrap().message.unwrap();
        let (headers, content) = (reader.headers(message).unwrap().unwrap(), Bytes::from(content(uid, raw)));
        gathering.add(message, body::hash(&content), &Texts::of(&headers, &content));
    }
    gathering.finish()
}

#[test]
fn words_gathered_in_memory_are_those_of_what_is_stored() {
    let (fixture, other) = (Fixture::new(&mails()), Fixture::new(&mails()));
    let gathered = gathered_in_memory(&fixture, |_, raw| raw.to_vec());
    fixture.write(|writer| gathered.put_apart(writer).map(drop));
    assert!(fixture.store.read().unwrap().unindexed(MessageId(0), 1).unwrap().is_empty());
    other.index(100);
    assert_eq!(heads(&fixture), heads(&other));
    for query in QUERIES {
        assert_eq!(fixture.uids(query), fixture.expected(query), "{query}");
    }
}

#[test]
fn words_of_another_content_than_the_one_that_is_here_are_not_taken() {
    let fixture = Fixture::new(&mails());
    let gathered =
        gathered_in_memory(&fixture, |uid, raw| if uid == 3 { b"x: y\r\n\r\nbee".to_vec() } else { raw.to_vec() });
    fixture.write(|writer| gathered.put_apart(writer).map(drop));
    assert!(fixture.uids("bee").is_empty());
    for query in QUERIES {
        assert_eq!(fixture.uids(query), fixture.expected(query), "{query}");
    }
}

#[test]
fn segments_that_were_put_apart_are_merged_later() {
    let mut fixture = Fixture::new(&[]);
    for raw in mails().iter().take(20) {
        fixture.add(raw, &[]);
        let gathered = gather(&*fixture.store.read().unwrap(), MessageId(0), 100).unwrap();
        fixture.write(|writer| gathered.put_apart(writer).map(drop));
    }
    assert_eq!(heads(&fixture).len(), 20);
    let gathered = gather(&*fixture.store.read().unwrap(), MessageId(0), 100).unwrap();
    assert!(!gathered.is_empty(), "there is something to be merged");
    fixture.write(|writer| gathered.put(writer).map(drop));
    assert_eq!(heads(&fixture).len(), 1);
    assert!(gather(&*fixture.store.read().unwrap(), MessageId(0), 100).unwrap().is_empty());
    assert_eq!(fixture.uids("moth"), fixture.expected("moth"));
}

#[test]
fn threads_are_found_as_mail_arrives_in_any_order() {
    let mail = |id: &str, refs: &str| format!("Message-ID: <{id}@x>\nReferences: {refs}\nSubject: s\n\nx\n");
    let fixture = Fixture::new(&[mail("c", "<b@x>"), mail("a", ""), mail("other", ""), mail("b", "<a@x>")]);
    assert_eq!(fixture.uids("thread:T1"), [1, 2, 4]);
    assert_eq!(fixture.uids("thread:T3"), [3]);
    assert_eq!(fixture.uids("-thread:T1 OR subject:nothing"), [3]);
    assert!(fixture.uids("thread:T2").is_empty());
    let reader = fixture.store.read().unwrap();
    for odd in ["1", "T", "T01", "T+1", "T-1", "t1", "gm-1"] {
        for query in [format!("thread:{odd}"), format!("subject:s OR -thread:{odd}")] {
            let query = Query::parse(&query).unwrap();
            let found = fixture.searcher.search(&*reader, &query, &now(), &SearchOptions::default());
            assert_eq!(found.unwrap_err().code(), Code::QuerySyntax, "{odd}");
        }
    }
}

#[test]
fn what_was_read_of_the_index_serves_older_snapshots_too() {
    let mut fixture = Fixture::new(&mails());
    fixture.index(100);
    let old = fixture.store.read().unwrap();
    let before = fixture.expected("moth");
    let search = |reader: &dyn Reader| {
        let options = SearchOptions { order: SearchOrder::Oldest, ..SearchOptions::default() };
        let found = fixture.searcher.search(reader, &Query::text("moth"), &now(), &options).unwrap();
        found.hits.iter().map(|hit| hit.uid).collect::<Vec<_>>()
    };
    fixture.write(rebuild);
    fixture.index(100);
    assert_eq!(search(&*fixture.store.read().unwrap()), before);
    assert_eq!(search(&*old), before);
    drop(old);
    fixture.add("Subject: moth\n\nx\n", &[]);
    assert_eq!(fixture.uids("moth").len(), before.len() + 1);
}
