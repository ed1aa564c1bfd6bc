//! ENVELOPE of a raw header, as a server makes it (RFC 9051 section 7.5.2): fields unfolded and otherwise as they came,
//! encoded words still in them.

use super::headers::Headers;
use crate::imap::render::nstring;
use bytes::Bytes;

/// Longest address field that is taken apart, in bytes: room for some 10,000 addresses (CVE-2024-23184).
const LONGEST_FIELD: usize = 512 * 1024;

/// The ENVELOPE of a header. Sender and Reply-To are From where they are missing or empty.
///
/// ```
/// use mailtide::message::{Headers, envelope_text};
///
/// let headers = Headers::parse(&b"Subject: Tea?\r\nFrom: =?utf-8?Q?Ad=C3=A4?= <ada@example.org>\r\n\r\n"[..]);
/// let from = r#"(("=?utf-8?Q?Ad=C3=A4?=" NIL "ada" "example.org"))"#;
/// let expected = format!(r#"(NIL "Tea?" {from} {from} {from} NIL NIL NIL NIL NIL)"#);
/// assert_eq!(envelope_text(&headers), expected);
/// ```
#[must_use]
pub fn envelope_text(headers: &Headers) -> Bytes {
    let mut out = vec![b'('];
    nstring(&mut out, unfolded(headers, "Date").as_deref());
    out.push(b' ');
    nstring(&mut out, unfolded(headers, "Subject").as_deref());
    for names in [["From", "From"], ["Sender", "From"], ["Reply-To", "From"], ["To", ""], ["Cc", ""], ["Bcc", ""]] {
        out.push(b' ');
        addresses(&mut out, headers, &names);
    }
    for name in ["In-Reply-To", "Message-ID"] {
        out.push(b' ');
        nstring(&mut out, unfolded(headers, name).as_deref());
    }
    out.push(b')');
    out.into()
}

