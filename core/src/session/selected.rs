//! What SELECT said of a mailbox.

use super::connection::{Connection, Extra, Pending};
use super::route::{Reply, Wants};
use crate::error::{Code, MailError, Result};
use crate::imap::command::{self, Known, SelectOptions};
use crate::imap::extension::condstore;
use crate::imap::extension::qresync::Changes;
use crate::imap::{Flag, MailboxName, Response, ResponseCode, Untagged};
use crate::wire::Command;

/// An open mailbox, as of when it was opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selected {
    /// Decoded name.
    pub name: String,
    pub uid_validity: u32,
    pub uid_next: Option<u32>,
    pub exists: u32,
    pub read_only: bool,
    /// Flags that can be kept; `None` where the server does not say, which means all (RFC 9051 section 7.1).
    pub permanent_flags: Option<Vec<Flag>>,
    pub highest_mod_seq: Option<u64>,
}

/// Opens a mailbox on a connection; read-only, with EXAMINE, where that is wanted.
pub(crate) async fn select(connection: &Connection, name: &str, read_only: bool) -> Result<Selected> {
    let encoded = MailboxName::new(name, connection.utf8());
    select_named(connection, &encoded, read_only).await
}

/// The same by the bytes of the name, which need not be what we would encode.
pub(crate) async fn select_named(connection: &Connection, name: &MailboxName, read_only: bool) -> Result<Selected> {
    Ok(Selecting::begin(connection, name, read_only)?.answer().await?.0)
}

/// A mailbox that is being opened. What is sent behind it on the same connection is about this mailbox, if it opens.
pub(crate) struct Selecting {
    name: String,
    read_only: bool,
    pending: Pending,
}

impl Selecting {
    /// Sends SELECT, or EXAMINE.
    pub fn begin(connection: &Connection, name: &MailboxName, read_only: bool) -> Result<Self> {
        let condstore = condstore::is_offered(&connection.capabilities());
        let select = command::select(name, SelectOptions { read_only, condstore })?;
        Ok(Self::of(connection, name, read_only, (select, Wants::Select)))
    }

    /// The same with QRESYNC, which must be on: what has changed since `known` comes with it.
    pub fn since(connection: &Connection, name: &MailboxName, (read_only, known): (bool, &Known)) -> Result<Self> {
        let select = command::select_since(name, read_only, known)?;
        Ok(Self::of(connection, name, read_only, (select, Wants::SelectSince)))
    }

    fn of(connection: &Connection, name: &MailboxName, read_only: bool, (select, wants): (Command, Wants)) -> Self {
        let pending = connection.begin(select, wants, Extra { slow: true, ..Extra::default() });
        Self { name: name.as_str().to_owned(), read_only, pending }
    }

    /// Waits for the answer; with what has changed where that was asked for.
    pub async fn answer(self) -> Result<(Selected, Changes)> {
        let mut reply = self.pending.answer().await?;
        forget_closed(&mut reply);
        let mut changes = Changes::default();
        for response in &reply.untagged {
            if let Response::Data(data) = response {
                changes.take(data);
            }
        }
        // A row that cannot be read leaves the count in agreement, and its flags unknown: everything is asked for then.
        if let Some(error) = reply.malformed.first() {
            return Err(error.clone());
        }
        Ok((checked(read(&self.name, self.read_only, &reply))?, changes))
    }
}

/// What came before the mailbox that was open is closed is about that one (RFC 7162 section 3.2.11).
fn forget_closed(reply: &mut Reply) {
    let closes = |response: &Response| matches!(response, Response::Status { code: Some(ResponseCode::Closed), .. });
    if let Some(at) = reply.untagged.iter().rposition(closes) {
        reply.untagged.drain(..=at);
    }
}

/// RFC 9051 section 2.3.1.1: without UIDVALIDITY no UID can be kept, and nothing here works without them.
fn checked(selected: Selected) -> Result<Selected> {
    if selected.uid_validity == 0 {
        let error = MailError::new(Code::ServerProtocol, "The server gave no UIDVALIDITY");
        return Err(error.in_mailbox(&selected.name));
    }
    Ok(selected)
}

fn read(name: &str, examined: bool, reply: &Reply) -> Selected {
    let mut selected = Selected { name: name.to_owned(), read_only: examined, ..Selected::default() };
    for response in &reply.untagged {
        match response {
            Response::Data(Untagged::Exists(count)) => selected.exists = *count,
            Response::Status { code: Some(code), .. } => note(&mut selected, code),
            _ => {}
        }
    }
    if let Some(code) = &reply.code {
        note(&mut selected, code);
    }
    selected
}

fn note(selected: &mut Selected, code: &ResponseCode) {
    match code {
        ResponseCode::UidValidity(validity) => selected.uid_validity = *validity,
        ResponseCode::UidNext(next) => selected.uid_next = Some(*next),
        ResponseCode::PermanentFlags(flags) => selected.permanent_flags = Some(flags.clone()),
        ResponseCode::ReadOnly => selected.read_only = true,
        code => selected.highest_mod_seq = condstore::highest(code).unwrap_or(selected.highest_mod_seq),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::parse_response;
    use crate::limits::Limits;
    use crate::wire::Frame;

    #[test]
    fn what_is_told_of_the_mailbox_before_is_not_taken_for_the_new_one() {
        let told = |lines: &[&str]| {
            let parse = |line: &&str| parse_response(&Frame::text(format!("{line}\r\n")), &Limits::default(), false);
            let mut reply =
                Reply { untagged: lines.iter().map(|line| parse(line).unwrap()).collect(), ..Reply::default() };
            forget_closed(&mut reply);
            (read("Box", false, &reply), reply.untagged.len())
        };
        let before = ["* VANISHED 7", "* 9 EXISTS", "* OK [HIGHESTMODSEQ 99] x", "* OK [CLOSED] x"];
        let (selected, left) = told(&[&before[..], &["* 3 EXISTS", "* OK [UIDVALIDITY 5] x"]].concat());
        assert_eq!((selected.exists, selected.highest_mod_seq, left), (3, None, 2));
        assert_eq!(told(&["* 3 EXISTS"]).0.exists, 3);
    }
}
