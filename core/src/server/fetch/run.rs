//! The rows of a FETCH, one window after another: memory follows the window, not the mailbox.

use super::large::Work;
use super::message::{Known, Lack, Looked, Message};
use super::section::{Data, section};
use super::stream::Source;
use crate::error::{Code, Result};
use crate::imap::render;
use crate::imap::{InternalDate, UidSet};
use crate::server::command::{FetchItem, SectionItem};
use crate::server::lately::Lately;
use crate::server::view::View;
use crate::store::{Fetched, MailboxId, MessageId, Reader, ShownParts, ShownRow};
use std::collections::VecDeque;
use std::sync::Arc;

/// Bytes of a window, about.
const WINDOW: usize = 256 << 10;
/// Messages whose rows are read together.
const ROWS: u64 = 256;

/// Messages whose rows are read before anybody else is served.
const QUICK: u64 = 64;

/// What is asked of each message.
pub(in crate::server) struct Plan {
    pub mailbox: MailboxId,
    pub view: Arc<View>,
    pub items: Vec<FetchItem>,
    /// Whether MODSEQ is told without being asked for.
    pub with_mod_seq: bool,
    /// Messages that this command has marked as seen.
    pub seen: UidSet,
    pub is_uid: bool,
    pub utf8: bool,
    pub condstore: bool,
    pub lately: Arc<Lately>,
}

impl Plan {
    /// What is read of each message at once with its row.
    fn parts(&self) -> ShownParts {
        use FetchItem::{Body, BodyStructure, Envelope, InternalDate, Section, Size, ThreadId};
        let any = |is: &dyn Fn(&FetchItem) -> bool| self.items.iter().any(is);
        ShownParts {
            facts: any(&|item| matches!(item, InternalDate | Size | ThreadId)),
            headers: any(&|item| match item {
                Envelope | Body | BodyStructure => true,
                Section(item) => item.is_of_header(),
                _ => false,
            }),
        }
    }
}

/// A FETCH under way.
pub(in crate::server) struct FetchRun {
    plan: Plan,
    left: UidSet,
    rows: VecDeque<ShownRow>,
    out: Vec<u8>,
    /// What is written next: pieces of the row that is being written.
    pieces: VecDeque<Piece>,
    /// What has to be done before the first of the rows can be made.
    work: Option<Work>,
    /// What was found out about it.
    known: Known,
    not_here: u64,
    missing: bool,
    unknown_encoding: bool,
}

/// What a FETCH comes to next.
pub(in crate::server) enum Step {
    /// Bytes to write.
    Bytes(Vec<u8>),
    /// The body of this message is needed, and not held: [`FetchRun::give`].
    Body(MessageId),
    /// Nothing to write: all is over, or something goes on. [`FetchRun::is_over`], [`FetchRun::is_working`].
    Nothing,
}

enum Piece {
    Text(Vec<u8>),
    /// So many bytes that are read as they are written.
    Stream(Source, u64),
}

/// What a row comes to.
enum Made {
    Row,
    /// The body of this message is needed.
    Body(MessageId),
    /// Something has to be done first.
    Work,
}

impl FetchRun {
    /// `head` is written before the rows.
    pub(super) fn new(plan: Plan, uids: UidSet, head: Vec<u8>) -> Self {
        let (rows, pieces) = (VecDeque::new(), VecDeque::new());
        let (work, known) = (None, Known::default());
        let (not_here, missing, unknown_encoding) = (0, false, false);
        Self { plan, left: uids, rows, out: head, pieces, work, known, not_here, missing, unknown_encoding }
    }

    /// Messages that were left out, since their body is not held.
    pub(super) fn not_here(&self) -> u64 {
        self.not_here
    }

    /// Whether messages were gone already.
    pub(super) fn is_missing(&self) -> bool {
        self.missing
    }

    pub(super) fn unknown_encoding(&self) -> bool {
        self.unknown_encoding
    }

    pub(super) fn is_uid(&self) -> bool {
        self.plan.is_uid
    }

    /// Whether what was given last ends inside a row.
    pub(in crate::server) fn is_inside(&self) -> bool {
        !self.pieces.is_empty()
    }

    /// Whether nothing is left to be written.
    pub(in crate::server) fn is_over(&self) -> bool {
        self.left.is_empty() && self.rows.is_empty() && self.pieces.is_empty() && self.out.is_empty()
    }

    /// Whether a large message is looked through: this is for a few clients at a time.
    pub(in crate::server) fn is_working(&self) -> bool {
        self.work.is_some()
    }

