//! A first look at a header: whether a text can stand in it, before it is taken apart and decoded.

use memchr::memmem;

/// A header block in lower case whose fields decode to what stands there: printable ASCII, and no encoded words.
#[derive(Debug)]
pub(crate) struct PlainHeader(Vec<u8>);

impl PlainHeader {
    /// `None` for a block that has to be decoded.
    pub(crate) fn of(block: &[u8]) -> Option<Self> {
        let is_read = |byte: &u8| matches!(byte, b'\t' | b'\r' | b'\n' | 0x20..0x7f);
        let is_plain = block.iter().all(is_read) && memmem::find(block, b"=?").is_none();
        is_plain.then(|| Self(block.to_ascii_lowercase()))
    }

    /// Whether a field, or its name with it, can have `text`, which is in lower case. Where this says no, none has it.
    ///
    /// Unfolding changes white space alone, and so does writing `name: value`: what stands between stays together. So the
    /// longest such piece is looked for.
    pub(crate) fn may_have(&self, text: &str) -> bool {
        let pieces = text.split(|c: char| c.is_ascii_whitespace() || c.is_ascii_control() || c == ':');
        let longest = pieces.max_by_key(|piece| piece.len()).unwrap_or_default();
        memmem::find(&self.0, longest.as_bytes()).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Headers;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_a_first_look_does_not_see_is_in_no_field(
            block in "((Subject|To|X-a|S) ?:([a-cA-C:=? \t]|\r\n |\r\n\t|\n |\r|é|\u{1b}\\$B){0,20}(\r\n|\n)){0,4}",
            from in 0usize..80,
            length in 0usize..12,
        ) {
            let Some(plain) = PlainHeader::of(block.as_bytes()) else { return Ok(()) };
            let headers = Headers::parse(block.clone().into_bytes());
            let texts = headers.iter().map(|(name, value)| format!("{name}: {value}\n").to_lowercase());
            let text: String = texts.collect();
            let needle: String = text.chars().skip(from).take(length).collect();
            prop_assert!(plain.may_have(&needle), "{block:?} {needle:?}");
            for value in headers.get_all("Subject") {
                let needle: String = value.to_lowercase().chars().skip(from % 8).take(length).collect();
                prop_assert!(plain.may_have(&needle), "{block:?} {needle:?}");
            }
        }
    }

    #[test]
    fn most_that_is_not_there_is_seen_not_to_be() {
        let plain = PlainHeader::of(b"Subject: The Moth\r\n in the relay\r\n\r\n").unwrap();
        assert!(plain.may_have("moth in the") && plain.may_have("subject: the") && plain.may_have(""));
        assert!(!plain.may_have("butterfly") && !plain.may_have("moth relays") && !plain.may_have("möth"));
    }

    #[test]
    fn what_has_to_be_decoded_is_not_looked_at() {
        for block in
            ["Subject: =?utf-8?q?m=C3=B6th?=\r\n", "Subject: möth\r\n", "Subject: \u{1b}$B\r\n", "Subject: a\0b\r\n"]
        {
            assert!(PlainHeader::of(block.as_bytes()).is_none(), "{block:?}");
        }
    }
}
