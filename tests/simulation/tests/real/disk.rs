//! The disk of a real device: a store made once and copied for each, and a store whose calls can fail, or be the last of
//! their process.

use mailtide::store::{
    Account, Durability, Lease, Reader, SqliteOptions, SqliteStore, Store, StoreId, Usage, Writer, lease,
};
use mailtide::{Code, MailError, Result};
use mailtide_simulation::device::StoreFault;
use mailtide_simulation::model::Actor;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Fast storage, where there is any: nothing of a run is wanted afterwards.
const MEMORY: &str = "/dev/shm";
/// How long whoever has taken a device's lease away keeps it, in milliseconds.
const STOLEN_FOR: i64 = 60_000;

/// A folder of a device's own.
pub fn folder() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("mt-simulation-").tempdir_in(MEMORY);
    folder.or_else(|_| tempfile::tempdir()).unwrap()
}

/// Puts a store with an account into a file. Making one takes longer than most histories, so one is made for each
/// device's number and copied.
pub fn put_store(path: &Path, number: Actor) {
    static MADE: Mutex<BTreeMap<Actor, Arc<Vec<u8>>>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let bytes = Arc::clone(made.entry(number).or_insert_with(|| Arc::new(store_of(number))));
    drop(made);
    std::fs::write(path, &*bytes).unwrap();
}

fn store_of(number: Actor) -> Vec<u8> {
    let folder = folder();
    let path = folder.path().join("ada.mail");
    let options = SqliteOptions::default();
    let store = SqliteStore::open(&path, with_id(options, number)).unwrap();
    let mut writer = store.write(Durability::Full).unwrap();
    let account = Account { address: "ada@model.invalid".to_owned(), settings: "{}".to_owned(), identity: None };
    writer.set_account(&account).unwrap();
    writer.commit().unwrap();
    // Closed, everything is in the one file.
    drop(store);
    std::fs::read(&path).unwrap()
}

fn with_id(mut options: SqliteOptions, number: Actor) -> SqliteOptions {
    options.id = Some(format!("device{number}"));
    options
}

/// What happens to a process at its disk. One of its own for each process.
pub struct Trouble {
    /// Calls until the process dies; negative for never.
    death: AtomicI64,
    /// What fails, after so many calls.
    fault: Mutex<Option<(u32, StoreFault)>>,
    /// Transactions that were about to be committed.
    commits: AtomicU64,
    /// How the store was when somebody else took the lease.
    stolen: Mutex<Option<String>>,
    pub came: Notify,
    /// What a user does before the store is written to, after so many calls.
    meanwhile: Mutex<Option<(u32, Meanwhile)>>,
}

/// What a user does in the middle of a pass.
pub type Meanwhile = Box<dyn FnOnce(&dyn Store) + Send>;

impl Default for Trouble {
    fn default() -> Self {
        let (death, commits) = (AtomicI64::new(-1), AtomicU64::new(0));
        Self {
            death,
            commits,
            fault: Mutex::default(),
            stolen: Mutex::default(),
            came: Notify::new(),
            meanwhile: Mutex::default(),
        }
    }
}

impl Trouble {
    /// The process dies at the call of that number, counted from now.
    pub fn die_at(&self, call: Option<u32>) {
        self.death.store(call.map_or(-1, i64::from), Ordering::SeqCst);
    }

    /// The call of that number, counted from now, fails.
    pub fn fail_at(&self, fault: Option<(u32, StoreFault)>) {
        *self.fault.lock().unwrap() = fault;
    }

    /// Something is done at the first write after so many calls, counted from now.
    pub fn meanwhile(&self, act: Option<(u32, Meanwhile)>) {
        *self.meanwhile.lock().unwrap() = act;
    }

    /// What is due of that.
    fn due(&self) -> Option<Meanwhile> {
        let mut waiting = self.meanwhile.lock().unwrap();
        let is_due = waiting.as_ref().is_some_and(|(left, _)| *left == 0);
        waiting.take_if(|_| is_due).map(|(_, act)| act)
    }

    pub fn has_died(&self) -> bool {
        self.death.load(Ordering::SeqCst) == 0
    }

    /// Another number whenever something may have been written.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }

    /// Called before everything that the process wants of its store.
    fn call(&self, name: &str) -> Result<()> {
        let left = self.death.load(Ordering::SeqCst);
        if left == 0 {
            self.came.notify_one();
            return Err(MailError::new(Code::StoreIo, "the process has died"));
        }
        self.death.store(left - i64::from(left > 0), Ordering::SeqCst);
        self.meanwhile.lock().unwrap().iter_mut().for_each(|(left, _)| *left = left.saturating_sub(1));
        self.commits.fetch_add(u64::from(name == "commit"), Ordering::SeqCst);
        self.fail(name)
    }

