//! Replies of a server (RFC 5321 section 4.2), within bounds.

use crate::error::{Code, MailError, Result, Retry};
use bytes::{Buf, BytesMut};

/// Longest line, in bytes; the RFC says 512, and servers exceed it.
const LONGEST_LINE: usize = 8 * 1024;
/// Most lines of one reply, and most bytes.
const MOST_LINES: usize = 200;
const MOST_BYTES: usize = 64 * 1024;
/// Most characters of a reply that are kept as what the server said.
const SHOWN: usize = 500;

/// One reply, all its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// 200 to 599.
    pub code: u16,
    /// The enhanced status code, such as `5.1.1` (RFC 2034, RFC 3463).
    pub enhanced: Option<(u8, u16, u16)>,
    /// The text of each line, without the codes.
    pub lines: Vec<String>,
}

impl Reply {
    /// 2xx
    pub fn is_ok(&self) -> bool {
        self.code / 100 == 2
    }

    /// 4xx: later, perhaps.
    pub fn is_temporary(&self) -> bool {
        self.code / 100 == 4
    }

    /// 5xx
    pub fn is_refusal(&self) -> bool {
        self.code / 100 == 5
    }

    /// Code and text on one line, as a person may see it: `550 5.1.1 no such user`.
    pub fn text(&self) -> String {
        let text = format!("{} {}", self.code, self.lines.join(" "));
        text.trim_end().chars().filter(|c| !c.is_control()).take(SHOWN).collect()
    }

    /// The error of a reply that is none of those hoped for.
    pub fn refused(&self, what: &str) -> MailError {
        let (code, message) = match self.code {
            421 | 454 | 451 => (Code::ServerUnavailable, format!("The server cannot take {what} for now")),
            452 | 552 => (Code::ServerOverQuota, format!("The server has no room for {what}")),
            _ if self.is_temporary() => (Code::ServerUnavailable, format!("The server cannot take {what} for now")),
            500..=504 => (Code::ServerBad, format!("The server did not accept {what}")),
            _ if self.is_refusal() => (Code::ServerRefused, format!("The server refused {what}")),
            _ => return self.unexpected(what),
        };
        let error = MailError::new(code, message).with(|c| {
            c.server = Some(self.text());
            c.server_code = self.enhanced.map(|(class, subject, detail)| format!("{class}.{subject}.{detail}"));
        });
        if self.is_temporary() { error.with_retry(Retry::Later(None)) } else { error }
    }

    /// The error of a reply that has no meaning here.
    pub fn unexpected(&self, what: &str) -> MailError {
        MailError::new(
            Code::ServerProtocol,
            format!("The server answered {what} with {}, which means nothing here", self.code),
        )
    }
}

/// Bytes to replies.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    buffer: BytesMut,
    code: Option<u16>,
    lines: Vec<String>,
    bytes: usize,
    /// Where the search for a line end goes on.
    searched: usize,
}

impl Replies {
    /// Adds what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether anything has been read and not been used.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.code.is_none()
    }

    /// The next whole reply.
    ///
    /// [`Code::ServerProtocol`] for what is none, [`Code::LimitExceeded`] for one without end. Nothing can be read after
    /// either.
    pub fn next(&mut self) -> Result<Option<Reply>> {
        while let Some(line) = self.line()? {
            let (code, is_last, text) = parse(&line).ok_or_else(not_smtp)?;
            if self.code.is_some_and(|first| first != code) {
                return Err(MailError::new(Code::ServerProtocol, "The lines of one reply have different codes"));
            }
            self.bytes += line.len();
            if self.lines.len() == MOST_LINES || self.bytes > MOST_BYTES {
                return Err(endless());
            }
            self.lines.push(text);
            self.code = Some(code);
            if is_last {
                return Ok(Some(self.finish(code)));
            }
        }
        Ok(None)
    }

    fn finish(&mut self, code: u16) -> Reply {
        let lines = std::mem::take(&mut self.lines);
        (self.code, self.bytes) = (None, 0);
        let enhanced = lines.first().and_then(|line| enhanced(line, code));
        Reply { code, enhanced, lines }
    }

    fn line(&mut self) -> Result<Option<Vec<u8>>> {
        let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
        let Some(at) = memchr::memchr(b'\n', unsearched).map(|at| at + self.searched) else {
            self.searched = self.buffer.len();
            return if self.searched > LONGEST_LINE { Err(endless()) } else { Ok(None) };
        };
        if at > LONGEST_LINE {
            return Err(endless());
        }
        let line = self.buffer.split_to(at);
        self.buffer.advance(1);
        self.searched = 0;
        Ok(Some(line.strip_suffix(b"\r").unwrap_or(&line).to_vec()))
    }
}

