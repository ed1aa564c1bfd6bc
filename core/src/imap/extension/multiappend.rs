//! MULTIAPPEND (RFC 3502): several messages in one APPEND, all or none of them.

use super::Extension;
use crate::imap::Capabilities;
use crate::imap::command::AppendMessage;

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "MULTIAPPEND",
    rfc: 3502,
    about: "Many small messages are appended in one command",
    fallback: "One APPEND for each, sent without waiting",
};

/// The messages of each command: as many as together have no more than `most` bytes and `count` messages, or one each.
#[must_use]
pub fn batches(caps: &Capabilities, messages: Vec<AppendMessage>, count: usize, most: u64) -> Vec<Vec<AppendMessage>> {
    let count = if caps.has("MULTIAPPEND") { count } else { 1 };
    let mut batches: Vec<Vec<AppendMessage>> = Vec::new();
    let mut bytes = 0;
    for message in messages {
        let size = message.body.len();
        match batches.last_mut().filter(|b| b.len() < count && bytes + size <= most) {
            Some(batch) => batch.push(message),
            None => {
                bytes = 0;
                batches.push(vec![message]);
            }
        }
        bytes += size;
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::command::AppendBody;

    #[test]
    fn batches_are_bounded_and_keep_the_order() {
        let body = AppendBody::Stream;
        let message = |len| AppendMessage { flags: Vec::new(), internal_date: None, body: body(len), binary: false };
        let sizes = |caps: &[&str]| -> Vec<Vec<u64>> {
            let caps: Capabilities = caps.iter().collect();
            let batches = batches(&caps, [4, 4, 4, 50, 1, 1, 1, 1].map(message).to_vec(), 3, 10);
            batches.iter().map(|b| b.iter().map(|m| m.body.len()).collect()).collect()
        };
        assert_eq!(sizes(&["MULTIAPPEND"]), [vec![4, 4], vec![4], vec![50], vec![1, 1, 1], vec![1]]);
        assert_eq!(sizes(&[]).len(), 8);
    }
}
