//! What a reply or a forwarded message needs to know of a message on a live server.

use crate::error::Result;
use crate::message::{Original, ParsedMessage};
use crate::session::Message;

/// Fetches it. Only with its attachments, for a forwarded message, all of it crosses the network; a reply needs the
/// header and the text alone.
///
/// # Errors
///
/// As [`Message::headers`], [`Message::text`] and [`Message::raw`].
pub async fn original(message: &Message, with_attachments: bool) -> Result<Original> {
    if with_attachments {
        return Ok(Original::from(&ParsedMessage::parse(message.raw().await?)));
    }
    Ok(Original::new(&message.headers().await?, message.text().await?))
}