/// `250-text`, `250 text` or `250`.
fn parse(line: &[u8]) -> Option<(u16, bool, String)> {
    let (digits, rest) = line.split_at_checked(3)?;
    let code: u16 = std::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()?;
    let text = |rest: &[u8]| String::from_utf8_lossy(rest).into_owned();
    let (is_last, text) = match rest.split_first() {
        None => (true, String::new()),
        Some((b' ', rest)) => (true, text(rest)),
        Some((b'-', rest)) => (false, text(rest)),
        Some(_) => return None,
    };
    (200..600).contains(&code).then_some((code, is_last, text))
}

/// Only where its class is that of the reply.
fn enhanced(line: &str, code: u16) -> Option<(u8, u16, u16)> {
    let mut numbers = line.split_whitespace().next()?.split('.');
    let class: u8 = numbers.next()?.parse().ok()?;
    let (subject, detail) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    let is_one = numbers.next().is_none() && u16::from(class) == code / 100 && subject < 1000 && detail < 1000;
    is_one.then_some((class, subject, detail))
}

fn not_smtp() -> MailError {
    MailError::new(Code::ServerProtocol, "What answered does not speak SMTP").hint("Check host and port")
}

fn endless() -> MailError {
    MailError::new(Code::LimitExceeded, "The server's reply has no end")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Result<Vec<Reply>> {
        let mut replies = Replies::default();
        let mut out = Vec::new();
        for byte in bytes {
            replies.push(&[*byte]);
            out.extend(replies.next()?);
        }
        assert!(replies.is_empty());
        let mut whole = Replies::default();
        whole.push(bytes);
        let mut again = Vec::new();
        while let Some(reply) = whole.next()? {
            again.push(reply);
        }
        assert_eq!(out, again);
        Ok(out)
    }

    #[test]
    fn replies_are_read_in_one_piece_and_byte_by_byte() {
        let replies = read(b"220 hi\r\n250-a\r\n250-SIZE 10\r\n250 c\r\n354\r\n550 5.1.1 no\xff one\n").unwrap();
        let lines: Vec<_> = replies.iter().map(|r| (r.code, r.lines.join("|"))).collect();
        assert_eq!(lines[..3], [(220, "hi".into()), (250, "a|SIZE 10|c".into()), (354, String::new())]);
        assert_eq!((replies[3].enhanced, replies[3].text().as_str()), (Some((5, 1, 1)), "550 5.1.1 no\u{fffd} one"));
    }

    #[test]
    fn an_enhanced_code_has_to_fit() {
        for (line, expected) in [
            ("250 2.1.5 ok", Some((2, 1, 5))),
            ("250 5.1.1 ok", None),
            ("250 2.1 ok", None),
            ("250 2.1.5.6", None),
            ("250 2.1.9999", None),
            ("250 2.0.0", Some((2, 0, 0))),
        ] {
            assert_eq!(read(format!("{line}\r\n").as_bytes()).unwrap()[0].enhanced, expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_reply_is_an_error() {
        for line in
            ["* OK IMAP", "+OK", "hello", "25", "25x hi", "199 hi", "600 hi", "250_hi", "+25 hi", "", "HTTP/1.1 200 OK"]
        {
            let mut replies = Replies::default();
            replies.push(format!("{line}\r\n").as_bytes());
            assert_eq!(replies.next().map_err(|e| e.code()), Err(Code::ServerProtocol), "{line}");
        }
        assert_eq!(read(b"250-a\r\n251 b\r\n").map_err(|e| e.code()), Err(Code::ServerProtocol));
    }

    #[test]
    fn a_reply_without_end_is_cut_off() {
        let mut replies = Replies::default();
        for _ in 0..3 {
            replies.push(&[b'2'; 4096]);
            if replies.next().is_err() {
                break;
            }
        }
        assert_eq!(replies.next().map_err(|e| e.code()), Err(Code::LimitExceeded));
        assert_eq!(read(&b"250-a\r\n".repeat(1000)).map_err(|e| e.code()), Err(Code::LimitExceeded));
        assert_eq!(
            read(&[b"250-", &[b'x'; 8000][..], b"\r\n"].concat().repeat(10)).map_err(|e| e.code()),
            Err(Code::LimitExceeded)
        );
    }

    proptest! {
        #[test]
        fn no_input_panics_or_is_kept_without_end(pieces in collection::vec("[0-9 \\-\r\n.a]{0,40}", 0..20)) {
            let mut replies = Replies::default();
            for piece in pieces {
                replies.push(piece.as_bytes());
                while let Ok(Some(reply)) = replies.next() {
                    prop_assert!((200..600).contains(&reply.code) && reply.lines.len() <= MOST_LINES);
                }
            }
        }
    }

    #[test]
    fn controls_of_the_server_are_not_shown() {
        let reply = read(b"550 \x1b[31mred\x07\x00\r\n").unwrap().remove(0);
        assert_eq!(reply.text(), "550 [31mred");
    }
}
