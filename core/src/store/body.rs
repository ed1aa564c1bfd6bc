//! Contents: whole messages, as streams in both directions, byte for byte as they came.
//!
//! What is stored of a message is smaller than it: its header, which the message's row has already, is left out; runs
//! of base64 that can be restored exactly are stored decoded; the rest of it is compressed in chunks of 256 KiB. What
//! decodes to 4 KiB or more and is no text is a content of its own, a part, stored once for all contents that it stands
//! in. A recipe says how to make the message of it again. Before a content is published, it was made again once and compared.
//!
//! Contents that are small are made ready by [`pack`], before a transaction is open, and go in whole ([`Packed::put`],
//! [`put()`]). Large ones are staged ([`Staging`]) in short transactions of their own, and published in another.

mod outline;
mod put;
mod read;
mod recipe;
mod split;
mod stage;

pub use outline::{SMALL, STRETCH, outline};
pub use put::{Packed, pack, put};
pub use read::{Content, Passed, hash_of as hash, open, read};
pub use stage::Staging;

use crate::error::{Code, MailError, Result};

/// Largest content, in bytes.
pub const LARGEST: u64 = 2 << 30;

fn check_size(size: u64) -> Result<()> {
    if size > LARGEST {
        return Err(MailError::new(Code::LimitExceeded, "A message is at most 2 GiB"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
