//! Adding a message: its bytes, and what a server would say of it.

use super::select::reference;
use super::{LocalMailbox, names, now};
use crate::bulk::MessageRef;
use crate::error::{Code, MailError, Result};
use crate::imap::{InternalDate, render};
use crate::message::{self, EmailAddress, Headers, ParsedMessage};
use crate::session::{AppendOptions, AppendSource, Progress, in_memory};
use crate::store::{self, Durability, Flags, NewMessage, Writer, body, change, derive};
use bytes::Bytes;

/// Largest message that is added.
const LARGEST: u64 = 512 << 20;

/// Adds a message; its address.
pub(super) async fn append(mailbox: &LocalMailbox, source: AppendSource, options: AppendOptions) -> Result<MessageRef> {
    if let Some(flag) = options.flags.iter().find(|flag| !flag.is_writable()) {
        return Err(MailError::new(Code::UsageFlag, format!("The server alone sets the flag {flag}")));
    }
    let handle = mailbox.mail().writable()?;
    let raw = in_memory(source, LARGEST).await?;
    let (size, received) = (raw.len() as u64, options.received);
    let flags: Flags = options.flags.iter().collect();
    let (target, create) = (mailbox.target().clone(), options.create);
    let write = move |writer: &mut dyn Writer| {
        let (row, now) = (names::existing_or_new(writer, &target, create)?, now());
        let received = received.unwrap_or(InternalDate { seconds: now.seconds(), offset: 0 });
        let new = described(&raw, received);
        let body = body::put(writer, &raw, &new.headers.header, now)?;
        change::append(writer, row.id, (&new, body), flags, now).map(|uid| (row, uid))
    };
    let (row, uid) = handle.write(Durability::Full, write).await?;
    if let Some(on_progress) = &options.on_progress {
        on_progress.0(Progress { phase: "append", done: 1, total: Some(1), bytes: size });
    }
    Ok(reference(mailbox.mail(), &row, uid))
}

/// A message as its row describes it.
fn described(raw: &Bytes, received: InternalDate) -> NewMessage {
    let parsed = ParsedMessage::parse(raw.clone());
    let header = Bytes::copy_from_slice(parsed.headers().raw());
    let size = raw.len() as u64;
    NewMessage {
        size,
        internal_date: received,
        digest: Some(derive::digest(&header, size, received)),
        email_id: None,
        links: derive::links(&header),
        headers: store::Headers {
            envelope: envelope(parsed.headers()),
            body_structure: render::body_structure(parsed.structure()),
            header,
        },
    }
}

/// ENVELOPE (RFC 9051 section 7.5.2) as a server would make it: Sender and Reply-To are From where they are missing.
fn envelope(headers: &Headers) -> Bytes {
    let text = |name| nstring(headers.get_raw(name));
    let list = |names: [&str; 2]| {
        let value =
            names.into_iter().find_map(|name| headers.get_raw(name).filter(|value| !value.trim_ascii().is_empty()));
        addresses(&value.map(message::parse_addresses).unwrap_or_default())
    };
    let parts = [
        text("Date"),
        text("Subject"),
        list(["From", "From"]),
        list(["Sender", "From"]),
        list(["Reply-To", "From"]),
        list(["To", "To"]),
        list(["Cc", "Cc"]),
        list(["Bcc", "Bcc"]),
        text("In-Reply-To"),
        text("Message-ID"),
    ];
    format!("({})", parts.join(" ")).into()
}

/// Groups are left out: their members stand for themselves.
fn addresses(addresses: &[EmailAddress]) -> String {
    let one = |address: &EmailAddress| {
        let (mailbox, host) = address.email.rsplit_once('@').unwrap_or((&address.email, ""));
        let name = nstring(address.name.as_deref().map(str::as_bytes));
        format!("({name} NIL {} {})", quoted(mailbox), quoted(host))
    };
    if addresses.is_empty() {
        return "NIL".to_owned();
    }
    format!("({})", addresses.iter().map(one).collect::<String>())
}

fn nstring(value: Option<&[u8]>) -> String {
    value.map_or_else(|| "NIL".to_owned(), |value| quoted(String::from_utf8_lossy(value).trim()))
}

/// Unfolded (RFC 5322 section 2.2.3), with what ends a quoted string escaped.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars().filter(|letter| !matches!(letter, '\r' | '\n' | '\0')) {
        if matches!(letter, '"' | '\\') {
            out.push('\\');
        }
        out.push(letter);
    }
    out.push('"');
    out
}
