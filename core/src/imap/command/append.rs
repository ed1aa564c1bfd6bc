//! APPEND, of one message or of several (MULTIAPPEND, RFC 3502).

use super::{flags, mailbox};
use crate::error::{Code, MailError, Result};
use crate::imap::{Flag, InternalDate, MailboxName};
use crate::wire::{Command, Encoder};
use bytes::Bytes;

/// A message to append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppendMessage {
    /// Its flags.
    pub flags: Vec<Flag>,
    /// When it was received; `None` for now.
    pub internal_date: Option<InternalDate>,
    /// Its content, with CRLF at the end of every line. Yahoo refuses one whose last line has none.
    pub body: AppendBody,
    /// Whether it holds NUL, and so must be a literal8 (BINARY, RFC 3516).
    pub binary: bool,
}

/// Where a message's content is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendBody {
    /// In hand.
    Bytes(Bytes),
    /// Elsewhere; the sender has this many bytes of it.
    Stream(u64),
}

impl AppendBody {
    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Stream(len) => *len,
        }
    }

    /// Whether there is nothing in it. Servers refuse that.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// `APPEND`. More than one message needs MULTIAPPEND.
pub fn append(to: &MailboxName, messages: &[AppendMessage]) -> Result<Command> {
    let mut e = Encoder::new("APPEND");
    mailbox(&mut e, to)?;
    if messages.is_empty() || messages.iter().any(|m| m.body.is_empty()) {
        return Err(MailError::new(Code::UsageArgument, "There is nothing to append"));
    }
    messages.iter().try_for_each(|message| write(&mut e, message))?;
    Ok(e.finish())
}

fn write(e: &mut Encoder, message: &AppendMessage) -> Result<()> {
    if !message.flags.is_empty() {
        flags(e, &message.flags)?;
    }
    if let Some(date) = message.internal_date {
        let date = Some(date.to_string()).filter(|date| !date.is_empty());
        let date =
            date.ok_or_else(|| MailError::new(Code::UsageArgument, "The date is outside the years 0 to 9999"))?;
        e.string(date.as_bytes())?;
    }
    match &message.body {
        AppendBody::Bytes(bytes) => e.body(bytes.clone(), message.binary),
        AppendBody::Stream(len) => e.stream(*len, message.binary),
    };
    Ok(())
}
