//! How long to wait before the next attempt: pure, with the randomness given.

use std::time::Duration;

/// The first bound, and the last.
const FIRST: Duration = Duration::from_secs(1);
const LAST: Duration = Duration::from_secs(300);
/// A connection that has lived this long was a good one: the next loss begins anew. A server that accepts logins and
/// drops them would otherwise be asked again and again at full speed.
const PROVEN: Duration = Duration::from_secs(300);

/// Full jitter: any time between nothing and a bound that doubles, so that many clients do not come back at once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The time to wait after a connection that has lived for `lived`; `random` is in `0.0..1.0`.
    pub fn next(&mut self, lived: Duration, random: f64) -> Duration {
        if lived >= PROVEN {
            self.failures = 0;
        }
        let bound = FIRST.saturating_mul(1 << self.failures.min(16)).min(LAST);
        self.failures = self.failures.saturating_add(1);
        bound.mul_f64(random.clamp(0.0, 1.0)).max(Duration::from_millis(50))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_five_minutes() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..12).map(|_| backoff.next(Duration::ZERO, 1.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    }

    #[test]
    fn only_a_connection_that_has_lived_begins_it_anew() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..5).map(|_| backoff.next(Duration::from_secs(10), 1.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16]);
        assert_eq!(backoff.next(Duration::from_secs(299), 1.0).as_secs(), 32);
        assert_eq!(backoff.next(Duration::from_secs(300), 1.0).as_secs(), 1);
    }

    #[test]
    fn jitter_spreads_over_the_whole_bound_and_is_never_nothing() {
        let mut backoff = Backoff { failures: 4 };
        assert_eq!(backoff.next(Duration::ZERO, 0.5).as_secs(), 8);
        assert_eq!(backoff.next(Duration::ZERO, 0.0), Duration::from_millis(50));
    }
}
