//! Damaged files. Whatever page is gone, noise or cut off, an answer is right or says that the store is damaged; a
//! repair keeps the journal, and a pass brings the store in step again.

use crate::crash::empty;
use crate::record::{Record, folder, lay, model, options, paused, record};
use crate::script::SCRIPT;
use crate::world::{FILE, World};
use crate::{state, stride, try_all};
use mailtide::store::{
    BodyId, IntentId, MessageId, OutboxId, Page, Reader, Repaired, SqliteStore, Store, UserId, body, feed,
};
use mailtide::{Code, Result};
use mailtide_faults::{Files, Way};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

const PAGE: usize = 4096;
/// The step of the script before which it happens: much is pending then, also what the server has never seen.
const BEFORE: usize = 22;

/// What happens to a file.
#[derive(Clone, Copy, Debug)]
enum Damage {
    /// A page is zeros.
    Zeros(usize),
    /// A page is noise.
    Noise(usize),
    /// The file ends before that page.
    Cut(usize),
    /// A bit is another.
    Flip(usize),
}

impl Damage {
    fn apply(self, bytes: &mut Vec<u8>) {
        let page = |number: usize, bytes: &[u8]| number * PAGE..(number * PAGE + PAGE).min(bytes.len());
        match self {
            Self::Zeros(number) => {
                let range = page(number, bytes);
                bytes[range].fill(0);
            }
            Self::Noise(number) => {
                let range = page(number, bytes);
                let noise = (0..).map(|at: u32| at.wrapping_mul(0x9e37_79b9).rotate_left(9).to_le_bytes()[1]);
                bytes[range].iter_mut().zip(noise).for_each(|(byte, noise)| *byte = noise);
            }
            Self::Cut(number) => bytes.truncate(number * PAGE),
            Self::Flip(bit) => bytes[bit / 8] ^= 1 << (bit % 8),
        }
    }
}

type Ask = Box<dyn Fn(&dyn Reader) -> Result<String> + Send + Sync>;

/// A sound store, and every answer that it gives.
struct Sound {
    files: Files,
    answers: Vec<(String, Ask, String)>,
    pending: String,
    outgoing: String,
}

/// As it is with a log beside it, and closed.
fn sound(record: &Record, is_closed: bool) -> Sound {
    let mut model = model();
    record.log[..record.steps[BEFORE].changes].iter().for_each(|op| model.apply(op));
    let (folder, mut files) = (folder(), model.files(Way::Kept, None));
    let path = lay(&files, folder.path());
    let store = SqliteStore::open(&path, options(None)).unwrap();
    let reader = store.read().unwrap();
    let questions = questions(&*reader).unwrap();
    let told = |(name, ask): (String, Ask)| {
        let answer = ask(&*reader).unwrap();
        (name, ask, answer)
    };
    let answers = questions.into_iter().map(told).collect();
    let (pending, outgoing) = unsent(&*reader);
    drop(reader);
    drop(store);
    if is_closed {
        files = Files::read(folder.path()).unwrap();
    }
    Sound { files, answers, pending, outgoing }
}

/// What cannot be had from the server.
fn unsent(reader: &dyn Reader) -> (String, String) {
    (format!("{:?}", reader.pending().unwrap()), format!("{:?}", reader.outbox(OutboxId(1)).unwrap()))
}

fn ask<T: std::fmt::Debug>(
    all: &mut Vec<(String, Ask)>,
    name: impl Into<String>,
    ask: impl Fn(&dyn Reader) -> Result<T> + Send + Sync + 'static,
) {
    all.push((name.into(), Box::new(move |reader| ask(reader).map(|answer| format!("{answer:?}")))));
}

