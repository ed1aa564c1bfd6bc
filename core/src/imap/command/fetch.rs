//! UID FETCH.

use super::{Chosen, uids};
use crate::error::{Code, MailError, Result};
use crate::imap::Section;
use crate::wire::{Command, Encoder};

/// What to fetch of each message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchItem {
    /// `UID`; a UID FETCH always tells it.
    Uid,
    /// `FLAGS`.
    Flags,
    /// `INTERNALDATE`.
    InternalDate,
    /// `RFC822.SIZE`.
    Size,
    /// `ENVELOPE`.
    Envelope,
    /// `BODYSTRUCTURE`.
    BodyStructure,
    /// `MODSEQ` (CONDSTORE).
    ModSeq,
    /// `EMAILID` (OBJECTID).
    EmailId,
    /// `THREADID` (OBJECTID).
    ThreadId,
    /// `PREVIEW` (RFC 8970).
    Preview,
    /// `SAVEDATE` (RFC 8514).
    SaveDate,
    /// `BODY.PEEK[…]` or `BINARY.PEEK[…]`: content, without marking the message as seen.
    Section {
        /// Which.
        section: Section,
        /// Offset and length, in bytes.
        partial: Option<(u64, u64)>,
    },
    /// `X-GM-MSGID`.
    GmMessageId,
    /// `X-GM-THRID`.
    GmThreadId,
    /// `X-GM-LABELS`.
    GmLabels,
    /// Any other item, as it stands.
    Raw(String),
}

/// What else a FETCH can say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FetchModifiers {
    /// Only messages changed after this MODSEQ (CONDSTORE). 0 is not a MODSEQ and is refused.
    pub changed_since: Option<u64>,
    /// Also tell which of the UIDs are gone (QRESYNC, with `changed_since`).
    pub vanished: bool,
}

/// `UID FETCH set (items) [(CHANGEDSINCE n)]`.
pub fn uid_fetch<'a>(set: impl Into<Chosen<'a>>, items: &[FetchItem], modifiers: FetchModifiers) -> Result<Command> {
    let mut e = Encoder::new("UID FETCH");
    uids(&mut e, set.into())?;
    if items.is_empty() {
        return Err(MailError::new(Code::UsageArgument, "Nothing is asked of the messages"));
    }
    fetch_items(&mut e, items)?;
    match modifiers.changed_since {
        None => {}
        Some(0) => return Err(MailError::new(Code::UsageArgument, "0 is not a MODSEQ")),
        Some(mod_seq) => {
            e.list(|e| {
                e.word("CHANGEDSINCE").number(mod_seq);
                if modifiers.vanished {
                    e.word("VANISHED");
                }
                Ok(())
            })?;
        }
    }
    Ok(e.finish())
}

/// Items in parentheses.
pub(super) fn fetch_items(e: &mut Encoder, items: &[FetchItem]) -> Result<()> {
    e.list(|e| items.iter().try_for_each(|item| write(e, item))).map(drop)
}

fn write(e: &mut Encoder, item: &FetchItem) -> Result<()> {
    let word = match item {
        FetchItem::Uid => "UID",
        FetchItem::Flags => "FLAGS",
        FetchItem::InternalDate => "INTERNALDATE",
        FetchItem::Size => "RFC822.SIZE",
        FetchItem::Envelope => "ENVELOPE",
        FetchItem::BodyStructure => "BODYSTRUCTURE",
        FetchItem::ModSeq => "MODSEQ",
        FetchItem::EmailId => "EMAILID",
        FetchItem::ThreadId => "THREADID",
        FetchItem::Preview => "PREVIEW",
        FetchItem::SaveDate => "SAVEDATE",
        FetchItem::GmMessageId => "X-GM-MSGID",
        FetchItem::GmThreadId => "X-GM-THRID",
        FetchItem::GmLabels => "X-GM-LABELS",
        FetchItem::Section { section, partial } => return write_section(e, section, *partial),
        FetchItem::Raw(raw) => return e.raw(raw).map(drop),
    };
    e.word(word);
    Ok(())
}

fn write_section(e: &mut Encoder, section: &Section, partial: Option<(u64, u64)>) -> Result<()> {
    if !is_section_text(&section.text) || section.binary && !section.text.is_empty() {
        return Err(MailError::new(Code::UsageArgument, format!("{:?} is no section of a message", section.text)));
    }
    let range = partial.map(|(from, length)| format!("<{from}.{length}>")).unwrap_or_default();
    let name = if section.binary { "BINARY.PEEK" } else { "BODY.PEEK" };
    e.raw(&format!("{name}[{section}]{range}")).map(drop)
}

/// What may stand in the brackets after the part numbers: words, and header names in parentheses.
fn is_section_text(text: &str) -> bool {
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_graphic() && !matches!(b, b'[' | b']' | b'{' | b'}' | b'"' | b'\\') || b == b' ');
    let (open, close) = (text.matches('(').count(), text.matches(')').count());
    let closed = open == close && open <= 1 && (open == 0 || text.ends_with(')') && !text.contains("()"));
    plain && closed
}
