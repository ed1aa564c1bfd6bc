//! How far a pass is, and how long it may still take. Functions of values: the time is an argument.

use std::collections::VecDeque;
use std::time::Duration;

/// How far a pass is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// `mailboxes`, `changes` (of ours), `headers` or `bodies`.
    pub phase: &'static str,
    /// The mailbox that it is at.
    pub mailbox: String,
    /// How many mailboxes, changes or messages are done in this phase.
    pub done: u64,
    /// Of how many.
    pub total: u64,
    /// Bytes that came in this pass.
    pub bytes: u64,
    /// How fast they come, in bytes a second over the last five seconds of the phase; `None` before that can be said.
    pub rate: Option<f64>,
    /// How long the phase may still take, by how it went until now; `None` before that can be said.
    pub remaining: Option<Duration>,
}

/// No report comes sooner than this after the one before, in milliseconds, unless a phase is done.
const PAUSE: i64 = 100;
/// How far back the rate looks, in milliseconds, and how much of that it needs.
const WINDOW: i64 = 5000;
const ENOUGH: i64 = 500;

/// Adds steps up. Times are in milliseconds since 1970.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter {
    phase: &'static str,
    done: u64,
    total: u64,
    /// Bytes of this phase, and how many it takes where that is known.
    came: u64,
    size: Option<u64>,
    began: i64,
    bytes: u64,
    told: Option<i64>,
    /// When how many bytes had come, in this phase.
    window: VecDeque<(i64, u64)>,
}

impl Meter {
    /// A phase begins, of so many mailboxes, changes or messages, and bytes where that is known.
    pub fn begin(&mut self, phase: &'static str, (total, size): (u64, Option<u64>), now: i64) {
        (self.phase, self.total, self.size, self.began) = (phase, total, size, now);
        (self.done, self.came, self.told) = (0, 0, None);
        self.window = VecDeque::from([(now, self.bytes)]);
    }

    /// More is done; what there is to report.
    pub fn step(&mut self, mailbox: &str, (done, bytes): (u64, u64), now: i64) -> Option<Progress> {
        self.done += done;
        self.came += bytes;
        self.bytes += bytes;
        self.window.push_back((now, self.bytes));
        while self.window.len() > 2 && self.window.get(1).is_some_and(|(at, _)| now - at >= WINDOW) {
            self.window.pop_front();
        }
        let is_last = self.done >= self.total;
        if !is_last && self.told.is_some_and(|told| (0..PAUSE).contains(&(now - told))) {
            return None;
        }
        self.told = Some(now);
        let (rate, remaining) = (self.rate(now), if is_last { Some(Duration::ZERO) } else { self.remaining(now) });
        let (mailbox, total) = (mailbox.to_owned(), self.total.max(self.done));
        Some(Progress { phase: self.phase, mailbox, done: self.done, total, bytes: self.bytes, rate, remaining })
    }

    #[allow(clippy::cast_precision_loss)]
    fn rate(&self, now: i64) -> Option<f64> {
        let (since, before) = *self.window.front()?;
        let span = now - since;
        (span >= ENOUGH).then(|| (self.bytes - before) as f64 * 1000.0 / span as f64)
    }

    #[allow(clippy::cast_precision_loss)]
    fn remaining(&self, now: i64) -> Option<Duration> {
        let seconds = match (self.size, self.rate(now)) {
            (Some(size), Some(rate)) if rate > 0.0 => size.saturating_sub(self.came) as f64 / rate,
            (None, _) if self.done > 0 && now - self.began >= ENOUGH => {
                (now - self.began) as f64 / 1000.0 * (self.total - self.done) as f64 / self.done as f64
            }
            _ => return None,
        };
        Duration::try_from_secs_f64(seconds).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_remains_follows_from_how_it_went() {
        let mut meter = Meter::default();
        meter.begin("headers", (400, None), 0);
        let first = meter.step("INBOX", (100, 1000), 200).unwrap();
        assert_eq!((first.done, first.total, first.rate, first.remaining), (100, 400, None, None));
        assert_eq!(meter.step("INBOX", (50, 500), 250), None, "ten times a second at most");
        let later = meter.step("INBOX", (50, 500), 1000).unwrap();
        assert_eq!((later.done, later.bytes, later.rate), (200, 2000, Some(2000.0)));
        assert_eq!(later.remaining, Some(Duration::from_secs(1)));
        let last = meter.step("Log", (200, 0), 1001).unwrap();
        assert_eq!((last.mailbox.as_str(), last.remaining), ("Log", Some(Duration::ZERO)));
    }

    #[test]
    fn bodies_take_as_long_as_their_bytes() {
        let mut meter = Meter::default();
        meter.begin("bodies", (2, Some(10_000)), 0);
        let told = meter.step("INBOX", (1, 1000), 1000).unwrap();
        assert_eq!(told.remaining, Some(Duration::from_secs(9)), "one of two is done, and a tenth of the bytes");
        meter.begin("bodies", (1, Some(500)), 20_000);
        let told = meter.step("INBOX", (0, 100), 21_000).unwrap();
        assert_eq!((told.bytes, told.rate), (1100, Some(100.0)), "what came in another phase is not counted");
    }

    #[test]
    fn a_clock_that_goes_back_stops_nothing() {
        let mut meter = Meter::default();
        meter.begin("headers", (10, None), 10_000);
        assert!(meter.step("INBOX", (1, 1), 10_000).is_some());
        let told = meter.step("INBOX", (1, 1), 1000).unwrap();
        assert_eq!((told.rate, told.remaining), (None, None));
    }
}
