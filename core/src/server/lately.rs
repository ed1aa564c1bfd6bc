//! What clients of a server have asked for lately, in memory and within bounds: who reads a message by pieces, or from two
//! connections, need not wait for all of it with each.

use super::fetch::Large;
use crate::store::{ContentHash, MessageId};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// Most bytes of bodies that were fetched and are not held.
const BODIES: usize = 32 << 20;
/// Most bytes, about, that say where the parts of large messages are.
const LARGES: usize = 16 << 20;
/// Large messages that are looked through at a time. Each takes a mebibyte or two of memory, and 65 at most.
const TURNS: usize = 2;

/// What all connections of a server remember.
pub(super) struct Lately {
    /// Bodies that are not held.
    pub bodies: Recent<MessageId, Bytes>,
    /// Where the parts of large messages are. A content never changes.
    pub larges: Recent<ContentHash, Arc<Large>>,
    pub turns: Semaphore,
}

impl Default for Lately {
    fn default() -> Self {
        Self { bodies: Recent::new(BODIES), larges: Recent::new(LARGES), turns: Semaphore::new(TURNS) }
    }
}

/// Values by their keys, those that were asked for last, as long as they are not too large together.
pub(super) struct Recent<K, V> {
    most: usize,
    /// With the size of each, the last one first.
    held: Mutex<VecDeque<(K, V, usize)>>,
}

impl<K: PartialEq, V: Clone> Recent<K, V> {
    fn new(most: usize) -> Self {
        Self { most, held: Mutex::default() }
    }

    pub(super) fn find(&self, key: &K) -> Option<V> {
        let mut held = self.held();
        let at = held.iter().position(|(known, ..)| known == key)?;
        let found = held.remove(at)?;
        let value = found.1.clone();
        held.push_front(found);
        Some(value)
    }

    pub(super) fn put(&self, key: K, value: V, size: usize) {
        let mut held = self.held();
        held.retain(|(known, ..)| *known != key);
        held.push_front((key, value, size));
        while held.iter().map(|(.., size)| size).sum::<usize>() > self.most {
            held.pop_back();
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.held().is_empty()
    }

    fn held(&self) -> MutexGuard<'_, VecDeque<(K, V, usize)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_last_stays_and_no_more_than_may() {
        let recent = Recent::new(10);
        [(1, 4), (2, 4), (3, 2)].iter().for_each(|(key, size)| recent.put(*key, *key, *size));
        assert_eq!(recent.find(&1), Some(1));
        recent.put(4, 4, 1);
        assert_eq!([1, 2, 3, 4].map(|key| recent.find(&key)), [Some(1), None, Some(3), Some(4)]);
        recent.put(4, 5, 4);
        assert_eq!((recent.find(&4), recent.find(&1)), (Some(5), Some(1)));
        recent.put(6, 6, 11);
        assert_eq!([1, 3, 4, 6].map(|key| recent.find(&key)), [None; 4]);
    }
}
