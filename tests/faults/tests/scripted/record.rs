//! The script played once, undisturbed, with everything written down: each change of the disk, the server as it was before
//! it, and what each commit made of the store.

use crate::script::{SCRIPT, server};
use crate::state::{self, Mail};
use crate::world::{DEVICE, FILE, World};
use mailtide::store::SqliteOptions;
use mailtide_faults::{Disk, Files, Model, Op, Way};
use mailtide_simulation::model::Server;
use mailtide_simulation::smtp::Sink;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A run.
pub struct Record {
    /// Every change of the disk.
    pub log: Vec<Op>,
    /// What there was before each of them, and at the end.
    pub moments: Vec<Moment>,
    /// Every commit.
    pub commits: Vec<Commit>,
    /// The moment before each step.
    pub steps: Vec<Moment>,
    /// What was on the server in the end, and how often each message was sent.
    pub end: (Mail, BTreeMap<u64, u32>),
}

/// What there was beside the disk.
#[derive(Clone)]
pub struct Moment {
    /// How many changes of the disk there had been.
    pub changes: usize,
    /// The step under way.
    pub step: usize,
    /// Milliseconds since the start.
    pub at: u64,
    /// The account.
    pub server: Arc<Mutex<Server>>,
    /// The submission server.
    pub sink: Sink,
    /// Tells different servers apart.
    pub key: Key,
}

/// Commands, changes, messages sent.
pub type Key = (u64, usize, u32);

/// A commit.
#[derive(Clone, Debug)]
pub struct Commit {
    /// How many changes of the disk there were when it was asked for, and when it had been done.
    pub changes: (usize, usize),
    /// Whether it was promised to be durable.
    pub is_full: bool,
    /// The store after it.
    pub rows: u64,
}

/// A runtime whose clock stands still until everybody waits.
pub fn paused<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(work)
}

/// A folder in memory where the system has such.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Options that give the same store each time.
pub fn options(vfs: Option<&str>) -> SqliteOptions {
    let mut options = SqliteOptions::default();
    options.id = Some("scripted".to_owned());
    options.vfs = vfs.map(str::to_owned);
    options.wait = Duration::from_millis(1);
    options
}

/// What the hook before each write hears of transactions.
#[derive(Default)]
struct Transactions {
    is_full: bool,
    is_committing: bool,
    done: Vec<Commit>,
}

impl Transactions {
    fn hear(&mut self, name: &str, changes: usize) {
        if matches!(name, "begin" | "begin_bulk") {
            self.end(changes);
            self.is_full = name == "begin";
        }
        if name == "commit" {
            self.is_committing = true;
            self.done.push(Commit { changes: (changes, changes), is_full: self.is_full, rows: 0 });
        }
    }

    /// Whatever was committed has been, since the next thing has begun.
    fn end(&mut self, changes: usize) {
        if std::mem::take(&mut self.is_committing) {
            self.done.last_mut().unwrap().changes.1 = changes;
        }
    }
}

/// Plays it.
pub fn record(personality: &str) -> Record {
    paused(play(personality))
}

async fn play(personality: &str) -> Record {
    let (folder, disk) = (folder(), Arc::new(Disk::recording()));
    let transactions: Arc<Mutex<Transactions>> = Arc::default();
    let mut options = options(Some(disk.vfs()));
    let (heard, asked) = (Arc::clone(&transactions), Arc::clone(&disk));
    options.fault = Some(Arc::new(move |name| {
        let changes = asked.changes();
        heard.lock().unwrap().hear(name, changes);
        Ok(())
    }));
    let mut world = World::new(server(personality), Sink::default(), folder.path().join(FILE), options);
    let (step, moments) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    watch(&disk, &world, &step, &moments);
    let mut steps = Vec::new();
    for number in 0..SCRIPT.len() {
        step.store(number, Ordering::SeqCst);
        steps.push(now(&world, number, disk.changes(), None));
        world.play(number).await.unwrap();
    }
    transactions.lock().unwrap().end(disk.changes());
    // Closing writes as well.
    step.store(SCRIPT.len(), Ordering::SeqCst);
    world.close();
    let log = disk.log();
    let mut moments = moments.lock().unwrap().clone();
    moments.push(now(&world, SCRIPT.len(), log.len(), moments.last()));
    world.options.fault = None;
    world.options.vfs = None;
    world.open().unwrap();
    let end = (world.calm().await, world.sent());
    let commits = transactions.lock().unwrap().done.clone();
    let commits = with_rows(commits, &log);
    Record { log, moments, commits, steps, end }
}

fn watch(disk: &Disk, world: &World, step: &Arc<AtomicUsize>, moments: &Arc<Mutex<Vec<Moment>>>) {
    let (network, sink) = (world.network.clone(), world.sink.clone());
    let (step, moments) = (Arc::clone(step), Arc::clone(moments));
    disk.before_each(move |changes| {
        let mut moments = moments.lock().unwrap();
        let moment = moment(&network, &sink, step.load(Ordering::SeqCst), changes, moments.last());
        moments.push(moment);
    });
}

fn now(world: &World, step: usize, changes: usize, last: Option<&Moment>) -> Moment {
    moment(&world.network, &world.sink, step, changes, last)
}

/// What there is now; with the server of `last` where it has not changed since.
fn moment(
    network: &mailtide_simulation::network::Network,
    sink: &Sink,
    step: usize,
    changes: usize,
    last: Option<&Moment>,
) -> Moment {
    let at = network.now();
    network.server(|server| {
        let key = (server.traffic(DEVICE).commands, server.log.len(), sink.total());
        match last.filter(|last| last.key == key) {
            Some(last) => Moment { changes, step, at, ..last.clone() },
            None => {
                let server = Arc::new(Mutex::new(server.survivor()));
                Moment { changes, step, at, server, sink: sink.fork(), key }
            }
        }
    })
}

/// The disk before the first change: core makes the file.
pub fn model() -> Model {
    Model::new(Files([(FILE.into(), Vec::new())].into()))
}

fn with_rows(mut commits: Vec<Commit>, log: &[Op]) -> Vec<Commit> {
    let (mut model, mut done) = (model(), 0);
    for commit in &mut commits {
        log[done..commit.changes.1].iter().for_each(|op| model.apply(op));
        done = commit.changes.1;
        let folder = folder();
        commit.rows = state::rows(&lay(&model.files(Way::Kept, None), folder.path()));
    }
    commits
}

/// Writes files down; where the store is.
pub fn lay(files: &Files, folder: &Path) -> PathBuf {
    files.write(folder).unwrap();
    folder.join(FILE)
}
