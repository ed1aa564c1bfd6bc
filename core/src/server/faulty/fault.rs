//! Faults on command: which command they strike, and what they do to it.

use crate::error::{Code, MailError, Result};
use crate::server::reply::{Refusal, one_line};
use crate::server::wire::{How, Interruption};
use bytes::Bytes;
use std::time::Duration;

/// Something that goes wrong once, at a command of some client.
///
/// ```
/// use mailtide::testing::{Fault, FaultKind};
///
/// // The second FETCH from now on ends with the connection, a hundred bytes into its answer.
/// let fault = Fault { nth: 2, after: Some(100), ..Fault::at("FETCH", FaultKind::Cut) };
/// # assert_eq!(fault.command.as_deref(), Some("FETCH"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// At which command, in any case and without UID (`FETCH`); `GREETING` is the begin of a connection. `None`: at any.
    pub command: Option<String>,
    /// At the how manyth of them from now on; 1 is the next.
    pub nth: u32,
    /// After so many bytes of its answer, the command being done; `None`: in place of the command, which is not done
    /// where the connection is cut. Not for [`FaultKind::No`] and [`FaultKind::Bad`].
    pub after: Option<usize>,
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Ends the connection without a word.
    Cut,
    /// Says nothing for so long, then goes on.
    Delay(Duration),
    /// Answers NO with that text, which may begin with a response code (`[OVERQUOTA] Full`), and does nothing. To a new
    /// connection it says BYE.
    No(String),
    /// The same with BAD.
    Bad(String),
    /// Sends these bytes, then goes on.
    Garbage(Bytes),
}

impl Fault {
    /// At the next of these commands.
    #[must_use]
    pub fn at(command: &str, kind: FaultKind) -> Self {
        Self { kind, command: Some(command.to_owned()), nth: 1, after: None }
    }

    /// In the form in which it is compared.
    pub(super) fn checked(mut self) -> Result<Self> {
        if self.nth == 0 {
            return Err(MailError::new(Code::UsageArgument, "Faults are counted from 1, which is the next command"));
        }
        if self.after.is_some() && matches!(self.kind, FaultKind::No(_) | FaultKind::Bad(_)) {
            let text = "NO and BAD stand in place of an answer: they come after no bytes of it";
            return Err(MailError::new(Code::UsageArgument, text));
        }
        if let Some(command) = &mut self.command {
            *command = command.trim().to_ascii_uppercase();
            if let Some(word) = command.strip_prefix("UID ") {
                *command = word.to_owned();
            }
            if command.is_empty() || !command.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                return Err(MailError::new(Code::UsageArgument, "A fault strikes a command such as FETCH"));
            }
        }
        Ok(self)
    }
}

/// What strikes a command.
pub(super) enum Struck {
    Refused(Refusal),
    /// And whether it does before the command is done.
    Interrupted(Interruption, bool),
}

/// The fault whose turn it is, taken out. All that wait for such a command have seen one.
pub(super) fn strike(armed: &mut Vec<Fault>, name: &str) -> Option<Struck> {
    let mut found = None;
    for (at, fault) in armed.iter_mut().enumerate() {
        if fault.command.as_deref().is_none_or(|command| command == name) {
            fault.nth = fault.nth.saturating_sub(1);
            found = found.or((fault.nth == 0).then_some(at));
        }
    }
    let Fault { kind, after, .. } = armed.remove(found?);
    // Another whose turn it was as well strikes the next one.
    armed.iter_mut().for_each(|fault| fault.nth = fault.nth.max(1));
    let interrupted = |how| Struck::Interrupted(Interruption { after: after.unwrap_or(0), how }, after.is_none());
    Some(match kind {
        FaultKind::Cut => interrupted(How::Cut),
        FaultKind::Delay(time) => interrupted(How::Wait(time)),
        FaultKind::Garbage(bytes) => interrupted(How::Garbage(bytes)),
        FaultKind::No(text) => Struck::Refused(Refusal::No(None, one_line(&text))),
        FaultKind::Bad(text) => Struck::Refused(Refusal::Bad(one_line(&text))),
    })
}
