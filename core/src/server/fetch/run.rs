//! The rows of a FETCH, one window after another: memory follows the window, not the mailbox.

use super::message::Message;
use super::section::{Data, section};
use crate::error::{Code, MailError, Result};
use crate::imap::render;
use crate::imap::{InternalDate, UidSet};
use crate::server::command::FetchItem;
use crate::server::view::View;
use crate::store::body::Content;
use crate::store::{Fetched, MailboxId, MessageId, Reader, ShownParts, ShownRow};
use bytes::Bytes;
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
    /// A body that had to be fetched, and whose it is.
    given: Option<(MessageId, Bytes)>,
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
    /// Nothing; [`FetchRun::is_over`].
    End,
}

enum Piece {
    Text(Vec<u8>),
    /// So many bytes of a content, from where it stands.
    Content(Box<Content>, u64),
}

impl FetchRun {
    /// `head` is written before the rows.
    pub(super) fn new(plan: Plan, uids: UidSet, head: Vec<u8>) -> Self {
        let (rows, pieces) = (VecDeque::new(), VecDeque::new());
        let (given, not_here, missing, unknown_encoding) = (None, 0, false, false);
        Self { plan, left: uids, rows, out: head, pieces, given, not_here, missing, unknown_encoding }
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

    /// Whether the next step takes a few rows, and no message is taken apart for it.
    pub(in crate::server) fn is_quick(&self) -> bool {
        let is_row = |item: &FetchItem| match item {
            FetchItem::Body | FetchItem::BodyStructure | FetchItem::Preview { .. } => false,
            FetchItem::Section(item) => item.is_quick(),
            _ => true,
        };
        self.given.is_none() && self.left.len() + self.rows.len() as u64 <= QUICK && self.plan.items.iter().all(is_row)
    }

    /// The body that was needed; `None` where it cannot be had: its message is left out, never shown with an empty one.
    pub(in crate::server) fn give(&mut self, message: MessageId, body: Option<Fetched>) {
        self.given = None;
        match body {
            Some(Fetched::Bytes(body)) => self.given = Some((message, body)),
            // Its row is made of what the store has now.
            Some(Fetched::Held) => {}
            None => {
                self.rows.pop_front();
                self.not_here += 1;
            }
        }
    }

    pub(in crate::server) fn next(&mut self, reader: &dyn Reader) -> Result<Step> {
        while self.out.len() < WINDOW {
            match self.pieces.pop_front() {
                Some(Piece::Text(text)) => self.out.extend_from_slice(&text),
                Some(Piece::Content(content, left)) => self.stream(reader, content, left)?,
                None => {
                    let Some(row) = self.next_row(reader)? else { break };
                    if let Some(message) = self.row(reader, row)? {
                        return Ok(Step::Body(message));
                    }
                }
            }
        }
        let out = std::mem::take(&mut self.out);
        Ok(if out.is_empty() { Step::End } else { Step::Bytes(out) })
    }

    fn stream(&mut self, reader: &dyn Reader, mut content: Box<Content>, left: u64) -> Result<()> {
        // Kept while it is read, so that an error is known to be inside a row.
        self.pieces.push_front(Piece::Text(Vec::new()));
        let cut = || MailError::new(Code::StoreDamaged, "A content is shorter than it was");
        let mut bytes = content.next(reader)?.ok_or_else(cut)?;
        bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        self.out.extend_from_slice(&bytes);
        self.pieces.pop_front();
        let left = left - bytes.len() as u64;
        if left > 0 {
            self.pieces.push_front(Piece::Content(content, left));
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

    /// Makes the pieces of a row. Where its body is not held, it waits, and its message is given back.
    fn row(&mut self, reader: &dyn Reader, row: ShownRow) -> Result<Option<MessageId>> {
        let Some(seq) = self.plan.view.seq(row.placement.uid) else { return Ok(None) };
        match self.pieces_of(reader, &row, seq) {
            Ok(pieces) => self.pieces = pieces,
            Err(error) if error.code() == Code::BodyNotHere => {
                let message = row.message;
                self.rows.push_front(row);
                return Ok(Some(message));
            }
            Err(error) if error.code() == Code::MessageMissing => self.missing = true,
            Err(error) if error.code() == Code::MessageMalformed => self.unknown_encoding = true,
            Err(error) => return Err(error),
        }
        self.given = None;
        Ok(None)
    }

    fn pieces_of(&self, reader: &dyn Reader, row: &ShownRow, seq: u32) -> Result<VecDeque<Piece>> {
        let given = self.given.as_ref().filter(|(id, _)| *id == row.message).map(|(_, body)| body.clone());
        let (message, row) = (Message::new(reader, row, given), &row.placement);
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
        item: &crate::server::command::SectionItem,
        text: &mut Vec<u8>,
        pieces: &mut VecDeque<Piece>,
    ) -> Result<()> {
        text.extend_from_slice(item.label.as_bytes());
        if let Some((first, _)) = item.partial {
            text.extend_from_slice(format!("<{first}>").as_bytes());
        }
        text.push(b' ');
        match section(message, item)? {
            Data::None => text.extend_from_slice(b"NIL"),
            Data::Number(number) => text.extend_from_slice(number.to_string().as_bytes()),
            Data::Bytes(bytes, is_binary) => {
                let tilde = if is_binary { "~" } else { "" };
                text.extend_from_slice(format!("{tilde}{{{}}}\r\n", bytes.len()).as_bytes());
                text.extend_from_slice(&bytes);
            }
            Data::Content(content, length) => {
                text.extend_from_slice(format!("{{{length}}}\r\n").as_bytes());
                pieces.push_back(Piece::Text(std::mem::take(text)));
                if length > 0 {
                    pieces.push_back(Piece::Content(content, length));
                }
            }
        }
        Ok(())
    }

    fn plain(&self, message: &Message<'_>, item: &FetchItem, out: &mut Vec<u8>) -> Result<()> {
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
