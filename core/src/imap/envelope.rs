//! ENVELOPE (RFC 9051 section 7.5.2): the header fields a server has parsed for us, still encoded.

use bytes::Bytes;

/// An ENVELOPE as the server sent it; `message` decodes encoded words and charsets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// `Date`, as in the header.
    pub date: Option<Bytes>,
    /// `Subject`, encoded.
    pub subject: Option<Bytes>,
    /// `From`.
    pub from: Vec<Address>,
    /// `Sender`; servers repeat `From` where the header has none.
    pub sender: Vec<Address>,
    /// `Reply-To`; servers repeat `From` where the header has none.
    pub reply_to: Vec<Address>,
    /// `To`.
    pub to: Vec<Address>,
    /// `Cc`.
    pub cc: Vec<Address>,
    /// `Bcc`.
    pub bcc: Vec<Address>,
    /// `In-Reply-To`.
    pub in_reply_to: Option<Bytes>,
    /// `Message-ID`, with its angle brackets.
    pub message_id: Option<Bytes>,
}

/// One address of an [`Envelope`], still encoded. A group begins with one that has a mailbox and no host, and ends with
/// one that has neither.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// Display name, encoded.
    pub name: Option<Bytes>,
    /// Source route (obsolete).
    pub route: Option<Bytes>,
    /// The part before the `@`, or the name of a group.
    pub mailbox: Option<Bytes>,
    /// The part after the `@`.
    pub host: Option<Bytes>,
}
