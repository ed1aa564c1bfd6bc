//! What of a stored message is searched as text, without making its attachments again.

use crate::error::Result;
use crate::message::{self, ParsedMessage, SEARCHED};
use crate::query::fold;
use crate::store::{MessageId, Reader, body};
use bytes::{Bytes, BytesMut};

/// What stands for an attachment: a line of base64.
const STAND_IN: &[u8] = b"AAAA\r\n";

/// The text of a message whose content is here, folded, its pieces in a line each.
pub(super) fn text(reader: &dyn Reader, message: MessageId) -> Result<String> {
    let parsed = parsed(reader, message)?;
    Ok(message::search_texts(&parsed).iter().map(|text| fold(text)).collect::<Vec<_>>().join("\n"))
}

/// Whether something is attached to a message, as its content says.
pub(super) fn has_attachment(reader: &dyn Reader, message: MessageId) -> Result<bool> {
    Ok(message::parts(parsed(reader, message)?.structure()).has_attachment())
}

/// As much of a message as is searched, taken apart; attachments that are stored apart are left out, unless one turns
/// out to be text.
fn parsed(reader: &dyn Reader, message: MessageId) -> Result<ParsedMessage> {
    let (raw, gaps) = raw(reader, message, true)?;
    let parsed = ParsedMessage::parse(raw);
    if gaps.iter().all(|gap| parsed.is_opaque_at(*gap)) {
        return Ok(parsed);
    }
    Ok(ParsedMessage::parse(raw_whole(reader, message)?))
}

fn raw_whole(reader: &dyn Reader, message: MessageId) -> Result<Bytes> {
    raw(reader, message, false).map(|(raw, _)| raw)
}

/// The beginning of a message, and where attachments were left out.
fn raw(reader: &dyn Reader, message: MessageId, leave_out: bool) -> Result<(Bytes, Vec<usize>)> {
    let mut content = body::open(reader, message)?;
    let (mut raw, mut gaps, mut seen) = (BytesMut::new(), Vec::new(), 0);
    while seen < SEARCHED {
        let passed = if leave_out { content.pass() } else { None };
        if let Some(length) = passed {
            gaps.push(raw.len());
            raw.extend_from_slice(STAND_IN);
            seen = seen.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
            continue;
        }
        let Some(piece) = content.next(reader)? else { break };
        let length = piece.len().min(SEARCHED - seen);
        raw.extend_from_slice(piece.get(..length).unwrap_or_default());
        seen += length;
    }
    Ok((raw.freeze(), gaps))
}
