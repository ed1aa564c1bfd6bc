//! Values that were asked for lately, in memory and within bounds of their size.

use hashlink::LruCache;
use std::fmt;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Values by their keys, those that were asked for last, as long as they are not too large together.
pub(crate) struct Recent<K, V> {
    most: usize,
    held: Mutex<Held<K, V>>,
}

struct Held<K, V> {
    /// With the size of each.
    values: LruCache<K, (V, usize)>,
    size: usize,
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    /// Holds values of `most` bytes together.
    pub fn new(most: usize) -> Self {
        Self { most, held: Mutex::new(Held { values: LruCache::new_unbounded(), size: 0 }) }
    }

    /// The value, if it is still held.
    pub fn find(&self, key: &K) -> Option<V> {
        self.held().values.get(key).map(|(value, _)| value.clone())
    }

    /// Holds a value of `size` bytes. Those that nobody asked for the longest make room for it; one that is larger than
    /// all of them may be is not held, and takes the place of none.
    pub fn put(&self, key: K, value: V, size: usize) {
        let mut held = self.held();
        held.forget(&key);
        if size > self.most {
            return;
        }
        held.size += size;
        held.values.insert(key, (value, size));
        while held.size > self.most
            && let Some((_, (_, size))) = held.values.remove_lru()
        {
            held.size -= size;
        }
    }

    fn held(&self) -> MutexGuard<'_, Held<K, V>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.held().values.is_empty()
    }
}

impl<K: Eq + Hash, V> Held<K, V> {
    fn forget(&mut self, key: &K) {
        self.size -= self.values.remove(key).map_or(0, |(_, size)| size);
    }
}

impl<K, V> fmt::Debug for Recent<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").field("most", &self.most).finish_non_exhaustive()
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
        assert_eq!((recent.find(&4), recent.find(&3), recent.find(&1)), (Some(5), Some(3), Some(1)));
    }

    #[test]
    fn what_is_too_large_is_not_held_and_takes_no_place() {
        let recent = Recent::new(10);
        [(1, 4), (2, 11), (1, 11)].iter().for_each(|(key, size)| recent.put(*key, *size, *size));
        assert_eq!(recent.find(&2), None);
        // A value that is not held any more must not be found as it was.
        assert!(recent.is_empty());
    }
}
