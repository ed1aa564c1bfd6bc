//! A message that is being written, and the bytes that come of it.
//!
//! ```text
//! Draft (or Draft::reply, Draft::forward) -> Draft::compose(&Stamp) -> Composed: bytes, sender, recipients
//! ```
//!
//! Composing is pure: the moment and the randomness are given with the [`Stamp`], so that `Message-ID`, `Date` and every
//! boundary are made once, and each attempt to send has the same bytes. Nothing that the caller gives can become a second
//! header field: what holds a control character is refused, and addresses are read by one strict parser.

mod address;
mod body;
mod compose;
mod quote;
mod reply;

pub use address::{AddrSpec, parse_recipients};
pub use compose::{Composed, Stamp};
pub use reply::{ForwardOptions, Original, ReplyOptions};

use super::EmailAddress;
use crate::error::{Code, MailError, Result};
use bytes::Bytes;
use std::fmt;
use std::path::PathBuf;

/// A message that is being written.
///
/// ```
/// use mailtide::imap::InternalDate;
/// use mailtide::message::{Draft, DraftAttachment, Stamp};
///
/// let draft = Draft::new()
///     .from("Ada <ada@example.org>")?
///     .to("grace@example.org")?
///     .bcc("charles@example.org")?
///     .subject("Re: moth")
///     .text("See the log.")
///     .attach(DraftAttachment::bytes("log.txt", "0x46\n"));
/// let sent = draft.compose(&Stamp { now: InternalDate { seconds: 1_704_355_500, offset: 60 }, random: [7; 32] })?;
/// assert_eq!(sent.recipients, ["grace@example.org", "charles@example.org"]);
/// assert!(!String::from_utf8_lossy(&sent.raw).contains("charles"));
/// # Ok::<(), mailtide::MailError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// Who writes; the account's own address unless given.
    pub from: Option<EmailAddress>,
    /// `To`.
    pub to: Vec<EmailAddress>,
    /// `Cc`.
    pub cc: Vec<EmailAddress>,
    /// Recipients of whom nobody is told: they are in no byte of the message.
    pub bcc: Vec<EmailAddress>,
    /// Where answers shall go, if not to `from`.
    pub reply_to: Vec<EmailAddress>,
    /// `Subject`.
    pub subject: String,
    /// The plain text; lines may end as they like.
    pub text: Option<String>,
    /// The HTML, as an alternative to the text where there are both.
    pub html: Option<String>,
    /// Attachments, and the images that the HTML shows.
    pub attachments: Vec<DraftAttachment>,
    /// `Message-ID` of the message that this answers, without its angle brackets.
    pub in_reply_to: Option<String>,
    /// `Message-ID`s of the thread, the oldest first, without their angle brackets.
    pub references: Vec<String>,
    /// More header fields, such as `List-Unsubscribe`. Those that composing makes itself are refused.
    pub headers: Vec<(String, String)>,
}

/// A file of a [`Draft`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftAttachment {
    /// Its name; no folders.
    pub filename: Option<String>,
    /// Its media type; guessed from the name unless given.
    pub media_type: Option<String>,
    /// Its bytes, or where they are.
    pub content: DraftContent,
    /// Shown where the HTML says `cid:` and this, instead of being attached.
    pub content_id: Option<String>,
}

/// The bytes of an attachment.
#[derive(Clone, PartialEq, Eq)]
pub enum DraftContent {
    /// The bytes themselves.
    Bytes(Bytes),
    /// A file, read when the message is queued; composing itself reads no disk.
    File(PathBuf),
}

impl Draft {
    /// An empty draft.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets who writes.
    ///
    /// # Errors
    ///
    /// [`Code::UsageAddress`] where the text is not exactly one address (RFC 5322 section 3.4).
    pub fn from(mut self, address: &str) -> Result<Self> {
        let mut found = parse_recipients(address)?;
        match (found.pop(), found.is_empty()) {
            (Some(from), true) => self.from = Some(from),
            _ => return Err(MailError::new(Code::UsageAddress, "A message has exactly one sender")),
        }
        Ok(self)
    }

    /// Adds recipients: one address or several, as a header has them.
    ///
    /// # Errors
    ///
    /// [`Code::UsageAddress`] where something is not an address; see [`parse_recipients`].
    pub fn to(mut self, addresses: &str) -> Result<Self> {
        self.to.extend(parse_recipients(addresses)?);
        Ok(self)
    }

    /// Adds recipients of a copy.
    ///
    /// # Errors
    ///
    /// As [`Draft::to`].
    pub fn cc(mut self, addresses: &str) -> Result<Self> {
        self.cc.extend(parse_recipients(addresses)?);
        Ok(self)
    }

    /// Adds recipients of a copy of whom the others learn nothing.
    ///
    /// # Errors
    ///
    /// As [`Draft::to`].
    pub fn bcc(mut self, addresses: &str) -> Result<Self> {
        self.bcc.extend(parse_recipients(addresses)?);
        Ok(self)
    }

    /// Adds addresses for answers.
    ///
    /// # Errors
    ///
    /// As [`Draft::to`].
    pub fn reply_to(mut self, addresses: &str) -> Result<Self> {
        self.reply_to.extend(parse_recipients(addresses)?);
        Ok(self)
    }

    /// Sets the subject.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    /// Sets the plain text.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// Sets the HTML.
    #[must_use]
    pub fn html(mut self, html: impl Into<String>) -> Self {
        self.html = Some(html.into());
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn attach(mut self, attachment: DraftAttachment) -> Self {
        self.attachments.push(attachment);
        self
    }
}

impl DraftAttachment {
    /// Bytes with a name.
    #[must_use]
    pub fn bytes(filename: impl Into<String>, content: impl Into<Bytes>) -> Self {
        Self {
            filename: Some(filename.into()),
            media_type: None,
            content: DraftContent::Bytes(content.into()),
            content_id: None,
        }
    }

    /// A file, under its own name.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let filename = path.file_name().map(|name| name.to_string_lossy().into_owned());
        Self { filename, media_type: None, content: DraftContent::File(path), content_id: None }
    }

    /// The same, of this media type (`application/pdf`).
    #[must_use]
    pub fn of_type(mut self, media_type: impl Into<String>) -> Self {
        self.media_type = Some(media_type.into());
        self
    }

    /// The same, shown where the HTML has `cid:` and this text.
    #[must_use]
    pub fn inline(mut self, content_id: impl Into<String>) -> Self {
        self.content_id = Some(content_id.into());
        self
    }
}

impl fmt::Debug for DraftContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::File(path) => write!(f, "File({})", path.display()),
        }
    }
}

#[cfg(test)]
mod tests;
