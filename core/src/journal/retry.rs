//! When to try again: pure, with the time and the randomness given.

use super::{Entry, Reason, State};
use std::time::Duration;

/// The first bound of the delay, and the last.
const FIRST: Duration = Duration::from_secs(2);
const LAST: Duration = Duration::from_secs(300);
/// The most that a server may ask for (Exchange asks for five minutes, and for more to come).
const MOST_SUGGESTED: Duration = Duration::from_secs(15 * 60);
/// How often an intent is tried whose command the server takes and does not answer for good.
pub const MOST_ATTEMPTS: u32 = 20;

/// How long to wait after `attempts` failures: full jitter under a bound that doubles, so that many devices do not come
/// back at once. What the server `suggested` is kept, and stretched by up to a tenth. `random` is in `0.0..1.0`.
#[must_use]
pub fn delay(attempts: u32, suggested: Option<Duration>, random: f64) -> Duration {
    let random = random.clamp(0.0, 1.0);
    if let Some(suggested) = suggested {
        let kept = suggested.min(MOST_SUGGESTED);
        return (kept + kept.mul_f64(random / 10.0)).max(Duration::from_secs(1));
    }
    let doubled = 1u32.checked_shl(attempts.saturating_sub(1).min(16)).unwrap_or(u32::MAX);
    FIRST.saturating_mul(doubled).min(LAST).mul_f64(random).max(Duration::from_secs(1))
}

/// Whether it is time to try an entry. One that is due later than any delay can make it was put off by a clock that was
/// ahead.
#[must_use]
pub fn is_due(entry: &Entry, now: i64) -> bool {
    let longest = delay(1, Some(MOST_SUGGESTED), 1.0).as_secs();
    let waits = entry.not_before.saturating_sub(now);
    waits <= 0 || waits.unsigned_abs() > longest
}

/// An entry after an attempt that decided nothing: to be tried again after a delay, or parked after too many.
#[must_use]
pub fn again(mut entry: Entry, now: i64, suggested: Option<Duration>, random: f64) -> Entry {
    entry.attempts = entry.attempts.saturating_add(1);
    if entry.attempts >= MOST_ATTEMPTS {
        entry.state = State::Parked { reason: Reason::TooManyTries, server: None };
        return entry;
    }
    let wait = delay(entry.attempts, suggested, random).as_secs();
    entry.not_before = now.saturating_add(i64::try_from(wait).unwrap_or(i64::MAX));
    entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::{entry, flag};

    #[test]
    fn the_bound_doubles_up_to_five_minutes() {
        let waits: Vec<u64> = (1..11).map(|n| delay(n, None, 1.0).as_secs()).collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(delay(0, None, 0.5).as_secs(), 1);
        assert_eq!(delay(u32::MAX, None, 1.0).as_secs(), 300);
        assert_eq!(delay(9, None, 0.0).as_secs(), 1);
    }

    #[test]
    fn what_the_server_asks_for_is_kept_up_to_a_quarter_of_an_hour() {
        let asked = Duration::from_millis(299_961);
        assert_eq!(delay(1, Some(asked), 0.0), asked);
        assert!(delay(1, Some(asked), 1.0) > asked);
        assert_eq!(delay(1, Some(Duration::from_secs(86_400)), 0.0), MOST_SUGGESTED);
        assert_eq!(delay(1, Some(Duration::ZERO), 0.0), Duration::from_secs(1));
    }

    #[test]
    fn a_clock_that_was_ahead_puts_nothing_off_for_years() {
        let mut tried = again(entry(1, flag(5, &["\\Seen"], &[])), 1000, Some(MOST_SUGGESTED), 1.0);
        assert!(!is_due(&tried, 1000) && is_due(&tried, tried.not_before));
        tried.not_before += 8 * 365 * 86_400;
        assert!(is_due(&tried, 1000));
    }

    #[test]
    fn an_attempt_that_decides_nothing_is_repeated_and_in_the_end_parked() {
        let mut tried = entry(1, flag(5, &["\\Seen"], &[]));
        for _ in 1..MOST_ATTEMPTS {
            tried = again(tried, 1000, None, 1.0);
            assert!(tried.state.is_open() && tried.not_before > 1000);
        }
        let parked = again(tried, 1000, None, 1.0);
        assert_eq!(parked.state, State::Parked { reason: Reason::TooManyTries, server: None });
    }
}
