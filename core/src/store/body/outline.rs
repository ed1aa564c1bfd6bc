//! Where the parts of a stored message are, found without making again what is stored apart.

use super::Content;
use crate::error::Result;
use crate::message::Outline;
use crate::store::Reader;

/// Messages up to this size, in bytes, are taken apart in memory; larger ones are outlined.
pub const SMALL: u64 = 1 << 20;
/// How much of a large message is read at a time, in bytes, before somebody else may ask the store.
pub const STRETCH: u64 = 8 << 20;

/// Goes through the next 8 MiB of a content, about, attachments not counted that are stored apart; whether it is over.
pub fn outline(reader: &dyn Reader, content: &mut Content, outline: &mut Outline) -> Result<bool> {
    let mut read = 0;
    while read < STRETCH {
        if let Some(passed) = content.pass() {
            outline.pass(passed.bytes, passed.lines, passed.end);
            continue;
        }
        let Some(piece) = content.next(reader)? else { return Ok(true) };
        outline.push(&piece);
        read += piece.len() as u64;
    }
    Ok(false)
}
