//! What a command is answered with, and how its words are written.

use crate::error::{Code, MailError};
use crate::imap::{encode_name, render};

/// How a command that was done ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reply {
    /// Whole responses, before the tagged one.
    pub untagged: Vec<u8>,
    /// A response code, without its brackets.
    pub code: Option<String>,
    /// What a person reads.
    pub text: &'static str,
    /// What the client is told before, of what has changed since.
    pub news: News,
}

/// How much of the news a command may be answered with (RFC 9051 section 7.5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing.
    #[default]
    Nothing,
    /// All but EXPUNGE: the client has used sequence numbers, and counts on them.
    NoExpunge,
    /// All.
    All,
}

impl Reply {
    pub(super) fn ok(text: &'static str) -> Self {
        Self { text, ..Self::default() }
    }

    pub(super) fn with(text: &'static str, untagged: Vec<u8>) -> Self {
        Self { text, untagged, ..Self::default() }
    }

    pub(super) fn news(self, news: News) -> Self {
        Self { news, ..self }
    }

    pub(super) fn code(self, code: impl Into<String>) -> Self {
        Self { code: Some(code.into()), ..self }
    }
}

/// Why a command was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is not of the language, or not for now.
    Bad(String),
    /// It cannot be done: response code and text.
    No(Option<&'static str>, String),
}

impl Refusal {
    pub(super) fn bad(text: &str) -> Self {
        Self::Bad(text.to_owned())
    }

    pub(super) fn no(code: &'static str, text: &str) -> Self {
        Self::No(Some(code), text.to_owned())
    }

    /// For commands whose target a client may make and try again (RFC 9051 section 7.1).
    pub(super) fn try_create(self) -> Self {
        match self {
            Self::No(Some("NONEXISTENT"), text) => Self::No(Some("TRYCREATE"), text),
            other => other,
        }
    }
}

pub(super) type Handled = Result<Reply, Refusal>;

/// What the store says no to, in the codes of RFC 5530. What is our fault is written to the log as well.
impl From<MailError> for Refusal {
    fn from(error: MailError) -> Self {
        let code = match error.code() {
            Code::MailboxMissing => Some("NONEXISTENT"),
            Code::MailboxExists => Some("ALREADYEXISTS"),
            Code::MailboxReadOnly | Code::UsageReadOnly | Code::UsageArgument | Code::UsageFlag => Some("CANNOT"),
            Code::BodyNotHere => Some("UNAVAILABLE"),
            Code::LimitExceeded => Some("LIMIT"),
            Code::StoreFull => Some("OVERQUOTA"),
            Code::StoreLocked => Some("INUSE"),
            Code::MessageMissing => Some("EXPUNGEISSUED"),
            code => {
                log::error!("a command failed: {error}");
                Some(if code == Code::StoreDamaged { "CORRUPTION" } else { "SERVERBUG" })
            }
        };
        Self::No(code, one_line(error.message()))
    }
}

/// Text that may stand at the end of a status response.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii() && !c.is_ascii_control() { c } else { '?' }).collect()
}

/// `* ` and the line, with its end.
macro_rules! untagged {
    ($out:expr, $($arg:tt)*) => {{
        use std::io::Write as _;
        // Writing to memory does not fail.
        let _ = write!($out, "* ");
        let _ = write!($out, $($arg)*);
        $out.extend_from_slice(b"\r\n");
    }};
}
pub(super) use untagged;

/// A mailbox's name: as it stands where it may, else in quotes, or as a literal.
pub(super) fn mailbox(out: &mut Vec<u8>, name: &str, utf8: bool) {
    let raw = encode_name(name, utf8);
    let is_plain =
        |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\');
    if !raw.is_empty() && raw.iter().all(is_plain) && !raw.eq_ignore_ascii_case(b"NIL") {
        out.extend_from_slice(&raw);
    } else if utf8 && !raw.iter().any(u8::is_ascii_control) {
        render::quoted(out, &raw);
    } else {
        render::string(out, &raw);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_they_have_to_be() {
        for (name, utf8, expected) in [
            ("INBOX", false, "INBOX"),
            ("Sent Mail", false, "\"Sent Mail\""),
            ("Entwürfe", false, "Entw&APw-rfe"),
            ("Entwürfe", true, "\"Entwürfe\""),
            ("a\"b", false, "\"a\\\"b\""),
            ("nil", false, "\"nil\""),
            ("", false, "\"\""),
        ] {
            let mut out = Vec::new();
            mailbox(&mut out, name, utf8);
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }

    #[test]
    fn text_of_an_error_stays_in_its_line() {
        let error = MailError::new(Code::UsageArgument, "no\r\n* BYE ümlaut");
        assert_eq!(Refusal::from(error), Refusal::no("CANNOT", "no??* BYE ?mlaut"));
    }
}