/// A field in one line (RFC 5322 section 2.2.3).
fn unfolded(headers: &Headers, name: &str) -> Option<Vec<u8>> {
    let value = headers.get_raw(name)?;
    Some(value.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n' | 0)).collect())
}

fn addresses(out: &mut Vec<u8>, headers: &Headers, names: &[&str]) {
    let found = names.iter().find_map(|name| unfolded(headers, name).filter(|value| !value.is_empty()));
    let all = found.map(|value| Reader::read(&value)).unwrap_or_default();
    if all.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for [name, route, mailbox, host] in all {
        out.push(b'(');
        nstring(out, name.as_deref());
        for field in [route, mailbox, host] {
            out.push(b' ');
            nstring(out, field.as_deref());
        }
        out.push(b')');
    }
    out.push(b')');
}

/// Name, route, mailbox, host.
type Parts = [Option<Vec<u8>>; 4];

/// Reads an address list (RFC 5322 section 3.4, with what section 4.4 still lets people send) in one walk.
#[derive(Default)]
struct Reader {
    all: Vec<Parts>,
    /// What stands before an angle bracket, or is an address by itself.
    words: Vec<u8>,
    /// Where in `words` the last `@` outside of quotes is.
    at: Option<usize>,
    /// A gap of white space before the next word.
    gap: bool,
    /// What stands in angle brackets, with its last `@`.
    angle: Option<(Vec<u8>, Option<usize>)>,
    is_angle_open: bool,
    comment: Option<Vec<u8>>,
    in_group: bool,
}

impl Reader {
    fn read(value: &[u8]) -> Vec<Parts> {
        let mut reader = Self::default();
        let mut rest = value.get(..LONGEST_FIELD).unwrap_or(value);
        while let Some((byte, after)) = rest.split_first() {
            rest = match byte {
                b'"' => reader.quoted(after),
                b'(' => reader.comment(after),
                _ => {
                    reader.byte(*byte);
                    after
                }
            };
        }
        reader.end();
        if reader.in_group {
            reader.all.push(Parts::default());
        }
        reader.all
    }

    fn byte(&mut self, byte: u8) {
        match byte {
            b'<' if !self.is_angle_open => (self.angle, self.is_angle_open) = (Some((Vec::new(), None)), true),
            b'>' if self.is_angle_open => self.is_angle_open = false,
            b',' if !self.is_angle_open || !self.is_route() => self.end(),
            b':' if self.is_angle_open => self.push(byte),
            b':' if !self.in_group => self.begin_group(),
            b';' if self.in_group && !self.is_angle_open => {
                self.end();
                self.in_group = false;
                self.all.push(Parts::default());
            }
            b' ' | b'\t' => self.gap = true,
            _ => self.push(byte),
        }
    }

    /// Whether the open angle bracket begins with a source route: `<@a,@b:user@host>`.
    fn is_route(&self) -> bool {
        self.angle.as_ref().is_some_and(|(text, _)| text.first() == Some(&b'@') && !text.contains(&b':'))
    }

    fn push(&mut self, byte: u8) {
        let (text, at) = match &mut self.angle {
            Some((text, at)) if self.is_angle_open => (text, at),
            // What follows a closed bracket belongs to nothing.
            Some(_) => return,
            None => (&mut self.words, &mut self.at),
        };
        // White space round dots and the `@` is none of the address.
        let is_joint = |byte: Option<&u8>| matches!(byte, Some(b'.' | b'@'));
        if self.gap && !text.is_empty() && !self.is_angle_open && !is_joint(text.last()) && !is_joint(Some(&byte)) {
            text.push(b' ');
        }
        self.gap = false;
        if byte == b'@' {
            *at = Some(text.len());
        }
        text.push(byte);
    }

    /// A quoted string, whose content is taken as it is meant.
    fn quoted<'a>(&mut self, mut rest: &'a [u8]) -> &'a [u8] {
        while let Some((byte, after)) = rest.split_first() {
            rest = after;
            match (byte, rest.split_first()) {
                (b'"', _) => break,
                (b'\\', Some((escaped, after))) => {
                    self.text(*escaped);
                    rest = after;
                }
                _ => self.text(*byte),
            }
        }
        rest
    }

    /// A byte of a quoted string: no `@` of an address.
    fn text(&mut self, byte: u8) {
        let at = match &self.angle {
            Some((_, at)) => *at,
            None => self.at,
        };
        self.push(byte);
        match &mut self.angle {
            Some((_, place)) => *place = at,
            None => self.at = at,
        }
    }

    fn comment<'a>(&mut self, mut rest: &'a [u8]) -> &'a [u8] {
        let (mut depth, mut text) = (1_usize, Vec::new());
        while let Some((byte, after)) = rest.split_first() {
            rest = after;
            match byte {
                b'(' => depth += 1,
                b')' => depth -= 1,
                b'\\' => {
                    if let Some((escaped, after)) = rest.split_first() {
                        text.push(*escaped);
                        rest = after;
                        continue;
                    }
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
            text.push(*byte);
        }
        self.gap = true;
        self.comment = Some(text);
        rest
    }

    fn begin_group(&mut self) {
        let name = std::mem::take(&mut self.words);
        (self.at, self.gap, self.in_group) = (None, false, true);
        self.all.push([None, None, Some(name), None]);
    }

    fn end(&mut self) {
        let (words, at) = (std::mem::take(&mut self.words), self.at.take());
        let comment = self.comment.take().filter(|comment| !comment.is_empty());
        (self.gap, self.is_angle_open) = (false, false);
        match self.angle.take() {
            Some((spec, at)) => {
                let name = Some(words).filter(|words| !words.is_empty()).or(comment);
                let (route, spec, at) = without_route(spec, at);
                let (mailbox, host) = split(&spec, at);
                self.all.push([name, route, Some(mailbox), Some(host)]);
            }
            None if words.is_empty() => {}
            None => {
                let (mailbox, host) = split(&words, at);
                self.all.push([comment, None, Some(mailbox), Some(host)]);
            }
        }
    }
}

