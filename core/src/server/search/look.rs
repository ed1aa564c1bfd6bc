//! A message as a search looks at it: each part of it is read when something asks for it, and kept.

use crate::error::{Code, MailError, Result};
use crate::message::{Headers, ParsedMessage, SEARCHED, search_texts};
use crate::store::{MessageId, MessageRow, PlacementRow, Reader, body};
use bytes::BytesMut;
use std::cell::{OnceCell, RefCell};

pub(in crate::server) struct Look<'a> {
    reader: &'a dyn Reader,
    placement: &'a PlacementRow,
    row: OnceCell<Option<MessageRow>>,
    headers: OnceCell<Option<Headers>>,
    header_text: OnceCell<Option<String>>,
    body: OnceCell<Option<String>>,
    /// What went wrong while something was read.
    failed: RefCell<Option<MailError>>,
}

impl<'a> Look<'a> {
    pub(in crate::server) fn new(reader: &'a dyn Reader, placement: &'a PlacementRow) -> Self {
        let (row, headers, header_text) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        let (body, failed) = (OnceCell::new(), RefCell::default());
        Self { reader, placement, row, headers, header_text, body, failed }
    }

    /// What came of the look; an error where something could not be read, whatever was said.
    pub(in crate::server) fn end<T>(&self, said: T) -> Result<T> {
        self.failed.borrow_mut().take().map_or(Ok(said), Err)
    }

    pub(in crate::server) fn placement(&self) -> &PlacementRow {
        self.placement
    }

    fn id(&self) -> MessageId {
        self.placement.message.unwrap_or(MessageId(0))
    }

    fn note<T>(&self, result: Result<Option<T>>) -> Option<T> {
        result.unwrap_or_else(|error| {
            self.failed.borrow_mut().get_or_insert(error);
            None
        })
    }

    pub(in crate::server) fn row(&self) -> Option<&MessageRow> {
        self.row.get_or_init(|| self.note(self.reader.message(self.id()))).as_ref()
    }

    pub(in crate::server) fn headers(&self) -> Option<&Headers> {
        let read = || Some(Headers::parse(self.note(self.reader.headers(self.id()))?.header));
        self.headers.get_or_init(read).as_ref()
    }

    /// The header, decoded and in lower case, a field in a line.
    pub(super) fn header_text(&self) -> Option<&str> {
        let read = || {
            let fields = self.headers()?.iter().map(|(name, value)| format!("{name}: {value}\n").to_lowercase());
            Some(fields.collect::<String>())
        };
        self.header_text.get_or_init(read).as_deref()
    }

    /// The text of the body, decoded and in lower case; `None` where it is not held.
    pub(super) fn body(&self) -> Option<&str> {
        let read = || match self.read_body() {
            Err(error) if error.code() == Code::BodyNotHere => None,
            read => self.note(read.map(Some)),
        };
        self.body.get_or_init(read).as_deref()
    }

    fn read_body(&self) -> Result<String> {
        let mut content = body::open(self.reader, self.id())?;
        let mut raw = BytesMut::new();
        while raw.len() < SEARCHED
            && let Some(piece) = content.next(self.reader)?
        {
            raw.extend_from_slice(&piece);
        }
        raw.truncate(SEARCHED);
        let texts = search_texts(&ParsedMessage::parse(raw.freeze()));
        Ok(texts.join("\n").to_lowercase().replace("\r\n", "\n"))
    }
}
