//! A store from async code: one thread that writes, readers on few threads of all stores, and word of every change.

mod queue;
mod readers;

use super::search::Searcher;
use super::{Durability, Reader, Store, Writer, dictionary};
use crate::error::{Code, MailError, Result};
use queue::{Change, Job};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

/// Readers at once; each has a connection and a few pages in memory.
const READERS: usize = 4;
/// Writes that may wait before callers do.
const WAITING: usize = 64;
/// The dictionaries are looked after once in so many bulk writes.
const TRAINED: u32 = 8;
/// How often other processes are listened for, while anybody listens here.
const POLL: Duration = Duration::from_millis(50);

/// A store that is used from async code. Cheap to clone; the store is closed with the last one.
#[derive(Clone)]
pub struct Handle(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    searcher: Searcher,
    jobs: mpsc::Sender<Box<dyn Job>>,
    readers: Semaphore,
    changes: watch::Sender<u64>,
    /// Whether [`listen`] runs.
    is_listening: AtomicBool,
    /// Bulk writes since the dictionaries were last looked after.
    arrivals: AtomicU32,
    /// Whether that is being done.
    is_training: AtomicBool,
    /// Whether everything is done where it is asked for, without threads: a test whose clock stands still until all
    /// wait would otherwise let time pass while the disk works.
    #[cfg(feature = "test-support")]
    is_inline: bool,
}

impl Handle {
    /// Takes a store, and starts the thread that writes to it.
    pub fn new(store: Arc<dyn Store>) -> Result<Self> {
        let (jobs, queue) = mpsc::channel(WAITING);
        std::thread::Builder::new()
            .name("mailtide-store".to_owned())
            .spawn(move || queue::work(queue))
            .map_err(|error| MailError::new(Code::Internal, format!("No thread could be started: {error}")))?;
        let changes = watch::Sender::new(0);
        Ok(Self(Arc::new(Inner {
            store,
            searcher: Searcher::new(),
            jobs,
            readers: Semaphore::new(READERS),
            changes,
            is_listening: AtomicBool::new(false),
            arrivals: AtomicU32::new(0),
            is_training: AtomicBool::new(false),
            #[cfg(feature = "test-support")]
            is_inline: false,
        })))
    }

    /// Takes a store, and blocks whoever asks while it works: the order of things is the same each time.
    #[cfg(feature = "test-support")]
    #[doc(hidden)]
    #[must_use]
    pub fn inline(store: Arc<dyn Store>) -> Self {
        let (changes, is_listening) = (watch::Sender::new(0), AtomicBool::new(false));
        let (jobs, readers) = (mpsc::channel(1).0, Semaphore::new(READERS));
        let (arrivals, is_training) = (AtomicU32::new(0), AtomicBool::new(false));
        let searcher = Searcher::new();
        let is_inline = true;
        Self(Arc::new(Inner {
            store,
            searcher,
            jobs,
            readers,
            changes,
            is_listening,
            arrivals,
            is_training,
            is_inline,
        }))
    }

    /// The store itself, for code that may block.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }

    /// What searches this store, and remembers what it has read of the index of words.
    #[must_use]
    pub fn searcher(&self) -> &Searcher {
        &self.0.searcher
    }

    /// Asks a snapshot for what a few rows answer, on the thread that asks: handing such a question to another thread
    /// and its answer back takes longer than answering it. Nobody else is served by this thread meanwhile, so whatever
    /// may read more is for [`Handle::read`].
    pub fn glance<T>(&self, ask: impl FnOnce(&dyn Reader) -> Result<T>) -> Result<T> {
        ask(&*self.0.store.read()?)
    }

    /// Asks a snapshot, on a thread that may be blocked.
    pub async fn read<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Reader) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        #[cfg(feature = "test-support")]
        if self.0.is_inline {
            return ask(&*self.0.store.read()?);
        }
        let _turn = self.0.readers.acquire().await.map_err(|_| closed())?;
        let store = Arc::clone(&self.0.store);
        let asked = readers::spawn(move || ask(&*store.read()?));
        asked.await.map_err(|_| panicked())?
    }

    /// Does something in one transaction, which is committed where `change` gives `Ok`, and is as if it had never been
    /// where it gives an error. In the order in which they are asked for. What waits meanwhile is committed together:
    /// each is answered after that, and fails by itself.
    ///
    /// A caller that stops waiting has not undone it: a write whose turn had not come is left out, any other happens.
    pub async fn write<T: Send + 'static>(
        &self,
        durability: Durability,
        change: impl FnOnce(&mut dyn Writer) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        #[cfg(feature = "test-support")]
        if self.0.is_inline {
            let mut writer = self.0.store.write(durability)?;
            let done = change(&mut *writer)?;
            writer.commit()?;
            self.0.tell();
            return Ok(done);
        }
        let (reply, answer) = oneshot::channel();
        let job = Change::new(Arc::clone(&self.0), durability, change, reply);
        self.0.jobs.send(Box::new(job)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| panicked())?
    }

    /// Word of changes from now on, made here or by another process. Has to be called inside a tokio runtime.
    #[must_use]
    pub fn changes(&self) -> Changes {
        let receiver = self.0.changes.subscribe();
        if !self.0.is_listening.swap(true, Ordering::SeqCst) {
            tokio::spawn(listen(Arc::downgrade(&self.0)));
        }
        Changes(receiver)
    }
}

