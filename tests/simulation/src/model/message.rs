//! What a message is, apart from where it lies.

use super::mime::Part;
use super::structure;
use std::sync::OnceLock;

/// The bytes of a message and what is read from them, once.
#[derive(Debug)]
pub struct Content {
    /// The whole message.
    pub bytes: Vec<u8>,
    /// Names this content (RFC 8474, EMAILID).
    pub email_id: u64,
    root: OnceLock<Part>,
    envelope: OnceLock<Vec<u8>>,
}

impl Content {
    /// A new message.
    #[must_use]
    pub fn new(bytes: Vec<u8>, email_id: u64) -> Self {
        Self { bytes, email_id, root: OnceLock::new(), envelope: OnceLock::new() }
    }

    pub(super) fn root(&self) -> &Part {
        self.root.get_or_init(|| Part::parse(&self.bytes))
    }

    pub(super) fn envelope(&self) -> &[u8] {
        self.envelope.get_or_init(|| structure::envelope(self.root()))
    }

    pub(super) fn structure(&self, extended: bool) -> Vec<u8> {
        structure::structure(&self.bytes, self.root(), extended)
    }

    /// The first field of that name, which is in lower case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.root().field(name)
    }

    /// The section that BODY[…] names: `1.2.MIME`, `HEADER.FIELDS`, …; `None` where there is no such part.
    pub(super) fn section(&self, section: &str, fields: &[String]) -> Option<Vec<u8>> {
        let (mut part, mut top, mut words) =
            (self.root(), true, section.split('.').filter(|w| !w.is_empty()).peekable());
        while let Some(number) = words.peek().and_then(|w| w.parse().ok()) {
            part = if top { root_part(part, number)? } else { part.number(number)? };
            top = false;
            words.next();
        }
        let name = words.collect::<Vec<_>>().join(".");
        let bytes = &self.bytes;
        // HEADER and TEXT of a part are those of the message in it.
        let inner = if top { Some(part) } else { part.message.as_deref() };
        match name.as_str() {
            "" if top => Some(bytes.clone()),
            "" => Some(bytes[part.body.clone()].to_vec()),
            "MIME" => Some(bytes[part.header.clone()].to_vec()),
            "HEADER" => inner.map(|p| bytes[p.header.clone()].to_vec()),
            "TEXT" => inner.map(|p| bytes[p.body.clone()].to_vec()),
            "HEADER.FIELDS" => inner.map(|p| chosen(&bytes[p.header.clone()], fields, true)),
            "HEADER.FIELDS.NOT" => inner.map(|p| chosen(&bytes[p.header.clone()], fields, false)),
            _ => None,
        }
    }
}

/// At the top a message/rfc822 counts as one part, not as the message in it.
fn root_part(root: &Part, number: u32) -> Option<&Part> {
    if root.message.is_some() { (number == 1).then_some(root) } else { root.number(number) }
}

/// The header's fields whose name is (or is not) among `names`, and the empty line.
fn chosen(header: &[u8], names: &[String], wanted: bool) -> Vec<u8> {
    let (mut out, mut take) = (Vec::new(), false);
    for line in header.split_inclusive(|b| *b == b'\n') {
        if line == b"\r\n" || line == b"\n" {
            break;
        }
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            let name = line.split(|b| *b == b':').next().unwrap_or_default().trim_ascii();
            take = names.iter().any(|n| n.as_bytes().eq_ignore_ascii_case(name)) == wanted;
        }
        if take {
            out.extend_from_slice(line);
        }
    }
    out.extend_from_slice(b"\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_found() {
        let inner = "Subject: inner\r\n\r\ninside\r\n";
        let bytes = format!(
            "Subject: outer\r\nX-A: 1\r\n 2\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n\
             Content-Type: message/rfc822\r\n\r\n{inner}\r\n--b--\r\n"
        );
        let content = Content::new(bytes.clone().into_bytes(), 1);
        let text = |section: &str, fields: &[&str]| {
            let fields: Vec<String> = fields.iter().map(|f| (*f).to_owned()).collect();
            content.section(section, &fields).map(|b| String::from_utf8(b).unwrap())
        };
        assert_eq!(text("", &[]), Some(bytes));
        assert_eq!(text("1", &[]).as_deref(), Some("one"));
        assert_eq!(text("2.MIME", &[]).as_deref(), Some("Content-Type: message/rfc822\r\n\r\n"));
        assert_eq!(text("2.HEADER", &[]).as_deref(), Some("Subject: inner\r\n\r\n"));
        assert_eq!(text("2.1", &[]).as_deref(), Some("inside\r\n"));
        assert_eq!(text("HEADER.FIELDS", &["x-a"]).as_deref(), Some("X-A: 1\r\n 2\r\n\r\n"));
        assert_eq!(text("3", &[]), None);
    }
}
