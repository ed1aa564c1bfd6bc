//! Messages to be sent. States and their order are the outbox's; a store commits them before each step.

use super::{BodyId, OutboxId};

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its id; the order in which they were queued.
    pub id: OutboxId,
    /// What was queued.
    pub new: NewOutbox,
    /// How far it has got, in the outbox's words: `queued`, `dot_sent`, `uncertain`, …
    pub state: String,
    /// When the state last changed, in seconds since 1970.
    pub changed: i64,
    /// How often it was tried.
    pub attempts: u32,
    /// Not to be tried before this, in seconds since 1970: a schedule, or a delay after a failure.
    pub not_before: i64,
    /// What the server or the network said last.
    pub reply: Option<String>,
    /// How far its copy in Sent is, in the outbox's words; `None` before it was accepted.
    pub sent_copy: Option<String>,
    /// Whether nothing is left to be done about it.
    pub over: bool,
}

/// What a new message to be sent begins with; nothing of it changes later: every attempt sends the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOutbox {
    /// Unique in the store: the same key queued again is the same message, never a second one.
    pub key: String,
    /// The Message-ID, with its angle brackets taken off.
    pub message_id: String,
    /// The sender of the SMTP envelope.
    pub sender: String,
    /// The recipients of the SMTP envelope.
    pub recipients: Vec<String>,
    /// The bytes to be sent.
    pub body: BodyId,
    /// What else the outbox wants to know, as JSON.
    pub payload: String,
    /// When it was queued, in seconds since 1970.
    pub created: i64,
}

/// What has become of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientRow {
    /// The message.
    pub outbox: OutboxId,
    /// The address.
    pub address: String,
    /// In the outbox's words: `waiting`, `accepted`, `rejected`, …
    pub state: String,
    /// The server's reply.
    pub reply: Option<String>,
}
