//! A message as a query sees it.

use super::Message;
use crate::error::{Code, MailError, Result};
use crate::imap::{AddressList, Flag};
use crate::message::{self, Headers, decode_header};
use crate::query::{AddressField, Candidate, Matcher};
use std::borrow::Cow;

impl Message {
    /// Whether it is what a query asks for; reads the text or header if the query does.
    pub(crate) async fn matches(&self, matcher: &Matcher) -> Result<bool> {
        let needs = matcher.needs();
        let header = if needs.header { Some(self.headers().await?) } else { None };
        let body = if needs.body { Some(self.text().await?) } else { None };
        let attached = self.structure().map(|s| message::parts(&s).has_attachment());
        // It was asked for with the row: without it the message is in no thread that has an id.
        let thread = needs.thread.then(|| self.thread().unwrap_or_default());
        let reading = Reading { message: self, header, body, attached, thread };
        matcher.matches(&reading).ok_or_else(|| {
            MailError::new(Code::ServerUnsupported, "Whether a message matches cannot be told on this server")
                .with(|c| c.uid = Some(self.uid()))
        })
    }
}

/// A message with what a query needs of it.
struct Reading<'a> {
    message: &'a Message,
    header: Option<Headers>,
    body: Option<String>,
    attached: Option<bool>,
    thread: Option<String>,
}

impl Candidate for Reading<'_> {
    fn flags(&self) -> Option<&[Flag]> {
        self.message.0.row.flags.as_deref()
    }

    fn received(&self) -> Option<i64> {
        self.message.received().map(|date| date.seconds)
    }

    fn size(&self) -> Option<u64> {
        self.message.size()
    }

    fn addresses(&self, field: AddressField) -> Option<Cow<'_, str>> {
        self.message.envelope()?;
        let list = match field {
            AddressField::From => AddressList::From,
            AddressField::To => AddressList::To,
            AddressField::Cc => AddressList::Cc,
            AddressField::Bcc => AddressList::Bcc,
        };
        let texts: Vec<String> = self.message.addresses(list).iter().map(ToString::to_string).collect();
        Some(texts.join(", ").into())
    }

    fn subject(&self) -> Option<Cow<'_, str>> {
        self.message.envelope()?;
        Some(self.message.subject().unwrap_or_default().into())
    }

    fn header(&self, name: &str) -> Option<Vec<Cow<'_, str>>> {
        self.header.as_ref().map(|h| h.get_all(name).map(Cow::Owned).collect())
    }

    fn header_text(&self) -> Option<Cow<'_, str>> {
        self.header.as_ref().map(|h| decode_header(h.raw()).into())
    }

    fn body(&self) -> Option<Cow<'_, str>> {
        self.body.as_deref().map(Into::into)
    }

    fn has_attachment(&self) -> Option<bool> {
        self.attached
    }

    fn mailbox(&self) -> Option<&str> {
        Some(&self.message.reference().mailbox)
    }

    fn thread(&self) -> Option<&str> {
        self.thread.as_deref()
    }
}