    /// Whether the next step takes a few rows, and no message is taken apart for it.
    pub(in crate::server) fn is_quick(&self) -> bool {
        let is_row = |item: &FetchItem| match item {
            FetchItem::Body | FetchItem::BodyStructure | FetchItem::Preview { .. } => false,
            FetchItem::Section(item) => item.is_quick(),
            _ => true,
        };
        self.known.given.is_none()
            && self.left.len() + self.rows.len() as u64 <= QUICK
            && self.plan.items.iter().all(is_row)
    }

    /// The body that was needed; `None` where it cannot be had: its message is left out, never shown with an empty one.
    pub(in crate::server) fn give(&mut self, body: Option<Fetched>) {
        self.known = Known::default();
        match body {
            Some(Fetched::Bytes(body)) => self.known.given = Some(body),
            // Its row is made of what the store has now.
            Some(Fetched::Held) => {}
            None => {
                self.rows.pop_front();
                self.not_here += 1;
            }
        }
    }

    pub(in crate::server) fn next(&mut self, reader: &dyn Reader) -> Result<Step> {
        if let Some(work) = self.work.take() {
            return self.go_on(reader, work).map(|()| Step::Nothing);
        }
        while self.out.len() < WINDOW {
            match self.pieces.pop_front() {
                Some(Piece::Text(text)) => self.out.extend_from_slice(&text),
                Some(Piece::Stream(source, left)) => self.stream(reader, source, left)?,
                None => {
                    let Some(row) = self.next_row(reader)? else { break };
                    match self.row(reader, row)? {
                        Made::Row => {}
                        Made::Body(message) => return Ok(Step::Body(message)),
                        Made::Work => break,
                    }
                }
            }
        }
        let out = std::mem::take(&mut self.out);
        Ok(if out.is_empty() { Step::Nothing } else { Step::Bytes(out) })
    }

