//! A message as a search looks at it: each part of it is read when something asks for it, and kept.

use crate::error::{Code, MailError, Result};
use crate::index::DocSet;
use crate::message::{Headers, ParsedMessage, PlainHeader, SEARCHED, search_texts};
use crate::store::search::searched;
use crate::store::{MessageFacts, MessageId, PlacementRow, Reader, ShownRow};
use bytes::Bytes;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;

/// Of each text that is looked for, the messages whose body does not have it, as the index of words says.
pub(super) type Lacking = HashMap<String, DocSet>;

pub(in crate::server) struct Look<'a> {
    reader: &'a dyn Reader,
    shown: &'a ShownRow,
    lacking: Option<&'a Lacking>,
    /// The whole message, where it is not held and was fetched.
    given: Option<Bytes>,
    facts: OnceCell<Option<MessageFacts>>,
    header: OnceCell<Option<Bytes>>,
    /// `None` where it has to be decoded.
    plain: OnceCell<Option<PlainHeader>>,
    headers: OnceCell<Option<Headers>>,
    header_text: OnceCell<Option<String>>,
    body: OnceCell<Option<String>>,
    /// What went wrong while something was read.
    failed: RefCell<Option<MailError>>,
}

impl<'a> Look<'a> {
    pub(in crate::server) fn new(reader: &'a dyn Reader, shown: &'a ShownRow) -> Self {
        let (facts, header, plain, headers) = (OnceCell::new(), OnceCell::new(), OnceCell::new(), OnceCell::new());
        let (header_text, body, failed) = (OnceCell::new(), OnceCell::new(), RefCell::default());
        Self { reader, shown, lacking: None, given: None, facts, header, plain, headers, header_text, body, failed }
    }

    /// The same, with what the index knows.
    pub(super) fn with_index(self, lacking: &'a Lacking) -> Self {
        Self { lacking: Some(lacking), ..self }
    }

    /// The same, of a message that was fetched.
    pub(super) fn with_body(self, given: Bytes) -> Self {
        Self { given: Some(given), ..self }
    }

    /// Whether the body does not have that text for certain, without a look at it.
    pub(super) fn lacks(&self, text: &str) -> bool {
        let lacking = self.lacking.and_then(|lacking| lacking.get(text));
        lacking.is_some_and(|messages| messages.contains(self.id().0))
    }

    /// What came of the look; an error where something could not be read, whatever was said.
    pub(in crate::server) fn end<T>(&self, said: T) -> Result<T> {
        self.failed.borrow_mut().take().map_or(Ok(said), Err)
    }

    pub(in crate::server) fn placement(&self) -> &PlacementRow {
        &self.shown.placement
    }

    pub(super) fn id(&self) -> MessageId {
        self.shown.message
    }

    fn note<T>(&self, result: Result<Option<T>>) -> Option<T> {
        result.unwrap_or_else(|error| {
            self.failed.borrow_mut().get_or_insert(error);
            None
        })
    }

    pub(in crate::server) fn facts(&self) -> Option<&MessageFacts> {
        self.facts.get_or_init(|| self.note(self.shown.read_facts(self.reader))).as_ref()
    }

    /// The header as it came.
    fn header(&self) -> Option<&Bytes> {
        let read = || Some(self.note(self.shown.read_headers(self.reader))?.header);
        self.header.get_or_init(read).as_ref()
    }

    /// Whether no field has that text for certain, at a first look; `None` where there is no header to look at.
    pub(super) fn header_lacks(&self, text: &str) -> Option<bool> {
        let header = self.header()?;
        let plain = self.plain.get_or_init(|| PlainHeader::of(header));
        Some(plain.as_ref().is_some_and(|plain| !plain.may_have(text)))
    }

    pub(in crate::server) fn headers(&self) -> Option<&Headers> {
        let parse = || self.header().map(|header| Headers::parse(header.clone()));
        self.headers.get_or_init(parse).as_ref()
    }

    /// The header, decoded and in lower case, a field in a line.
    pub(super) fn header_text(&self) -> Option<&str> {
        let read = || {
            let fields = self.headers()?.iter().map(|(name, value)| format!("{name}: {value}\n").to_lowercase());
            Some(fields.collect::<String>())
        };
        self.header_text.get_or_init(read).as_deref()
    }

    /// The text of the body, decoded and in lower case; `None` where it is neither held nor given.
    pub(super) fn body(&self) -> Option<&str> {
        let read = || match self.read_body() {
            Err(error) if error.code() == Code::BodyNotHere => None,
            read => self.note(read.map(Some)),
        };
        self.body.get_or_init(read).as_deref()
    }

    fn read_body(&self) -> Result<String> {
        let parsed = match &self.given {
            Some(given) => ParsedMessage::parse(given.slice(..given.len().min(SEARCHED))),
            None => searched(self.reader, self.id())?,
        };
        let texts = search_texts(&parsed);
        Ok(texts.join("\n").to_lowercase().replace("\r\n", "\n"))
    }
}