/// Everything that can be asked.
fn questions(reader: &dyn Reader) -> Result<Vec<(String, Ask)>> {
    let mut all = Vec::new();
    ask(&mut all, "account", |r| r.account());
    ask(&mut all, "mailboxes", |r| r.mailboxes());
    ask(&mut all, "pending", |r| r.pending());
    ask(&mut all, "feed", |r| r.feed(0, 10_000));
    ask(&mut all, "feed bounds", |r| r.feed_bounds());
    ask(&mut all, "outbox", |r| r.outbox(OutboxId(1)));
    ask(&mut all, "outbox that is not over", |r| r.outbox_open());
    ask(&mut all, "recipients", |r| r.recipients(OutboxId(1)));
    ask(&mut all, "deleted", |r| r.deleted(MessageId(0), 100));
    ask(&mut all, "keep", |r| r.keep(None));
    ask(&mut all, "lease", |r| r.lease("sync"));
    ask(&mut all, "users", |r| r.users());
    ask(&mut all, "user", |r| r.user("ada"));
    ask(&mut all, "subscriptions", |r| r.subscriptions(None));
    ask(&mut all, "metadata", |r| r.metadata(None));
    ask(&mut all, "note", |r| r.note("step"));
    ask(&mut all, "segments", |r| r.segments());
    ask(&mut all, "unindexed", |r| r.unindexed(MessageId(0), 1000));
    ask(&mut all, "stale", |r| r.stale());
    ask(&mut all, "since", |r| {
        let cursor = mailtide::store::Cursor { store: mailtide::store::StoreId("scripted".to_owned()), number: 0 };
        feed::since(r, &cursor.store.clone(), &cursor, 10_000).map(|batch| batch.rows.len())
    });
    ask(&mut all, "dates", |r| {
        let mut found = Vec::new();
        r.walk_dates((i64::MIN, i64::MAX), true, &mut |id| {
            found.push(id);
            Ok(true)
        })?;
        Ok(found)
    });
    for id in 1..80 {
        ask(&mut all, format!("intent {id}"), move |r| r.intent(IntentId(id)));
        ask(&mut all, format!("body {id}"), move |r| r.body(BodyId(id)));
        ask(&mut all, format!("message {id}"), move |r| r.message(MessageId(id)));
        ask(&mut all, format!("headers {id}"), move |r| r.headers(MessageId(id)));
        ask(&mut all, format!("facts {id}"), move |r| r.search_facts(MessageId(id)));
        ask(&mut all, format!("rows {id}"), move |r| r.search_rows(MessageId(id)));
        ask(&mut all, format!("places {id}"), move |r| r.placements_of(MessageId(id)));
    }
    for mailbox in reader.mailboxes()? {
        let (id, name) = (mailbox.id, mailbox.name.clone());
        ask(&mut all, name.clone(), move |r| r.mailbox_named(&name));
        let name = mailbox.name;
        ask(&mut all, format!("{name} counts"), move |r| r.counts(id));
        ask(&mut all, format!("{name} UIDs"), move |r| r.uids(id));
        ask(&mut all, format!("{name} remote UIDs"), move |r| r.remote_uids(id));
        ask(&mut all, format!("{name} reserved"), move |r| r.reserved(id));
        ask(&mut all, format!("{name} changed"), move |r| r.changed_since(id, 0));
        ask(&mut all, format!("{name} tombstones"), move |r| r.tombstones(id, 0));
        ask(&mut all, format!("{name} bodies"), move |r| r.without_body(id, None, 1000));
        ask(&mut all, format!("{name} rights"), move |r| r.rights(id));
        ask(&mut all, format!("{name} user flags"), move |r| r.user_flags(UserId(1), id, 1));
        ask(&mut all, format!("{name} list"), move |r| {
            r.list(id, Page { after: None, limit: 1000, newest_first: true })
        });
        for row in reader.list(id, Page { after: None, limit: 1000, newest_first: true })? {
            let message = row.message.id;
            if row.message.body.is_some() {
                ask(&mut all, format!("content {}", message.0), move |r| body::read(r, message, u64::MAX));
            }
        }
    }
    Ok(all)
}