    fn go_on(&mut self, reader: &dyn Reader, mut work: Work) -> Result<()> {
        match work.go_on(reader, &self.plan.lately) {
            Ok(None) => self.work = Some(work),
            Ok(Some(large)) => self.known.large = Some(large),
            // Let go meanwhile: the row finds that too.
            Err(error) if error.code() == Code::BodyNotHere => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn stream(&mut self, reader: &dyn Reader, mut source: Source, left: u64) -> Result<()> {
        // Kept while it is read, so that an error is known to be inside a row.
        self.pieces.push_front(Piece::Text(Vec::new()));
        let bytes = source.next(reader, left)?;
        self.out.extend_from_slice(&bytes);
        self.pieces.pop_front();
        let left = left - bytes.len() as u64;
        if left > 0 {
            self.pieces.push_front(Piece::Stream(source, left));
        }
        Ok(())
    }

    fn next_row(&mut self, reader: &dyn Reader) -> Result<Option<ShownRow>> {
        while self.rows.is_empty() && !self.left.is_empty() {
            let asked = self.left.oldest(ROWS);
            self.left = self.left.difference(&asked);
            self.rows = reader.shown(self.plan.mailbox, &asked, self.plan.parts())?.into();
            self.missing |= self.rows.len() as u64 != asked.len();
        }
        Ok(self.rows.pop_front())
    }

    /// Makes the pieces of a row, or puts it back where something is needed first.
    fn row(&mut self, reader: &dyn Reader, row: ShownRow) -> Result<Made> {
        let Some(seq) = self.plan.view.seq(row.placement.uid) else { return Ok(Made::Row) };
        match self.pieces_of(reader, &row, seq) {
            Ok(pieces) => self.pieces = pieces,
            Err(Lack::Work(work)) => {
                self.work = Some(work);
                self.rows.push_front(row);
                return Ok(Made::Work);
            }
            Err(Lack::Error(error)) => match error.code() {
                Code::BodyNotHere => {
                    let message = row.message;
                    self.rows.push_front(row);
                    return Ok(Made::Body(message));
                }
                Code::MessageMissing => self.missing = true,
                Code::MessageMalformed => self.unknown_encoding = true,
                _ => return Err(error),
            },
        }
        self.known = Known::default();
        Ok(Made::Row)
    }

    fn pieces_of(&self, reader: &dyn Reader, row: &ShownRow, seq: u32) -> Looked<VecDeque<Piece>> {
        let message = Message::new(reader, row, self.known.clone(), &self.plan.lately);
        let row = &row.placement;
        let mut pieces = VecDeque::new();
        let mut text = format!("* {seq} FETCH (").into_bytes();
        for (at, item) in self.plan.items.iter().enumerate() {
            if at > 0 {
                text.push(b' ');
            }
            if let FetchItem::Section(item) = item {
                self.section(&message, item, &mut text, &mut pieces)?;
            } else {
                self.plain(&message, item, &mut text)?;
            }
        }
        let says_flags = self.plan.items.contains(&FetchItem::Flags);
        if !says_flags && self.plan.seen.contains(row.uid) {
            text.extend_from_slice(format!(" FLAGS ({})", row.flags).as_bytes());
        }
        let says_mod_seq = self.plan.items.contains(&FetchItem::ModSeq);
        let is_changed = self.plan.condstore && self.plan.seen.contains(row.uid);
        if !says_mod_seq && (self.plan.with_mod_seq || is_changed) {
            text.extend_from_slice(format!(" MODSEQ ({})", row.mod_seq).as_bytes());
        }
        text.extend_from_slice(b")\r\n");
        pieces.push_back(Piece::Text(text));
        Ok(pieces)
    }

    fn section(
        &self,
        message: &Message<'_>,
        item: &SectionItem,
        text: &mut Vec<u8>,
        pieces: &mut VecDeque<Piece>,
    ) -> Looked<()> {
        text.extend_from_slice(item.label.as_bytes());
        if let Some((first, _)) = item.partial {
            text.extend_from_slice(format!("<{first}>").as_bytes());
        }
        text.push(b' ');
        match section(message, item)? {
            Data::None => text.extend_from_slice(b"NIL"),
            Data::Number(number) => text.extend_from_slice(number.to_string().as_bytes()),
            Data::Bytes(bytes, is_binary) => {
                begin_literal(text, bytes.len() as u64, is_binary);
                text.extend_from_slice(&bytes);
            }
            Data::Stream(source, length, is_binary) => {
                begin_literal(text, length, is_binary);
                pieces.push_back(Piece::Text(std::mem::take(text)));
                if length > 0 {
                    pieces.push_back(Piece::Stream(source, length));
                }
            }
        }
        Ok(())
    }

    fn plain(&self, message: &Message<'_>, item: &FetchItem, out: &mut Vec<u8>) -> Looked<()> {
        let placed = message.placement();
        let mut word = |text: String| out.extend_from_slice(text.as_bytes());
        match item {
            FetchItem::Flags => word(format!("FLAGS ({})", placed.flags)),
            FetchItem::Uid => word(format!("UID {}", placed.uid)),
            FetchItem::ModSeq => word(format!("MODSEQ ({})", placed.mod_seq)),
            FetchItem::InternalDate => word(format!("INTERNALDATE \"{}\"", message.facts()?.internal_date)),
            FetchItem::SaveDate => {
                let saved = InternalDate { seconds: placed.save_date, offset: 0 };
                word(format!("SAVEDATE \"{saved}\""));
            }
            FetchItem::Size => word(format!("RFC822.SIZE {}", message.facts()?.size)),
            FetchItem::EmailId => word(format!("EMAILID ({})", message.id().object_id())),
            FetchItem::ThreadId => match message.facts()?.thread {
                Some(thread) => word(format!("THREADID ({})", thread.object_id())),
                None => word("THREADID NIL".to_owned()),
            },
            FetchItem::Envelope => {
                out.extend_from_slice(b"ENVELOPE ");
                out.extend_from_slice(&message.envelope()?);
            }
            FetchItem::BodyStructure => {
                out.extend_from_slice(b"BODYSTRUCTURE ");
                out.extend_from_slice(&message.structure_text()?);
            }
            FetchItem::Body => {
                out.extend_from_slice(b"BODY ");
                out.extend_from_slice(&render::body(&message.structure()?));
            }
            FetchItem::Preview { lazy } => {
                out.extend_from_slice(b"PREVIEW ");
                let preview = message.preview(*lazy)?;
                match preview.as_deref().filter(|text| self.plan.utf8 && !text.is_ascii()) {
                    Some(text) => render::quoted(out, text.as_bytes()),
                    None => render::nstring(out, preview.as_deref().map(str::as_bytes)),
                }
            }
            FetchItem::Section(_) => {}
        }
        Ok(())
    }
}

fn begin_literal(out: &mut Vec<u8>, length: u64, is_binary: bool) {
    let tilde = if is_binary { "~" } else { "" };
    out.extend_from_slice(format!("{tilde}{{{length}}}\r\n").as_bytes());
}
