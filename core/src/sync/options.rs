//! How a pass goes, and what it did.

use super::Work;
use super::books::Clock;
use super::plan::Rhythm;
use super::resync::Care;
use crate::error::MailError;
use crate::store::MailboxId;
use ring::rand::{SecureRandom, SystemRandom};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Receives progress. Called between transactions: it should be quick.
pub type OnSyncProgress = Arc<dyn Fn(&Progress) + Send + Sync>;

/// Time and chance, so that every history can be replayed.
#[derive(Clone)]
pub struct Environment {
    /// Milliseconds since 1970.
    pub now: Clock,
    /// A number in `0.0..1.0`.
    pub random: Arc<dyn Fn() -> f64 + Send + Sync>,
}

impl Default for Environment {
    fn default() -> Self {
        let now = || {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        };
        let random = || {
            let mut bytes = [0; 4];
            // Without randomness all devices come back at the same time, which is no reason to fail.
            let _ = SystemRandom::new().fill(&mut bytes);
            f64::from(u32::from_be_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
        };
        Self { now: Arc::new(now), random: Arc::new(random) }
    }
}

/// Settings of a pass.
#[derive(Clone)]
#[non_exhaustive]
pub struct SyncOptions {
    /// Only say what would be done: nothing is changed on either side.
    pub dry_run: bool,
    /// How often everything is compared.
    pub rhythm: Rhythm,
    /// How careful to be with what is missing.
    pub care: Care,
    /// Paused mailboxes of which the user has said that the missing messages are gone.
    pub confirmed: BTreeSet<MailboxId>,
    /// Most bytes of bodies that are fetched in a day, over all passes; unbounded unless given.
    pub bytes_a_day: Option<u64>,
    /// How long the right to sync lasts that this pass takes and keeps renewing: so long do others wait after a crash.
    pub lease: Duration,
    /// Receives progress.
    pub on_progress: Option<OnSyncProgress>,
    /// Time and chance.
    pub environment: Environment,
}

impl Default for SyncOptions {
    fn default() -> Self {
        Self {
            dry_run: false,
            rhythm: Rhythm::default(),
            care: Care::default(),
            confirmed: BTreeSet::new(),
            bytes_a_day: None,
            lease: Duration::from_secs(60),
            on_progress: None,
            environment: Environment::default(),
        }
    }
}

impl fmt::Debug for SyncOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncOptions").field("dry_run", &self.dry_run).field("care", &self.care).finish_non_exhaustive()
    }
}

/// How far a pass is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// `mailboxes`, `headers` or `bodies`.
    pub phase: &'static str,
    /// The mailbox; empty for all.
    pub mailbox: String,
    /// How many mailboxes or messages are done.
    pub done: u64,
    /// Of how many.
    pub total: u64,
    /// Bytes that came with the last step.
    pub bytes: u64,
}

/// What a pass did.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SyncReport {
    /// What was decided, in order; for a dry run what would be.
    pub work: Vec<Work>,
    /// Questions asked of mailboxes; 0 where the list proved that nothing changed.
    pub asked: u64,
    /// Messages that became visible here.
    pub added: u64,
    /// Messages that left here.
    pub removed: u64,
    /// Messages whose flags changed here.
    pub flags: u64,
    /// Local changes that the server has confirmed.
    pub applied: u64,
    /// Local changes that are not needed any more.
    pub superseded: u64,
    /// Local changes that are parked.
    pub parked: u64,
    /// Bodies that came.
    pub bodies: u64,
    /// Bytes of headers and bodies, both ways.
    pub bytes: u64,
    /// Mailboxes that are paused.
    pub paused: BTreeSet<MailboxId>,
    /// Mailboxes and messages that could not be read; the rest was.
    pub problems: Vec<MailError>,
}
