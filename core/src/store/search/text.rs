//! What of a stored message is searched as text, without making its attachments again.

use crate::error::Result;
use crate::message::{self, ParsedMessage, SEARCHED, SearchFields};
use crate::query::{Matcher, Snippet, fold};
use crate::recent::Recent;
use crate::store::body::Content;
use crate::store::{ContentHash, MessageId, Reader, body};
use bytes::{Bytes, BytesMut};
use std::sync::Arc;

/// Most bytes of one text that is remembered.
const LARGEST: usize = 512 << 10;

/// Texts that searches have looked at lately, folded, by their contents, which never change: who looks for one phrase
/// looks for the next one in the same mail.
pub(super) type Lately = Recent<ContentHash, Arc<str>>;

/// What stands for an attachment: a line of base64.
const STAND_IN: &[u8] = b"AAAA\r\n";

/// The text of a message whose content is here, folded, its pieces in a line each.
pub(super) fn text(reader: &dyn Reader, message: MessageId, lately: &Lately) -> Result<Arc<str>> {
    let content = body::open(reader, message)?;
    let hash = content.hash();
    if let Some(text) = lately.find(&hash) {
        return Ok(text);
    }
    let text: Arc<str> = folded(&take_apart(reader, message, content)?).into();
    if text.len() <= LARGEST {
        lately.put(hash, Arc::clone(&text), text.len());
    }
    Ok(text)
}

/// The same of a message that is taken apart.
pub(super) fn folded(parsed: &ParsedMessage) -> String {
    message::search_texts(parsed).iter().map(|text| fold(text)).collect::<Vec<_>>().join("\n")
}

/// The piece of a message's text, or else of its subject, that has the most of what a query looks for, of about `width`
/// bytes; see [`Matcher::snippet`]. `None` where neither has any of it. A text that is not here has none.
pub fn snippet(reader: &dyn Reader, message: MessageId, matcher: &Matcher, width: usize) -> Result<Option<Snippet>> {
    if reader.search_facts(message)?.is_some_and(|facts| facts.body.is_some()) {
        let texts = message::search_texts(&parsed(reader, message)?);
        if let Some(found) = texts.iter().find_map(|text| matcher.snippet(text, width)) {
            return Ok(Some(found));
        }
    }
    let headers = reader.headers(message)?.map(|headers| message::Headers::parse(headers.header));
    Ok(headers.and_then(|headers| matcher.snippet(&SearchFields::of(&headers).subject, width)))
}

/// Whether something is attached to a message, as its content says.
pub(super) fn has_attachment(reader: &dyn Reader, message: MessageId) -> Result<bool> {
    Ok(message::parts(parsed(reader, message)?.structure()).has_attachment())
}

/// As much of a message as is searched, taken apart; attachments that are stored apart are left out, unless one turns
/// out to be text.
pub(crate) fn parsed(reader: &dyn Reader, message: MessageId) -> Result<ParsedMessage> {
    take_apart(reader, message, body::open(reader, message)?)
}

fn take_apart(reader: &dyn Reader, message: MessageId, content: Content) -> Result<ParsedMessage> {
    let (begin, gaps) = raw(reader, content, true)?;
    let parsed = ParsedMessage::parse(begin);
    if gaps.iter().all(|gap| parsed.is_opaque_at(*gap)) {
        return Ok(parsed);
    }
    let (whole, _) = raw(reader, body::open(reader, message)?, false)?;
    Ok(ParsedMessage::parse(whole))
}

/// The beginning of a message, and where attachments were left out.
fn raw(reader: &dyn Reader, mut content: Content, leave_out: bool) -> Result<(Bytes, Vec<usize>)> {
    let (mut raw, mut gaps, mut seen) = (BytesMut::new(), Vec::new(), 0);
    while seen < SEARCHED {
        let passed = if leave_out { content.pass() } else { None };
        if let Some(passed) = passed {
            gaps.push(raw.len());
            raw.extend_from_slice(STAND_IN);
            seen = seen.saturating_add(usize::try_from(passed.bytes).unwrap_or(usize::MAX));
            continue;
        }
        let Some(piece) = content.next(reader)? else { break };
        let length = piece.len().min(SEARCHED - seen);
        raw.extend_from_slice(piece.get(..length).unwrap_or_default());
        seen += length;
    }
    Ok((raw.freeze(), gaps))
}