/// Takes a source route off.
fn without_route(spec: Vec<u8>, at: Option<usize>) -> (Option<Vec<u8>>, Vec<u8>, Option<usize>) {
    let colon = spec.iter().position(|byte| *byte == b':').filter(|_| spec.first() == Some(&b'@'));
    match colon.and_then(|colon| spec.split_at_checked(colon)) {
        Some((route, rest)) => {
            let rest = rest.get(1..).unwrap_or_default().to_vec();
            let at = at.and_then(|at| at.checked_sub(route.len() + 1));
            (Some(route.to_vec()), rest, at)
        }
        None => (None, spec, at),
    }
}

/// Before and after the `@`. One that has no domain has an empty one, since NIL begins a group.
fn split(spec: &[u8], at: Option<usize>) -> (Vec<u8>, Vec<u8>) {
    let (mailbox, host) = at.and_then(|at| spec.split_at_checked(at)).unwrap_or((spec, b"@"));
    (mailbox.to_vec(), host.get(1..).unwrap_or_default().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn to(value: &str) -> String {
        let headers = Headers::parse(format!("To: {value}\r\n\r\n").into_bytes());
        let text = String::from_utf8_lossy(&envelope_text(&headers)).into_owned();
        text.strip_prefix("(NIL NIL NIL NIL NIL ").unwrap().strip_suffix(" NIL NIL NIL NIL)").unwrap().to_owned()
    }

    #[test]
    fn addresses_are_taken_apart_and_stay_encoded() {
        for (value, expected) in [
            ("ada@example.org", r#"((NIL NIL "ada" "example.org"))"#),
            ("ada@example.org (Ada)", r#"(("Ada" NIL "ada" "example.org"))"#),
            ("\"B, Charles\" <cb@example.org>", r#"(("B, Charles" NIL "cb" "example.org"))"#),
            ("=?utf-8?Q?caf=C3=A9?= <c@x>, d@y", r#"(("=?utf-8?Q?caf=C3=A9?=" NIL "c" "x")(NIL NIL "d" "y"))"#),
            ("Mary <@a.tld,@b.tld:mary@x.net>", r#"(("Mary" "@a.tld,@b.tld" "mary" "x.net"))"#),
            ("j   . doe @ x.y", r#"((NIL NIL "j.doe" "x.y"))"#),
            ("\"a@b\"@c", r#"((NIL NIL "a@b" "c"))"#),
            ("\"x \\\" y\" <a@b>", r#"(("x \" y" NIL "a" "b"))"#),
            ("root", r#"((NIL NIL "root" ""))"#),
            ("undisclosed-recipients:;", r#"((NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL))"#),
            (
                "G: a@b, c@d;, e@f",
                r#"((NIL NIL "G" NIL)(NIL NIL "a" "b")(NIL NIL "c" "d")(NIL NIL NIL NIL)(NIL NIL "e" "f"))"#,
            ),
            (",,", "NIL"),
            ("Ada <>", r#"(("Ada" NIL "" ""))"#),
        ] {
            assert_eq!(to(value), expected, "{value}");
        }
    }

    #[test]
    fn an_empty_reply_to_is_the_sender_and_bytes_beyond_ascii_are_literals() {
        let headers = Headers::parse(&b"Subject: caf\xe9\r\n bar\r\nFrom: a@b\r\nReply-To:\r\n\r\n"[..]);
        let from = r#"((NIL NIL "a" "b"))"#;
        let expected =
            [b"(NIL {8}\r\ncaf\xe9 bar ", format!("{from} {from} {from} NIL NIL NIL NIL NIL)").as_bytes()].concat();
        assert_eq!(envelope_text(&headers), expected);
    }

    proptest! {
        #[test]
        fn whatever_a_header_holds_the_envelope_can_be_read(value in prop::collection::vec(any::<u8>(), 0..80)) {
            let mut header = b"From: ".to_vec();
            header.extend(&value);
            header.extend(b"\r\nTo: x (<\r\n\r\n");
            prop_assert!(crate::imap::Envelope::parse(envelope_text(&Headers::parse(header))).is_ok());
        }
    }
}
