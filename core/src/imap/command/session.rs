//! Commands about the connection: CAPABILITY, NOOP, LOGOUT, ENABLE, ID, NAMESPACE, IDLE and leaving a mailbox.

use crate::error::Result;
use crate::wire::{Command, Encoder};

/// `CAPABILITY`.
#[must_use]
pub fn capability() -> Command {
    Encoder::new("CAPABILITY").finish()
}

/// `NOOP`: anything new?
#[must_use]
pub fn noop() -> Command {
    Encoder::new("NOOP").finish()
}

/// `LOGOUT`.
#[must_use]
pub fn logout() -> Command {
    Encoder::new("LOGOUT").finish()
}

/// `CHECK` (RFC 3501): some servers look for new mail only then.
#[must_use]
pub fn check() -> Command {
    Encoder::new("CHECK").finish()
}

/// `CLOSE`: leaves the mailbox and **expunges** what is marked `\Deleted`, also by others, unless it was opened with
/// EXAMINE. Use [`unselect`] where it is offered.
#[must_use]
pub fn close() -> Command {
    Encoder::new("CLOSE").finish()
}

/// `UNSELECT` (RFC 3691): leaves the mailbox and expunges nothing.
#[must_use]
pub fn unselect() -> Command {
    Encoder::new("UNSELECT").finish()
}

/// `IDLE` (RFC 2177). It ends with the line `DONE`, which has no tag. No space may follow it (Gmail).
#[must_use]
pub fn idle() -> Command {
    Encoder::new("IDLE").finish()
}

/// `NAMESPACE` (RFC 2342).
#[must_use]
pub fn namespace() -> Command {
    Encoder::new("NAMESPACE").finish()
}

/// `ENABLE` (RFC 5161) with these capabilities.
pub fn enable(capabilities: &[&str]) -> Result<Command> {
    let mut e = Encoder::new("ENABLE");
    capabilities.iter().try_for_each(|capability| e.atom(capability).map(drop))?;
    Ok(e.finish())
}

/// `ID` (RFC 2971) with what the client says about itself; `NIL` for nothing, since some servers refuse `()`.
///
/// Servers may refuse more than 30 fields, names over 30 bytes and values over 1,024.
pub fn id(fields: &[(&str, &str)]) -> Result<Command> {
    let mut e = Encoder::new("ID");
    if fields.is_empty() {
        return Ok(e.word("NIL").clone().finish());
    }
    e.list(|e| {
        fields.iter().try_for_each(|(name, value)| e.string(name.as_bytes())?.string(value.as_bytes()).map(drop))
    })?;
    Ok(e.finish())
}
