//! Refused logins: how long the next refusal takes, for each peer and each user by itself. A stranger who guesses slows
//! down himself, and nobody whose password is right.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// The longest that a refusal is put off.
const SLOWEST: Duration = Duration::from_secs(4);
/// Refusals are forgotten after so many seconds.
const REMEMBERED: i64 = 900;
/// Most peers and users that are remembered.
const MOST: usize = 4096;

/// What is known of refusals.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// By the hash of a peer or of a name, which nobody outside can foresee: how many, and when the last one was, in
    /// seconds since 1970.
    seen: HashMap<u64, (u32, i64)>,
    hasher: RandomState,
}

impl Refusals {
    /// A login as that user is refused; how long to wait before it is told so.
    pub(super) fn note(&mut self, peer: IpAddr, user: &str, now: i64) -> Duration {
        let (peer, user) = (self.key((true, network(peer))), self.key((false, user)));
        let most = self.count(peer, now).max(self.count(user, now));
        Duration::from_millis(50 << most.min(8)).min(SLOWEST)
    }

    /// The user is in. A peer's own refusals stay: it may have an account here and guess at another's.
    pub(super) fn forgive(&mut self, user: &str) {
        let key = self.key((false, user));
        self.seen.remove(&key);
    }

    fn count(&mut self, key: u64, now: i64) -> u32 {
        if !self.seen.contains_key(&key) {
            self.make_room(now);
        }
        let (count, last) = self.seen.entry(key).or_insert((0, now));
        if now - *last > REMEMBERED {
            *count = 0;
        }
        (*count, *last) = (count.saturating_add(1), now);
        *count
    }

    /// Forgets what is old, and where that is not enough, whatever had the fewest refusals.
    fn make_room(&mut self, now: i64) {
        if self.seen.len() < MOST {
            return;
        }
        self.seen.retain(|_, (_, last)| now - *last <= REMEMBERED);
        while self.seen.len() >= MOST
            && let Some(key) = self.seen.iter().min_by_key(|(_, seen)| **seen).map(|(key, _)| *key)
        {
            self.seen.remove(&key);
        }
    }

    fn key(&self, of: impl Hash) -> u64 {
        self.hasher.hash_one(of)
    }
}

/// A peer, or the network that one customer has of IPv6 addresses.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, number])
    }

    #[test]
    fn a_stranger_slows_down_himself_and_nobody_else() {
        let mut refusals = Refusals::default();
        let first = refusals.note(peer(1), "eve", 0);
        for _ in 0..20 {
            refusals.note(peer(1), "eve", 0);
        }
        assert_eq!(refusals.note(peer(1), "eve", 0), SLOWEST);
        assert_eq!(refusals.note(peer(1), "ada", 0), SLOWEST, "the same peer");
        assert_eq!(refusals.note(peer(2), "eve", 0), SLOWEST, "guesses at one user from many peers");
        assert_eq!(refusals.note(peer(3), "bob", 0), first);
    }

    #[test]
    fn refusals_are_forgotten_in_time_and_a_users_own_when_he_is_in() {
        let mut refusals = Refusals::default();
        let first = refusals.note(peer(1), "ada", 0);
        assert!(refusals.note(peer(1), "ada", 0) > first);
        refusals.forgive("ada");
        assert_eq!(refusals.note(peer(2), "ada", 0), first);
        assert_eq!(refusals.note(peer(1), "eve", REMEMBERED + 1), first);
    }

    #[test]
    fn addresses_of_one_network_are_one_peer_and_memory_is_bounded() {
        let mut refusals = Refusals::default();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = refusals.note(address("2001:db8::1"), "a", 0);
        assert!(refusals.note(address("2001:db8::ffff:1"), "b", 0) > first);
        assert_eq!(network(address("::ffff:10.0.0.1")), peer(1));
        for number in 0..10_000 {
            refusals.note(peer(1), &number.to_string(), 0);
        }
        assert!(refusals.seen.len() <= MOST);
        assert_eq!(refusals.note(peer(1), "last", 0), SLOWEST, "whoever does most of it is not forgotten");
    }
}
