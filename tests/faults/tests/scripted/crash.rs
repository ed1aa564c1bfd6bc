//! The process dies, or the power fails, before and within each change of the disk: the store opens, is sound, is as some
//! commit left it, has all that was acknowledged, and goes on to the same end.

use crate::record::{Key, Moment, Record, folder, lay, model, options, paused, record};
use crate::script::SCRIPT;
use crate::world::{FILE, World};
use crate::{state, stride, try_all};
use mailtide::store::{SqliteStore, Store};
use mailtide_faults::{Files, Model, Way};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Seeds of the ways that go by chance.
const SEEDS: u64 = 2;

/// Places that are tried at once, on all processors.
const TOGETHER: usize = 400;

/// A place where it ends.
struct Point {
    moment: usize,
    way: Way,
    files: Files,
}

/// What of it was done.
#[derive(Default)]
struct Seen {
    /// What was tried to its end: a store, a server, a step.
    ends: Mutex<BTreeSet<(u64, Key, usize)>>,
    /// Stores that were looked at, and runs that were brought to their end.
    counts: [AtomicUsize; 2],
}

#[test]
fn wherever_it_ends_nothing_is_lost_or_doubled() {
    for personality in ["dovecot", "no-uidplus"] {
        let record = record(personality);
        let (mut points, seen) = (Points::new(&record), Seen::default());
        while let Some(some) = points.next() {
            try_all(&some, |point| place(&record, point), |point| try_point(&record, point, &seen));
        }
        let [looked, ended] = seen.counts.map(AtomicUsize::into_inner);
        println!(
            "{personality}: {} changes of the disk, {} commits, {looked} different disks opened, {ended} runs continued",
            record.log.len(),
            record.commits.len()
        );
        assert!(record.log.len() > 300 && ended > 50, "the script has become too small");
    }
}

/// Every place, those that leave the same disk beside the same server excepted.
struct Points<'a> {
    record: &'a Record,
    /// The disk at the next moment.
    model: Model,
    next: usize,
    known: HashSet<(u64, Key, usize)>,
}

impl<'a> Points<'a> {
    fn new(record: &'a Record) -> Self {
        Self { record, model: model(), next: 0, known: HashSet::new() }
    }

    /// Some of them, each with its disk: of all at once the disks take more memory than there is.
    fn next(&mut self) -> Option<Vec<Point>> {
        let (mut points, stride) = (Vec::new(), stride(5));
        while points.len() < TOGETHER
            && let Some(moment) = self.record.moments.get(self.next)
        {
            let next = self.record.log.get(moment.changes);
            for way in Way::all(SEEDS).into_iter().filter(|_| self.next.is_multiple_of(stride)) {
                let files = self.model.files(way, next);
                if self.known.insert((hash(&files), moment.key, moment.step)) {
                    points.push(Point { moment: self.next, way, files });
                }
            }
            next.into_iter().for_each(|op| self.model.apply(op));
            self.next += 1;
        }
        (!points.is_empty()).then_some(points)
    }
}

fn hash(files: &Files) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    hasher.finish()
}

fn place(record: &Record, point: &Point) -> String {
    let moment = &record.moments[point.moment];
    format!("{:?} before change {} in step {}", point.way, moment.changes, moment.step)
}

fn try_point(record: &Record, point: &Point, seen: &Seen) {
    let moment = &record.moments[point.moment];
    let folder = folder();
    let path = lay(&point.files, folder.path());
    let store = SqliteStore::open(&path, options(None)).unwrap();
    assert_eq!(store.check().unwrap(), [""; 0]);
    drop(store);
    let rows = state::rows(&path);
    seen.counts[0].fetch_add(1, Ordering::SeqCst);
    expected(record, moment, point.way, rows);
    if seen.ends.lock().unwrap().insert((rows, moment.key, moment.step)) || std::env::var_os("EVERY_END").is_some() {
        seen.counts[1].fetch_add(1, Ordering::SeqCst);
        let end = paused(go_on(moment, folder.path().join(FILE)));
        assert!(end == record.end, "ends otherwise: {}", difference(&end, &record.end));
    }
}

/// The store is as one of the commits left it that may be the last: none that was asked for later, and none before the
/// last that was promised to be durable (any that had returned, where the machine lives).
fn expected(record: &Record, moment: &Moment, way: Way, rows: u64) {
    let promised = |full: bool| full || matches!(way, Way::Kept | Way::Torn);
    let returned = |at: &usize| {
        let commit = &record.commits[*at];
        commit.changes.1 <= moment.changes && promised(commit.is_full)
    };
    let last = (0..record.commits.len()).rfind(returned);
    let asked = record.commits.iter().rposition(|commit| commit.changes.0 <= moment.changes);
    let is = |at: usize| record.commits[at].rows == rows;
    let right = match (last, asked) {
        (Some(last), Some(asked)) => (last..=asked).any(is),
        (None, Some(asked)) => (0..=asked).any(is) || rows == empty(),
        (_, None) => rows == empty(),
    };
    let found = record.commits.iter().position(|commit| commit.rows == rows);
    assert!(right, "the store is as after commit {found:?}, not within {last:?} to {asked:?}");
}

/// A store that was just made.
pub fn empty() -> u64 {
    static EMPTY: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    *EMPTY.get_or_init(|| {
        let folder = folder();
        let path = folder.path().join(FILE);
        drop(SqliteStore::open(&path, options(None)).unwrap());
        state::rows(&path)
    })
}

/// Another process starts, and does the rest.
async fn go_on(moment: &Moment, path: std::path::PathBuf) -> (state::Mail, BTreeMap<u64, u32>) {
    let server = moment.server.lock().unwrap().survivor();
    let mut world = World::later(server, moment.sink.fork(), path, options(None), moment.at).await;
    world.open().unwrap();
    let end = world.rest(moment.step.max(1).min(SCRIPT.len())).await;
    assert_eq!(world.handle().store().check().unwrap(), [""; 0]);
    (end, world.sent())
}

fn difference(end: &(state::Mail, BTreeMap<u64, u32>), right: &(state::Mail, BTreeMap<u64, u32>)) -> String {
    let short = |mail: &state::Mail| -> Vec<String> {
        let row = |name: &String, (token, flags, _): &(u64, BTreeSet<String>, u64)| format!("{name} {token} {flags:?}");
        mail.iter().flat_map(|(name, rows)| rows.iter().map(move |given| row(name, given))).collect()
    };
    let (is, should) = (short(&end.0), short(&right.0));
    let only = |a: &[String], b: &[String]| a.iter().filter(|row| !b.contains(row)).cloned().collect::<Vec<_>>();
    format!(
        "too much {:?}, missing {:?}, sent {:?}, {} rows instead of {}",
        only(&is, &should),
        only(&should, &is),
        end.1,
        is.len(),
        should.len()
    )
}