    fn fail(&self, name: &str) -> Result<()> {
        let mut fault = self.fault.lock().unwrap();
        let Some((left, what)) = &mut *fault else { return Ok(()) };
        if *left > 0 {
            *left -= 1;
            return Ok(());
        }
        let (code, lasts) = match what {
            // A disk that is full or read-only stays so, and can be read from.
            StoreFault::Full => (Code::StoreFull, true),
            StoreFault::ReadOnly => (Code::StoreReadOnly, true),
            StoreFault::Io => (Code::StoreIo, false),
            // Who waits for a lock waits at the beginning.
            StoreFault::Busy if name == "begin" => (Code::StoreLocked, false),
            StoreFault::Busy | StoreFault::LeaseLost => return Ok(()),
        };
        if lasts && name == "read" {
            return Ok(());
        }
        if !lasts {
            *fault = None;
        }
        Err(MailError::new(code, "the disk is of no use just now"))
    }

    /// Whether the lease is to be lost now.
    fn loses_lease(&self) -> bool {
        let mut fault = self.fault.lock().unwrap();
        let is_now = *fault == Some((0, StoreFault::LeaseLost));
        if is_now {
            *fault = None;
        }
        is_now
    }
}

/// A store in trouble.
pub struct Disk {
    store: Arc<SqliteStore>,
    trouble: Arc<Trouble>,
    now: Arc<dyn Fn() -> i64 + Send + Sync>,
}

impl Disk {
    /// Opens the store as a process that starts does: without trouble. What is asked of the store beside it, no trouble
    /// touches.
    pub fn open(
        path: &Path,
        (number, next): (Actor, Option<&'static str>),
        now: Arc<dyn Fn() -> i64 + Send + Sync>,
    ) -> (Self, Arc<SqliteStore>) {
        let trouble = Arc::new(Trouble::default());
        let mut options = with_id(SqliteOptions::default(), number);
        let writing = Arc::clone(&trouble);
        // The beginning is told by `write`, where the lease can be taken as well.
        options.fault = Some(Arc::new(move |name| if name == "begin" { Ok(()) } else { writing.call(name) }));
        options.next_version = next;
        // One process has it: its index of the log can be in memory, and locks need no calls.
        options.vfs = cfg!(unix).then(|| "unix-excl".to_owned());
        let store = Arc::new(SqliteStore::open(path, options).unwrap());
        (Self { store: Arc::clone(&store), trouble, now }, store)
    }

    pub fn trouble(&self) -> Arc<Trouble> {
        Arc::clone(&self.trouble)
    }

    /// Another process takes the lease, as if this one had slept until it was over.
    fn steal(&self) -> Result<()> {
        let mut writer = self.store.write(Durability::Full)?;
        let Some(lease) = writer.lease(lease::SYNC)? else { return Ok(()) };
        let renewed = (self.now)();
        let stolen = Lease { holder: "thief".to_owned(), fence: lease.fence + 1, renewed, ttl: STOLEN_FOR, ..lease };
        writer.set_lease(&stolen)?;
        writer.commit()?;
        *self.trouble.stolen.lock().unwrap() = Some(mark(&*self.store.read()?)?);
        Ok(())
    }
}

/// What happened before this pass is nobody's trespass.
pub fn forget(trouble: &Trouble) {
    *trouble.stolen.lock().unwrap() = None;
}

/// What was written to the store after the lease was lost, if anything was.
pub fn trespass(trouble: &Trouble, reader: &dyn Reader) -> Option<String> {
    let before = trouble.stolen.lock().unwrap().take()?;
    let after = mark(reader).unwrap();
    (before != after).then(|| "a pass went on writing after it had lost the lease".to_owned())
}

/// How far the feed and the journal are.
fn mark(reader: &dyn Reader) -> Result<String> {
    Ok(format!("{:?} {:?}", reader.feed_bounds()?, reader.pending()?))
}

impl Store for Disk {
    fn id(&self) -> &StoreId {
        self.store.id()
    }

    fn read(&self) -> Result<Box<dyn Reader + '_>> {
        self.trouble.call("read")?;
        self.store.read()
    }

    fn write(&self, durability: Durability) -> Result<Box<dyn Writer + '_>> {
        self.trouble.call("begin")?;
        if self.trouble.loses_lease() {
            self.steal()?;
        }
        if let Some(act) = self.trouble.due() {
            act(&*self.store);
        }
        self.store.write(durability)
    }

    fn version(&self) -> Result<u64> {
        self.store.version()
    }

    fn usage(&self) -> Result<Usage> {
        self.store.usage()
    }

    fn shrink(&self, bytes: u64) -> Result<u64> {
        self.store.shrink(bytes)
    }

    fn backup(&self, path: &Path) -> Result<()> {
        self.store.backup(path)
    }

    fn check(&self) -> Result<Vec<String>> {
        self.store.check()
    }
}
