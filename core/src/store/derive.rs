//! What a store derives from a header: the digest a message is known by, and the Message-IDs it is found by.

use super::{Link, LinkKind};
use crate::imap::InternalDate;
use crate::journal::{Digest, Traits};
use crate::message;
use bytes::Bytes;

/// Most References that are kept of one message: the root, and the last ones.
const MOST_REFERENCES: usize = 64;

/// What a message is known by when its UID says nothing.
#[must_use]
pub fn digest(header: &Bytes, size: u64, internal_date: InternalDate) -> Digest {
    let headers = message::Headers::parse(header.clone());
    Digest::of(&Traits {
        size,
        internal_date: Some(internal_date.seconds),
        message_id: headers.get_raw("Message-ID"),
        header: Digest::of_header(header),
    })
}

/// The Message-IDs that a header has and refers to, in the order of its fields; each once.
#[must_use]
pub fn links(header: &Bytes) -> Vec<Link> {
    let headers = message::Headers::parse(header.clone());
    let field = |name| headers.get_raw(name).map(message::message_ids).unwrap_or_default();
    let own = field("Message-ID").into_iter().take(1).map(|id| Link { kind: LinkKind::Own, id });
    let reply = field("In-Reply-To").into_iter().take(MOST_REFERENCES).map(|id| Link { kind: LinkKind::ReplyTo, id });
    let all = field("References");
    let skipped = all.len().saturating_sub(MOST_REFERENCES);
    let kept = all.into_iter().enumerate().filter(|(at, _)| *at == 0 || *at > skipped);
    let references = kept.map(|(_, id)| Link { kind: LinkKind::Reference, id });
    let mut links: Vec<Link> = Vec::new();
    for link in own.chain(reply).chain(references) {
        if !links.contains(&link) {
            links.push(link);
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_and_refers_to_message_ids() {
        let header = b"Message-ID: <c@x>\r\nIn-Reply-To: Your note <b@x> of Monday\r\n\
                       References: <a@x>\r\n\t<b@x> <a@x> <broken\r\n\r\n";
        let links = links(&Bytes::from_static(header));
        let shown: Vec<_> = links.iter().map(|link| (link.kind, link.id.as_str())).collect();
        let expected = [
            (LinkKind::Own, "c@x"),
            (LinkKind::ReplyTo, "b@x"),
            (LinkKind::Reference, "a@x"),
            (LinkKind::Reference, "b@x"),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn very_many_references_are_cut_to_the_root_and_the_last() {
        let many: String = (0..1000).map(|n| format!(" <{n}@x>\r\n")).collect();
        let links = links(&Bytes::from(format!("References:{many}\r\n")));
        assert_eq!((links.len(), links[0].id.as_str()), (MOST_REFERENCES, "0@x"));
        assert_eq!(links.last().unwrap().id, "999@x");
    }
}