impl Inner {
    fn tell(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Trains the store's dictionaries while mail arrives: now and then, and on a thread of its own.
    fn look_after(self: &Arc<Self>, durability: Durability) {
        let is_due =
            durability == Durability::Bulk && self.arrivals.fetch_add(1, Ordering::Relaxed).is_multiple_of(TRAINED);
        if !is_due || self.is_training.swap(true, Ordering::SeqCst) {
            return;
        }
        let inner = Arc::clone(self);
        let thread = std::thread::Builder::new().name("mailtide-train".to_owned()).spawn(move || {
            if let Err(error) = dictionary::keep_up(&*inner.store) {
                log::debug!("no dictionary could be trained: {error}");
            }
            inner.is_training.store(false, Ordering::SeqCst);
        });
        if thread.is_err() {
            self.is_training.store(false, Ordering::SeqCst);
        }
    }

    /// Whether nobody wants to know any more, so that [`listen`] may end. Asked twice: somebody may have come between.
    fn is_unheard(&self) -> bool {
        if self.changes.receiver_count() > 0 {
            return false;
        }
        self.is_listening.store(false, Ordering::SeqCst);
        self.changes.receiver_count() == 0 || self.is_listening.swap(true, Ordering::SeqCst)
    }
}

/// Word of changes. It tells that something may have changed, and now and then without cause; what, says the
/// [feed](super::feed).
pub struct Changes(watch::Receiver<u64>);

impl Changes {
    /// Waits for the next change since the last call, or since this was made. Safe to cancel. `usage.closed` when the
    /// store is closed.
    pub async fn changed(&mut self) -> Result<()> {
        self.0.changed().await.map_err(|_| closed())
    }
}

/// Looks for commits of other processes, as long as anybody here wants to know.
async fn listen(handle: Weak<Inner>) {
    let mut seen = None;
    while let Some(inner) = handle.upgrade() {
        if inner.is_unheard() {
            return;
        }
        let store = Arc::clone(&inner.store);
        drop(inner);
        let version = tokio::task::spawn_blocking(move || store.version()).await;
        // A version that could not be asked for may be another one; and so may the first, since who listens has begun
        // to before it was asked for.
        let version = version.ok().and_then(Result::ok);
        if seen.is_none_or(|seen| version.is_none() || seen != version)
            && let Some(inner) = handle.upgrade()
        {
            inner.tell();
        }
        seen = Some(version);
        tokio::time::sleep(POLL).await;
    }
}

fn closed() -> MailError {
    MailError::new(Code::UsageClosed, "The store is closed")
}

fn panicked() -> MailError {
    MailError::new(Code::Internal, "A question or change of the store did not come to its end")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::InternalDate;
    use crate::store::{Headers, Kind, NewMessage, SqliteOptions, SqliteStore};

    fn handle() -> (tempfile::TempDir, Handle) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("a.mail"), SqliteOptions::default()).unwrap();
        (folder, Handle::new(Arc::new(store)).unwrap())
    }

    async fn note(handle: &Handle, name: &'static str) -> Option<Vec<u8>> {
        handle.read(move |reader| reader.note(name)).await.unwrap()
    }

    #[tokio::test]
    async fn what_is_written_is_read_and_an_error_undoes_it() {
        let (_folder, handle) = handle();
        let set = |name: &'static str| move |writer: &mut dyn Writer| writer.set_note(name, Some(b"1"));
        handle.write(Durability::Full, set("a")).await.unwrap();
        let failed = handle.write(Durability::Full, move |writer| {
            set("b")(writer)?;
            Err::<(), _>(Code::Cancelled.into())
        });
        assert_eq!(failed.await.unwrap_err().code(), Code::Cancelled);
        assert_eq!((note(&handle, "a").await, note(&handle, "b").await), (Some(b"1".to_vec()), None));
    }

    #[tokio::test]
    async fn a_panic_costs_its_own_write_and_no_other() {
        let (_folder, handle) = handle();
        let panics = handle.write(Durability::Full, |writer| {
            writer.set_note("a", Some(b"1"))?;
            if writer.note("a")?.is_some() {
                panic!("on purpose")
            }
            Ok(())
        });
        assert_eq!(panics.await.unwrap_err().code(), Code::Internal);
        handle.write(Durability::Full, |writer| writer.set_note("b", Some(b"1"))).await.unwrap();
        assert_eq!((note(&handle, "a").await, note(&handle, "b").await), (None, Some(b"1".to_vec())));
    }

    #[tokio::test]
    async fn what_waits_is_committed_together_and_fails_alone() {
        let folder = tempfile::tempdir().unwrap();
        let commits = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&commits);
        let count = move |name| {
            counted.fetch_add(u32::from(name == "commit"), Ordering::SeqCst);
            Ok(())
        };
        let options = SqliteOptions { fault: Some(Arc::new(count)), ..SqliteOptions::default() };
        let store = SqliteStore::open(&folder.path().join("a.mail"), options).unwrap();
        let handle = Handle::new(Arc::new(store)).unwrap();
        let ((open, gate), (begins, begun)) = (std::sync::mpsc::channel::<()>(), oneshot::channel());
        let first = handle.write(Durability::Full, move |_| Ok(begins.send(()).is_ok() && gate.recv().is_ok()));
        let good = |name: &'static str| {
            handle.write(Durability::Full, move |writer| writer.set_note(name, Some(b"1")).map(|()| true))
        };
        let bad = handle.write(Durability::Full, |writer| {
            writer.set_note("bad", Some(b"1"))?;
            Err::<bool, _>(Code::Cancelled.into())
        });
        let panics = handle.write(Durability::Full, |writer| {
            writer.set_note("panics", Some(b"1"))?;
            if writer.note("panics")?.is_some() {
                panic!("on purpose")
            }
            Ok(true)
        });
        let others = async {
            begun.await.unwrap();
            // Polled in this order: once the first goes on, the others are in the queue.
            tokio::join!(good("a"), bad, panics, good("b"), async { open.send(()).unwrap() })
        };
        let (first, (a, bad, panics, b, ())) = tokio::join!(first, others);
        assert!(first.unwrap() && a.unwrap() && b.unwrap());
        assert_eq!(bad.unwrap_err().code(), Code::Cancelled);
        assert_eq!(panics.unwrap_err().code(), Code::Internal);
        let mut noted = Vec::new();
        for name in ["a", "bad", "panics", "b"] {
            noted.push(note(&handle, name).await.is_some());
        }
        assert_eq!(noted, [true, false, false, true]);
        assert_eq!(commits.load(Ordering::SeqCst), 2, "the first by itself, the others together");
    }

    #[tokio::test]
    async fn dictionaries_are_trained_while_mail_arrives() {
        let (_folder, handle) = handle();
        let mut changes = handle.changes();
        let message = |number: u32| NewMessage {
            size: 1,
            internal_date: InternalDate { seconds: 0, offset: 0 },
            digest: None,
            email_id: None,
            headers: Headers { header: format!("Subject: note {number}\r\n\r\n").into(), ..Headers::default() },
            links: Vec::new(),
        };
        for batch in 0..33 {
            let add = move |writer: &mut dyn Writer| {
                (0..10).try_for_each(|number| writer.insert_message(&message(batch * 10 + number)).map(drop))
            };
            handle.write(Durability::Bulk, add).await.unwrap();
        }
        while handle.read(|reader| reader.dictionaries(Kind::Headers)).await.unwrap() == 0 {
            handle.write(Durability::Bulk, |writer| writer.set_note("more", Some(b""))).await.unwrap();
            changes.changed().await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_change_here_and_one_from_elsewhere_are_heard() {
        let (folder, handle) = handle();
        let mut changes = handle.changes();
        handle.write(Durability::Bulk, |writer| writer.set_note("a", Some(b"1"))).await.unwrap();
        changes.changed().await.unwrap();
        // Another store over the same file stands for another process.
        let other = SqliteStore::open(&folder.path().join("a.mail"), SqliteOptions::default()).unwrap();
        let mut writer = other.write(Durability::Full).unwrap();
        writer.set_note("b", Some(b"2")).unwrap();
        writer.commit().unwrap();
        while note(&handle, "b").await.is_none() {
            tokio::time::timeout(Duration::from_secs(60), changes.changed()).await.unwrap().unwrap();
        }
    }
}