/// What came of a damaged file.
#[derive(Default)]
struct Sum {
    refused: AtomicUsize,
    told: AtomicUsize,
    right: AtomicUsize,
    wrong: AtomicUsize,
}

/// Asks a damaged store everything. Wrong answers are an error unless they are counted.
fn interrogate(path: &Path, sound: &Sound, sum: &Sum, is_counted: bool) {
    let store = match SqliteStore::open(path, options(None)) {
        Ok(store) => store,
        Err(error) => {
            // A flipped bit can make it look like one of another program or a later version.
            let codes = [Code::StoreDamaged, Code::UsageArgument, Code::StoreNewer];
            assert!(error.code() == Code::StoreDamaged || is_counted && codes.contains(&error.code()), "{error}");
            sum.refused.fetch_add(1, Ordering::SeqCst);
            return;
        }
    };
    let reader = match store.read() {
        Ok(reader) => reader,
        Err(error) => return assert_eq!(error.code(), Code::StoreDamaged, "{error}"),
    };
    for (name, ask, right) in &sound.answers {
        let counter = match ask(&*reader) {
            Ok(answer) if answer == *right => &sum.right,
            Ok(answer) => {
                assert!(is_counted, "{name}: {answer} instead of {right}");
                assert!(!name.starts_with("content") && !name.starts_with("headers"), "{name}");
                &sum.wrong
            }
            Err(error) => {
                assert_eq!(error.code(), Code::StoreDamaged, "{name}: {error}");
                &sum.told
            }
        };
        counter.fetch_add(1, Ordering::SeqCst);
    }
}

fn damaged(sound: &Sound, file: &str, damage: Damage, folder: &Path) -> std::path::PathBuf {
    let mut files = sound.files.clone();
    damage.apply(files.0.get_mut(file).unwrap());
    lay(&files, folder)
}

#[test]
#[ignore = "after the repair of some pages the passes do not become quiet: not understood yet"]
fn a_damaged_page_is_told_and_a_repair_and_a_pass_bring_all_back() {
    let record = record("dovecot");
    let sound = sound(&record, true);
    let pages = sound.files.0[FILE].len() / PAGE;
    let kinds = [Damage::Zeros as fn(usize) -> Damage, Damage::Noise, Damage::Cut];
    let chosen = |kind| (0..pages).step_by(stride(3)).map(kind);
    let mut all: Vec<Damage> = kinds.into_iter().flat_map(chosen).collect();
    // A file of no bytes is a store that is to be made.
    all.retain(|damage| !matches!(damage, Damage::Cut(0)));
    let (sum, kept) = (Sum::default(), AtomicUsize::new(0));
    try_all(
        &all,
        |damage| format!("{damage:?}"),
        |damage| {
            let folder = folder();
            let path = damaged(&sound, FILE, *damage, folder.path());
            interrogate(&path, &sound, &sum, false);
            // Asking may have brought a log to its end: from the beginning.
            let path = damaged(&sound, FILE, *damage, folder.path());
            let is_whole = paused(repaired(&record, &sound, &path));
            kept.fetch_add(usize::from(is_whole), Ordering::SeqCst);
        },
    );
    let kept = kept.into_inner();
    print(&sum, &format!("{} damaged pages of {pages}; {kept} repaired with journal and outbox whole", all.len()));
    // A few points say nothing about most.
    assert!(all.len() < 30 || kept * 10 > all.len() * 6, "{kept} of {}", all.len());
}

