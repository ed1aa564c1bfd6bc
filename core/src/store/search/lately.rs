//! Texts that searches have looked at lately: who looks for one phrase looks for the next one in the same mail.

use crate::error::Result;
use crate::store::ContentHash;
use hashlink::LruCache;
use std::sync::{Arc, Mutex, PoisonError};

/// Most bytes of text that are kept, 8 MiB, and most of one text.
const MOST: usize = 8 << 20;
const MOST_OF_ONE: usize = MOST / 16;

/// Texts by the content they are of, folded. A content never changes.
pub(super) struct Lately(Mutex<Kept>);

struct Kept {
    texts: LruCache<ContentHash, Arc<str>>,
    bytes: usize,
}

impl Default for Lately {
    fn default() -> Self {
        Self(Mutex::new(Kept { texts: LruCache::new_unbounded(), bytes: 0 }))
    }
}

impl std::fmt::Debug for Lately {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lately").finish_non_exhaustive()
    }
}

impl Lately {
    /// The text of a content, which `make` makes unless it is here.
    pub(super) fn text(&self, content: ContentHash, make: impl FnOnce() -> Result<String>) -> Result<Arc<str>> {
        if let Some(text) = self.with(|kept| kept.texts.get(&content).cloned()) {
            return Ok(text);
        }
        let text: Arc<str> = make()?.into();
        if text.len() <= MOST_OF_ONE {
            self.with(|kept| kept.put(content, Arc::clone(&text)));
        }
        Ok(text)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kept {
    /// Adds a text; those that nobody looked at for the longest make room for it.
    fn put(&mut self, content: ContentHash, text: Arc<str>) {
        self.bytes += text.len();
        let replaced = self.texts.insert(content, text);
        self.bytes -= replaced.map_or(0, |text| text.len());
        while self.bytes > MOST
            && let Some((_, text)) = self.texts.remove_lru()
        {
            self.bytes -= text.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: u8) -> ContentHash {
        ContentHash([number; 32])
    }

    #[test]
    fn a_text_is_made_once_until_others_have_taken_its_place() {
        let lately = Lately::default();
        let long = || Ok("x".repeat(MOST_OF_ONE));
        for number in 0..17 {
            lately.text(hash(number), long).unwrap();
        }
        assert_eq!(lately.with(|kept| kept.bytes), MOST);
        let mut made = Vec::new();
        for number in [16, 2, 0] {
            lately.text(hash(number), || long().inspect(|_| made.push(number))).unwrap();
        }
        assert_eq!(made, [0]);
    }

    #[test]
    fn a_text_that_would_fill_it_is_not_kept_and_one_that_fails_neither() {
        let lately = Lately::default();
        lately.text(hash(0), || Ok("x".repeat(MOST_OF_ONE + 1))).unwrap();
        assert!(lately.text(hash(1), || Err(crate::error::Code::StoreDamaged.into())).is_err());
        assert_eq!(&*lately.text(hash(1), || Ok("text".to_owned())).unwrap(), "text");
        assert_eq!(lately.with(|kept| (kept.bytes, kept.texts.len())), (4, 1));
    }
}
