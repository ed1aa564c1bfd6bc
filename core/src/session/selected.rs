//! What SELECT said of a mailbox.

use super::connection::Connection;
use super::route::{Reply, Wants};
use crate::error::{Code, MailError, Result};
use crate::imap::command::{self, SelectOptions};
use crate::imap::extension::condstore;
use crate::imap::{Flag, MailboxName, Response, ResponseCode, Untagged};

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
    let capabilities = connection.capabilities();
    let condstore = condstore::is_offered(&capabilities);
    let encoded = MailboxName::new(name, capabilities.is_rev2_only());
    let select = command::select(&encoded, SelectOptions { read_only, condstore })?;
    let reply = connection.run_slow(select, Wants::Select).await?;
    let selected = read(name, read_only, &reply);
    if selected.uid_validity == 0 {
        // RFC 9051 section 2.3.1.1: without it UIDs cannot be kept, and nothing here works without them.
        return Err(MailError::new(Code::ServerProtocol, "The server gave no UIDVALIDITY").in_mailbox(name));
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
