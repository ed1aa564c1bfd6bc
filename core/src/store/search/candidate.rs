//! A stored message as a query sees it: its row, then its header, then its text, each read when something asks for it.

use super::text::{self, Lately};
use crate::error::{MailError, Result};
use crate::imap::{Flag, StructureText};
use crate::message::{self, SearchFields};
use crate::query::{AddressField, Candidate, Field, fold};
use crate::store::{Headers, Reader, SearchFacts, SearchRow, ThreadId};
use bytes::Bytes;
use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

/// How far a look may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Depth {
    Row,
    Header,
    Text,
}

pub(super) struct Stored<'a> {
    reader: &'a dyn Reader,
    lately: &'a Lately,
    row: &'a SearchRow,
    mailbox: &'a str,
    depth: Cell<Depth>,
    flags: OnceCell<Vec<Flag>>,
    facts: OnceCell<Option<SearchFacts>>,
    thread: OnceCell<Option<String>>,
    headers: OnceCell<Option<Header>>,
    text: OnceCell<Option<Arc<str>>>,
    /// What went wrong while something was read; the first thing.
    failed: RefCell<Option<MailError>>,
}

struct Header {
    stored: Headers,
    parsed: message::Headers,
    fields: HashMap<Field, String>,
    all: String,
}

impl<'a> Stored<'a> {
    pub(super) fn new((reader, lately): (&'a dyn Reader, &'a Lately), row: &'a SearchRow, mailbox: &'a str) -> Self {
        Self {
            reader,
            lately,
            row,
            mailbox,
            depth: Cell::new(Depth::Row),
            flags: OnceCell::new(),
            facts: OnceCell::new(),
            thread: OnceCell::new(),
            headers: OnceCell::new(),
            text: OnceCell::new(),
            failed: RefCell::default(),
        }
    }

    /// Lets it be looked at further.
    pub(super) fn deepen(&self, depth: Depth) {
        self.depth.set(depth);
    }

    /// Ends the look: an error where something could not be read, whatever was said.
    pub(super) fn end(self) -> Result<()> {
        self.failed.into_inner().map_or(Ok(()), Err)
    }

    fn note<T>(&self, result: Result<Option<T>>) -> Option<T> {
        result.unwrap_or_else(|error| {
            self.failed.borrow_mut().get_or_insert(error);
            None
        })
    }

    fn facts(&self) -> Option<SearchFacts> {
        *self.facts.get_or_init(|| self.note(self.reader.search_facts(self.row.message)))
    }

    fn has_text(&self) -> bool {
        self.depth.get() == Depth::Text && self.facts().is_some_and(|facts| facts.body.is_some())
    }

    fn headers(&self) -> Option<&Header> {
        if self.depth.get() < Depth::Header {
            return None;
        }
        self.headers.get_or_init(|| self.note(self.reader.headers(self.row.message)).map(Header::new)).as_ref()
    }

    fn text(&self) -> Option<&str> {
        if !self.has_text() {
            return None;
        }
        let text = || self.note(text::text(self.reader, self.row.message, self.lately).map(Some));
        self.text.get_or_init(text).as_deref()
    }
}

impl Header {
    fn new(stored: Headers) -> Self {
        let parsed = message::Headers::parse(stored.header.clone());
        let fields = fields(&parsed);
        // A line end is in no folded query, so nothing is found across two fields.
        let all = fields.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n");
        Self { stored, parsed, fields: fields.into_iter().collect(), all }
    }
}

/// The header fields that are searched, folded.
pub(super) fn fields(headers: &message::Headers) -> Vec<(Field, String)> {
    let SearchFields { subject, from, to, cc, bcc, list } = SearchFields::of(headers);
    let fields = [
        (Field::Subject, subject),
        (Field::From, from),
        (Field::To, to),
        (Field::Cc, cc),
        (Field::Bcc, bcc),
        (Field::List, list),
    ];
    fields.into_iter().map(|(field, text)| (field, fold(&text))).collect()
}

/// Whether something is attached to a message of that structure, as it is stored; `None` where it cannot be read.
pub(super) fn has_attachment(body_structure: &[u8]) -> Option<bool> {
    let structure = StructureText::new(Bytes::copy_from_slice(body_structure)).read().ok()?;
    Some(message::parts(&structure).has_attachment())
}

impl Candidate for Stored<'_> {
    fn flags(&self) -> Option<&[Flag]> {
        Some(self.flags.get_or_init(|| self.row.flags.iter().collect()))
    }

    fn received(&self) -> Option<i64> {
        self.facts().map(|facts| facts.received)
    }

    fn size(&self) -> Option<u64> {
        self.facts().map(|facts| facts.size)
    }

    fn addresses(&self, field: AddressField) -> Option<Cow<'_, str>> {
        let field = match field {
            AddressField::From => Field::From,
            AddressField::To => Field::To,
            AddressField::Cc => Field::Cc,
            AddressField::Bcc => Field::Bcc,
        };
        self.headers()?.fields.get(&field).map(|text| text.as_str().into())
    }

    fn subject(&self) -> Option<Cow<'_, str>> {
        self.headers()?.fields.get(&Field::Subject).map(|text| text.as_str().into())
    }

    fn header(&self, name: &str) -> Option<Vec<Cow<'_, str>>> {
        Some(self.headers()?.parsed.get_all(name).map(|value| fold(&value).into()).collect())
    }

    fn header_text(&self) -> Option<Cow<'_, str>> {
        Some(self.headers()?.all.as_str().into())
    }

    fn body(&self) -> Option<Cow<'_, str>> {
        self.text().map(Cow::Borrowed)
    }

    fn has_attachment(&self) -> Option<bool> {
        has_attachment(&self.headers()?.stored.body_structure).or_else(|| {
            self.note(self.has_text().then(|| text::has_attachment(self.reader, self.row.message)).transpose())
        })
    }

    fn mailbox(&self) -> Option<&str> {
        Some(self.mailbox)
    }

    fn thread(&self) -> Option<&str> {
        let thread = || self.facts().and_then(|facts| facts.thread).map(ThreadId::object_id);
        self.thread.get_or_init(thread).as_deref()
    }
}
