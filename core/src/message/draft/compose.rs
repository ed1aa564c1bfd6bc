//! From a draft to bytes.

use super::body::{Boundaries, LONGEST_LINE, body, hex, message_id, plain_text};
use super::{AddrSpec, Draft};
use crate::error::{Code, MailError, Result};
use crate::imap::InternalDate;
use crate::message::EmailAddress;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mail_builder::MessageBuilder;
use mail_builder::headers::HeaderType;
use mail_builder::headers::address::Address;
use mail_builder::headers::message_id::MessageId;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;

/// What composing takes from outside: a message composed twice with one stamp has the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// `Date`, in the writer's own zone.
    pub now: InternalDate,
    /// Bytes that nobody can guess, for `Message-ID` and boundaries.
    pub random: [u8; 32],
}

/// A message ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Composed {
    /// The bytes, every line ended by CRLF and at most 998 bytes long.
    pub raw: Bytes,
    /// `Message-ID`, without its angle brackets.
    pub message_id: String,
    /// `Date`.
    pub date: InternalDate,
    /// Who sends, for the envelope.
    pub sender: String,
    /// All recipients of `to`, `cc` and `bcc`, each once, for the envelope.
    pub recipients: Vec<String>,
}

impl std::fmt::Debug for Composed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Composed")
            .field("message_id", &self.message_id)
            .field("bytes", &self.raw.len())
            .field("sender", &self.sender)
            .field("recipients", &self.recipients)
            .finish_non_exhaustive()
    }
}

/// Fields that composing makes, or that only servers make.
const OWN_FIELDS: [&str; 16] = [
    "from",
    "sender",
    "to",
    "cc",
    "bcc",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "received",
    "return-path",
    "dkim-signature",
    "delivered-to",
];

/// Most recipients of one message.
const MOST_RECIPIENTS: usize = 10_000;

impl Draft {
    /// Makes the message.
    ///
    /// # Errors
    ///
    /// [`Code::UsageAddress`] without sender or recipients, or where an address cannot be written to;
    /// [`Code::UsageArgument`] where a subject, name, field or media type holds what could not be sent as it is;
    /// [`Code::LimitExceeded`] beyond 10,000 recipients.
    pub fn compose(&self, stamp: &Stamp) -> Result<Composed> {
        let from = self.from.as_ref().ok_or_else(|| MailError::new(Code::UsageAddress, "The draft has no sender"))?;
        let sender = AddrSpec::parse(&from.email)?;
        let recipients = self.recipients()?;
        let id = format!("{}@{}", hex(stamp.random.get(..16).unwrap_or_default()), sender.domain());
        let mut boundaries = Boundaries { random: hex(stamp.random.get(16..).unwrap_or_default()), made: 0 };
        let mut message = self.fields(from, &id, stamp.now)?;
        message = message.body(body(self, &mut boundaries)?);
        let raw = message.write_to_vec().map_err(|_| unsendable())?;
        if !is_wire_form(&raw) {
            return Err(unsendable());
        }
        Ok(Composed { raw: raw.into(), message_id: id, date: stamp.now, sender: sender.to_string(), recipients })
    }

    fn recipients(&self) -> Result<Vec<String>> {
        let all = [&self.to, &self.cc, &self.bcc].into_iter().flatten();
        let all: Vec<String> = all.map(|a| Ok(AddrSpec::parse(&a.email)?.to_string())).collect::<Result<_>>()?;
        let mut seen = std::collections::BTreeSet::new();
        let once: Vec<String> = all.into_iter().filter(|a| seen.insert(a.to_lowercase())).collect();
        match once.len() {
            0 => Err(MailError::new(Code::UsageAddress, "The draft has no recipient")),
            1..=MOST_RECIPIENTS => Ok(once),
            _ => Err(MailError::new(Code::LimitExceeded, format!("More than {MOST_RECIPIENTS} recipients"))),
        }
    }

