//! Which thread a message belongs to, found when it arrives; see the room `message` for the rule.

use super::{Link, MessageId, ThreadId, Writer};
use crate::error::Result;
use crate::message::arrive;

/// Puts a message that has just been inserted with these links into its thread, and joins threads that it shows to be
/// one. A new thread has the id of its first message.
pub fn assign(writer: &mut dyn Writer, message: MessageId, links: &[Link]) -> Result<ThreadId> {
    let mut known = Vec::new();
    for link in links {
        known.extend(writer.thread_of_id(&link.id)?.map(|thread| thread.0));
    }
    let arrival = arrive(known);
    let thread = ThreadId(arrival.thread.unwrap_or(message.0));
    for other in arrival.merged {
        writer.merge_thread(ThreadId(other), thread)?;
    }
    writer.set_thread(message, thread)?;
    Ok(thread)
}