#[test]
fn a_damaged_log_leaves_an_earlier_commit_or_is_told() {
    let record = record("dovecot");
    let sound = sound(&record, false);
    let log = format!("{FILE}-wal");
    let length = sound.files.0[log.as_str()].len();
    let pages = (0..length / PAGE).step_by(stride(7));
    let mut all: Vec<Damage> =
        pages.flat_map(|page| [Damage::Zeros(page), Damage::Noise(page), Damage::Cut(page)]).collect();
    all.extend((0..length * 8).step_by(length * 8 / 97).map(Damage::Flip));
    try_all(
        &all,
        |damage| format!("{damage:?}"),
        |damage| {
            let folder = folder();
            let path = damaged(&sound, &log, *damage, folder.path());
            match SqliteStore::open(&path, options(None)) {
                Ok(store) => {
                    assert_eq!(store.check().unwrap(), [""; 0]);
                    drop(store);
                    let rows = state::rows(&path);
                    let is_known = rows == empty() || record.commits.iter().any(|commit| commit.rows == rows);
                    assert!(is_known, "no commit left it so");
                }
                Err(error) => assert_eq!(error.code(), Code::StoreDamaged, "{error}"),
            }
        },
    );
    println!("{} damages of a log of {length} bytes", all.len());
}

#[test]
#[ignore = "SQLite keeps no checksum of a page: a flipped flag, date or number may go unseen"]
fn a_flipped_bit_is_never_a_panic_nor_another_header_or_content() {
    let record = record("dovecot");
    let sound = sound(&record, true);
    let bits = sound.files.0[FILE].len() * 8;
    // A step without a common divisor with a page, so that it comes to all parts of pages.
    let all: Vec<Damage> = (0..bits).step_by(1009 * stride(7)).map(Damage::Flip).collect();
    let sum = Sum::default();
    try_all(
        &all,
        |damage| format!("{damage:?}"),
        |damage| {
            let folder = folder();
            interrogate(&damaged(&sound, FILE, *damage, folder.path()), &sound, &sum, true);
        },
    );
    print(&sum, &format!("{} flipped bits", all.len()));
}

fn print(sum: &Sum, what: &str) {
    let [refused, told, right, wrong] =
        [&sum.refused, &sum.told, &sum.right, &sum.wrong].map(|count| count.load(Ordering::SeqCst));
    println!("{what}; {refused} not opened, else {right} answers right, {told} told as damaged, {wrong} wrong");
}

/// Repairs it and goes on; whether the journal and the outbox came through whole, in which case all ends as ever.
async fn repaired(record: &Record, sound: &Sound, path: &Path) -> bool {
    let done: Repaired = SqliteStore::repair(path, &options(None)).unwrap();
    assert_eq!(done.problems.is_empty(), done.damaged.is_none());
    let moment = &record.steps[BEFORE];
    let server = moment.server.lock().unwrap().survivor();
    let mut world = World::later(server, moment.sink.fork(), path.to_owned(), options(None), moment.at).await;
    world.open().unwrap();
    assert_eq!(world.handle().store().check().unwrap(), [""; 0]);
    let now = unsent(&*world.handle().store().read().unwrap());
    let is_whole = now == (sound.pending.clone(), sound.outgoing.clone());
    if is_whole {
        let end = (world.rest(BEFORE).await, world.sent());
        assert!(end == record.end, "ends otherwise after the repair");
    } else {
        // What was lost was lost; the mirror is one again, and nothing is there twice.
        for number in BEFORE..SCRIPT.len() {
            let _ = world.play(number).await;
        }
        let mail = world.calm().await;
        assert_not_doubled(&mail, &record.end.0);
        assert!(world.sent().values().all(|times| *times <= 1));
    }
    is_whole
}

fn assert_not_doubled(mail: &state::Mail, right: &state::Mail) {
    let count = |mail: &state::Mail| {
        let mut counts = BTreeMap::new();
        mail.values().flatten().for_each(|(token, ..)| *counts.entry(*token).or_insert(0) += 1);
        counts
    };
    let right = count(right);
    for (token, times) in count(mail) {
        // 4 was to be deleted, 504 came to nothing.
        let most = right.get(&token).copied().unwrap_or(1);
        assert!(times <= most, "message {token} is there {times} times");
    }
}
