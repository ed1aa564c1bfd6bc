//! The change feed, as its consumers read it.
//!
//! A consumer keeps the cursor with its own data, in the same transaction: then it sees each change exactly once,
//! whatever is killed when. What is told is that something changed; how it is now is read from the store.

use super::{Cursor, FeedRow, Reader, StoreId};
use crate::error::{Code, MailError, Result};

/// A piece of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// What happened, in order.
    pub rows: Vec<FeedRow>,
    /// Where to go on.
    pub cursor: Cursor,
    /// Whether there was nothing after it in this snapshot.
    pub is_last: bool,
}

/// The place after everything that has happened.
pub fn now(reader: &dyn Reader, store: &StoreId) -> Result<Cursor> {
    Ok(Cursor { store: store.clone(), number: reader.feed_bounds()?.1 })
}

/// At most `limit` changes after the cursor. `cursor.expired` where the retention has taken some of them, or the
/// cursor is of another store: a rebuilt one, or a copy that was gone on with.
pub fn since(reader: &dyn Reader, store: &StoreId, cursor: &Cursor, limit: usize) -> Result<Batch> {
    let (floor, newest) = reader.feed_bounds()?;
    if cursor.store != *store {
        return Err(expired("It is the cursor of another store"));
    }
    if cursor.number < floor || cursor.number > newest {
        return Err(expired("The changes since then are no longer all there"));
    }
    let rows = reader.feed(cursor.number, limit)?;
    let number = rows.last().map_or(cursor.number, |row| row.number);
    Ok(Batch { is_last: number == newest, rows, cursor: Cursor { store: store.clone(), number } })
}

fn expired(text: &str) -> MailError {
    MailError::new(Code::CursorExpired, text).hint("Read everything anew, then go on from a new cursor")
}
