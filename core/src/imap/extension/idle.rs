//! IDLE (RFC 2177): news as they happen.

use super::Extension;
use crate::error::Result;
use crate::imap::command::{self, StatusItem};
use crate::imap::quirk::Quirks;
use crate::imap::{Capabilities, MailboxName};
use crate::wire::Command;
use std::time::Duration;

/// Its line in the registry.
pub const EXTENSION: Extension = Extension {
    capability: "IDLE",
    rfc: 2177,
    about: "New messages and changes arrive as they happen",
    fallback: "The mailbox is asked at intervals",
};

/// How to follow a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Follow {
    /// IDLE, renewed after so long: before NAT gateways and servers forget the connection.
    Idle(Duration),
    /// This command, so often.
    Poll(Command, Duration),
}

/// Renewal well before the five minutes after which home routers drop a silent connection.
pub const RENEW: Duration = Duration::from_secs(240);

/// Time between polls.
pub const POLL: Duration = Duration::from_secs(30);

/// How to follow `mailbox` on a server.
pub fn plan(caps: &Capabilities, quirks: &Quirks, mailbox: &MailboxName) -> Result<Follow> {
    if caps.has("IDLE") {
        return Ok(Follow::Idle(quirks.idle_renew.unwrap_or(RENEW)));
    }
    let items = [StatusItem::Messages, StatusItem::UidNext, StatusItem::UidValidity];
    let poll = if quirks.status_keeps_alive { command::status(mailbox, &items)? } else { command::noop() };
    Ok(Follow::Poll(poll, POLL))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::quirk::quirks_for;

    #[test]
    fn a_server_without_it_is_polled_by_what_works_there() {
        let inbox = MailboxName::new("INBOX", false);
        let (none, with) = (Capabilities::default(), ["IDLE"].into_iter().collect());
        let quirks = |host| quirks_for(host, "", &[]);
        assert_eq!(plan(&with, &Quirks::default(), &inbox).unwrap(), Follow::Idle(RENEW));
        assert_eq!(plan(&with, &quirks("imap.rambler.ru"), &inbox).unwrap(), Follow::Idle(Duration::from_secs(55)));
        assert_eq!(plan(&none, &Quirks::default(), &inbox).unwrap(), Follow::Poll(command::noop(), POLL));
        let Follow::Poll(poll, _) = plan(&none, &quirks("imap.163.com"), &inbox).unwrap() else { panic!("not polled") };
        assert_eq!(poll.name(), "STATUS");
    }
}
