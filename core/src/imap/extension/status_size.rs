//! STATUS=SIZE (RFC 8438): how many bytes a mailbox holds.

use super::Extension;
use crate::imap::Capabilities;

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "STATUS=SIZE",
    rfc: 8438,
    about: "The size of a mailbox is told with its status",
    fallback: "It is not told; those of its messages are",
};

/// Whether STATUS can be asked for SIZE. IMAP4rev2 has taken it in.
#[must_use]
pub fn is_offered(caps: &Capabilities) -> bool {
    caps.has("STATUS=SIZE")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::extension::tests::responses;
    use crate::imap::{Response, Untagged};

    /// RFC 8438 section 2.
    #[test]
    fn the_size_of_a_mailbox_is_read() {
        let told = responses("* STATUS frop (MESSAGES 8 SIZE 44421 UIDNEXT 242344)\r\n");
        assert!(matches!(&told[0], Response::Data(Untagged::Status(s)) if s.items.size == Some(44_421)));
        assert!(is_offered(&["IMAP4rev2"].into_iter().collect()) && !is_offered(&Capabilities::default()));
    }
}
