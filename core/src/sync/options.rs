//! How a pass goes, and what it did.

use super::books::Clock;
use super::paused::Paused;
use super::plan::Rhythm;
use super::resync::Care;
use super::{Progress, Work};
use crate::error::MailError;
use crate::journal::Pending;
use ring::rand::{SecureRandom, SystemRandom};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Receives progress, at most ten times a second and at the end of each phase. Called between transactions: it should be
/// quick.
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

/// What was done in a mailbox, or in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Questions asked; 0 where the list proved that nothing changed.
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
    /// Local changes that this pass has parked.
    pub parked: u64,
    /// Bodies that came.
    pub bodies: u64,
    /// Bytes of headers and bodies, both ways.
    pub bytes: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.asked += other.asked;
        self.added += other.added;
        self.removed += other.removed;
        self.flags += other.flags;
        self.applied += other.applied;
        self.superseded += other.superseded;
        self.parked += other.parked;
        self.bodies += other.bodies;
        self.bytes += other.bytes;
    }
}

/// What a pass did; of a dry run what it would do, as far as the list of mailboxes and the store tell.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SyncReport {
    /// What was decided, in order; for a dry run what would be.
    pub work: Vec<Work>,
    /// All mailboxes together. Of a dry run: messages that would be added, changes that would be sent (as applied), bodies
    /// that would be fetched, and their bytes.
    pub total: Counts,
    /// The same for each mailbox in which something was done, by its name here.
    pub mailboxes: BTreeMap<String, Counts>,
    /// Mailboxes that are paused, and why.
    pub paused: Vec<Paused>,
    /// Local changes that are parked, by this pass or before, and those that wait for one of them; each says why.
    pub stuck: Vec<Pending>,
    /// Mailboxes and messages that could not be read; the rest was.
    pub problems: Vec<MailError>,
}