    fn fields(&self, from: &EmailAddress, id: &str, now: InternalDate) -> Result<MessageBuilder<'static>> {
        plain_text("subject", &self.subject)?;
        let mut message = MessageBuilder::new().header("From", list(std::slice::from_ref(from))?);
        if !self.to.is_empty() {
            message = message.header("To", list(&self.to)?);
        } else if self.cc.is_empty() {
            message = message.header("To", Raw::new("undisclosed-recipients:;"));
        }
        for (name, addresses) in [("Cc", &self.cc), ("Reply-To", &self.reply_to)] {
            if !addresses.is_empty() {
                message = message.header(name, list(addresses)?);
            }
        }
        message = message.header("Subject", text_field(&self.subject));
        message =
            message.header("Date", Raw::new(date_field(now)?)).header("Message-ID", MessageId::new(id.to_owned()));
        if let Some(answered) = &self.in_reply_to {
            message = message.header("In-Reply-To", MessageId::new(message_id(answered)?.to_owned()));
        }
        if !self.references.is_empty() {
            let ids: Vec<String> =
                self.references.iter().map(|i| message_id(i).map(str::to_owned)).collect::<Result<_>>()?;
            message = message.header("References", MessageId::new_list(ids.into_iter()));
        }
        for (name, value) in &self.headers {
            message = message.header(field_name(name)?.to_owned(), field_value(name, value)?);
        }
        Ok(message)
    }
}

fn list(addresses: &[EmailAddress]) -> Result<Address<'static>> {
    let one = |address: &EmailAddress| {
        if let Some(name) = &address.name {
            plain_text("name of an address", name)?;
        }
        Ok(Address::new_address(address.name.clone(), AddrSpec::parse(&address.email)?.to_string()))
    };
    Ok(Address::new_list(addresses.iter().map(one).collect::<Result<_>>()?))
}

fn date_field(now: InternalDate) -> Result<String> {
    let out_of_range = || MailError::new(Code::UsageArgument, "The date is out of range");
    let zoned = now.to_zoned().ok_or_else(out_of_range)?;
    jiff::fmt::rfc2822::to_string(&zoned).map_err(|_| out_of_range())
}

fn field_name(name: &str) -> Result<&str> {
    let is_name = (1..=76).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
    let lower = name.to_ascii_lowercase();
    let is_own = OWN_FIELDS.contains(&lower.as_str())
        || ["content-", "resent-", "arc-"].iter().any(|prefix| lower.starts_with(prefix));
    if is_name && !is_own {
        return Ok(name);
    }
    let shown: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
    Err(MailError::new(Code::UsageArgument, format!("{shown:?} is not a header field that a draft may add")))
}

/// ASCII goes as it is, since structured fields may not hold encoded words; it is only folded.
fn field_value(name: &str, value: &str) -> Result<HeaderType<'static>> {
    plain_text(&format!("value of {name}"), value)?;
    let fits = value.split(' ').all(|word| word.len() <= 900);
    Ok(if value.is_ascii() && fits { Raw::new(value.to_owned()).into() } else { text_field(value) })
}

/// Text that looks like an encoded word is encoded itself, or readers would decode it (RFC 2047 section 7).
fn text_field(text: &str) -> HeaderType<'static> {
    if !(text.is_ascii() && text.contains("=?")) {
        return Text::new(text.to_owned()).into();
    }
    let words = text.as_bytes().chunks(45).map(|piece| format!("=?us-ascii?B?{}?=", STANDARD.encode(piece)));
    Raw::new(words.collect::<Vec<_>>().join(" ")).into()
}

/// Every line ends with CRLF and is not too long, and there is neither NUL nor a lone CR or LF.
fn is_wire_form(raw: &[u8]) -> bool {
    let Some(lines) = raw.strip_suffix(b"\r\n") else { return false };
    let is_line = |line: &[u8]| line.len() <= LONGEST_LINE && !line.iter().any(|b| matches!(b, b'\r' | 0));
    lines.split(|b| *b == b'\n').all(|line| is_line(line.strip_suffix(b"\r").unwrap_or(line)))
        && memchr::memchr_iter(b'\n', lines).all(|at| at.checked_sub(1).and_then(|at| lines.get(at)) == Some(&b'\r'))
}

fn unsendable() -> MailError {
    MailError::new(Code::UsageArgument, "The draft cannot be written in lines that mail allows")
        .hint("A header field without white space may have at most 900 bytes")
}
