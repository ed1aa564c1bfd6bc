//! Words of the bodies that come, gathered while these are put down, so that the index need not read any of them again.

use super::bodies::Ready;
use crate::error::Result;
use crate::store::search::{Gathering, Texts};
use crate::store::{ContentHash, Durability, MessageId, Reader};
use crate::sync::books::Books;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What was gathered and is not in the index yet, shared by the batches under way. A pass that fails leaves it out: these
/// messages are not indexed yet, as any whose text has come.
#[derive(Clone, Default)]
pub(super) struct Words(Arc<Mutex<Gathering>>);

/// What of a body is indexed once it was put down.
pub(super) struct Indexable {
    message: MessageId,
    content: ContentHash,
    texts: Texts,
}

impl Indexable {
    /// Takes it out of what is ready to be put down.
    pub fn of(ready: &mut Ready) -> Option<Self> {
        let content = ready.packed.as_ref().ok()?.hash();
        Some(Self { message: ready.wanted.message, content, texts: ready.texts.take()? })
    }
}

impl Words {
    /// Adds bodies that were put down. What fills a segment goes into the index.
    pub async fn add(&self, books: &Books, bodies: Vec<Indexable>) -> Result<()> {
        let words = self.clone();
        let add = move |_: &dyn Reader| {
            let mut words = words.lock();
            bodies.iter().for_each(|body| words.add(body.message, body.content, &body.texts));
            Ok(words.is_full().then(|| std::mem::take(&mut *words)))
        };
        match books.read(add).await? {
            Some(full) => put(books, full).await,
            None => Ok(()),
        }
    }

    /// Puts what is left into the index.
    pub async fn index(&self, books: &Books) -> Result<()> {
        let left = std::mem::take(&mut *self.lock());
        if left.is_empty() { Ok(()) } else { put(books, left).await }
    }

    fn lock(&self) -> MutexGuard<'_, Gathering> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn put(books: &Books, gathering: Gathering) -> Result<()> {
    let gathered = books.read(move |_| Ok(gathering.finish())).await?;
    books.write(Durability::Bulk, move |writer, _| gathered.put_apart(writer)).await.map(drop)
}
