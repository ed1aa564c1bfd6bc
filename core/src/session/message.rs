//! A message, live or local: properties at hand, and contents read or fetched when asked for.

mod content;
mod reading;

pub(super) use content::Apart;

use super::kept::Kept;
use super::mailbox::Mailbox;
use crate::bulk::MessageRef;
use crate::error::{Code, MailError, Result};
use crate::imap::extension::object_id;
use crate::imap::{AddressList, BodyStructure, Envelope, FetchRow, Flag, InternalDate, Section, SectionData};
use crate::message::{
    self, Attachment, EmailAddress, Outlined, ParsedMessage, SingleAddress, decode_addresses, decode_header,
};
use bytes::Bytes;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A message as the server described it when it was fetched. Cheap to clone.
///
/// Methods that are not `async` tell what came with the fetch and never do I/O; text is decoded at each call. The
/// `async` ones fetch what they need, unless it was loaded ahead ([`FetchOptions::parts`](super::FetchOptions::parts)).
#[derive(Clone)]
pub struct Message(Arc<Data>);

struct Data {
    from: From,
    reference: MessageRef,
    row: Box<FetchRow>,
    loaded: Loaded,
    problems: OnceLock<Vec<String>>,
    /// The message taken apart by ourselves, once it is here whole.
    parsed: OnceLock<ParsedMessage>,
    /// The same of a large one that is kept here.
    outlined: OnceLock<Arc<Outlined>>,
}

/// Where the contents come from.
enum From {
    Live(Mailbox),
    Kept(Arc<dyn Kept>),
}

/// Sections that came with a message, whole ones only.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loaded(Vec<(Section, Bytes)>);

impl Loaded {
    /// A whole message.
    pub fn whole(raw: Bytes) -> Self {
        Self(vec![(Section::default(), raw)])
    }

    pub fn insert(&mut self, data: SectionData) {
        if let (None | Some(0), Some(octets)) = (data.origin, data.data) {
            self.0.push((data.section, octets.into_bytes()));
        }
    }

    fn get(&self, section: &Section) -> Option<&Bytes> {
        self.0.iter().find(|(s, _)| s == section).map(|(_, bytes)| bytes)
    }
}

impl Message {
    pub(crate) fn new(mailbox: Mailbox, reference: MessageRef, row: Box<FetchRow>, loaded: Loaded) -> Self {
        Self::from_data(From::Live(mailbox), reference, row, loaded)
    }

    /// A message whose contents come from elsewhere than a live mailbox.
    pub(crate) fn kept(source: Arc<dyn Kept>, reference: MessageRef, row: Box<FetchRow>, loaded: Loaded) -> Self {
        Self::from_data(From::Kept(source), reference, row, loaded)
    }

    fn from_data(from: From, reference: MessageRef, row: Box<FetchRow>, loaded: Loaded) -> Self {
        let (problems, parsed, outlined) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self(Arc::new(Data { from, reference, row, loaded, problems, parsed, outlined }))
    }

    /// Its address.
    #[must_use]
    pub fn reference(&self) -> &MessageRef {
        &self.0.reference
    }

    /// Its UID.
    #[must_use]
    pub fn uid(&self) -> u32 {
        self.0.reference.uid
    }

    /// Its live mailbox; `None` for a message of a local one.
    #[must_use]
    pub fn mailbox(&self) -> Option<&Mailbox> {
        match &self.0.from {
            From::Live(mailbox) => Some(mailbox),
            From::Kept(_) => None,
        }
    }

    /// Its live mailbox, for what asks a server.
    pub(super) fn live(&self) -> Result<&Mailbox> {
        self.mailbox().ok_or_else(|| MailError::new(Code::Internal, "The message is not one of a live mailbox"))
    }

    /// What its contents come from, for one of a local mailbox.
    pub(super) fn source(&self) -> Option<&Arc<dyn Kept>> {
        match &self.0.from {
            From::Live(_) => None,
            From::Kept(source) => Some(source),
        }
    }

    /// Its flags and keywords; empty where they were not asked for.
    #[must_use]
    pub fn flags(&self) -> &[Flag] {
        self.0.row.flags.as_deref().unwrap_or_default()
    }

    /// Its size in octets, as the server counts it; some compute it and are a little off (Exchange).
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.0.row.size
    }

    /// When the server received it (INTERNALDATE).
    #[must_use]
    pub fn received(&self) -> Option<InternalDate> {
        self.0.row.internal_date
    }

    /// When its sender says it was written. `None` where the header has none that can be read.
    #[must_use]
    pub fn date(&self) -> Option<InternalDate> {
        self.envelope()?.date().and_then(message::parse_date)
    }

    /// `Subject`, decoded.
    #[must_use]
    pub fn subject(&self) -> Option<String> {
        self.envelope()?.subject().map(decode_header)
    }

    /// `From`.
    #[must_use]
    pub fn from_(&self) -> Vec<EmailAddress> {
        self.addresses(AddressList::From)
    }

    /// `Sender`; servers give `From` where the header has none.
    #[must_use]
    pub fn sender(&self) -> Vec<EmailAddress> {
        self.addresses(AddressList::Sender)
    }

    /// `Reply-To`; servers give `From` where the header has none.
    #[must_use]
    pub fn reply_to(&self) -> Vec<EmailAddress> {
        self.addresses(AddressList::ReplyTo)
    }

    /// `To`.
    #[must_use]
    pub fn to(&self) -> Vec<EmailAddress> {
        self.addresses(AddressList::To)
    }

    /// `Cc`.
    #[must_use]
    pub fn cc(&self) -> Vec<EmailAddress> {
        self.addresses(AddressList::Cc)
    }

    /// `Bcc`.
    #[must_use]
    pub fn bcc(&self) -> Vec<EmailAddress> {
        self.addresses(AddressList::Bcc)
    }

    /// The addresses of a field.
    #[must_use]
    pub fn addresses(&self, list: AddressList) -> Vec<EmailAddress> {
        self.envelope().map(|e| decode_addresses(e.addresses(list))).unwrap_or_default()
    }

    /// The addresses of a field one by one, where none stands in a group; else `None`.
    #[must_use]
    pub fn single_addresses(
        &self,
        list: AddressList,
    ) -> Option<impl ExactSizeIterator<Item = SingleAddress<'_>> + Clone> {
        let addresses = self.envelope()?.addresses(list);
        message::is_plain(addresses.clone()).then(|| addresses.map(SingleAddress::from))
    }

    /// `Message-ID`, with its angle brackets.
    #[must_use]
    pub fn message_id(&self) -> Option<String> {
        self.envelope()?.message_id().map(lossy)
    }

    /// `In-Reply-To`.
    #[must_use]
    pub fn in_reply_to(&self) -> Option<String> {
        self.envelope()?.in_reply_to().map(lossy)
    }

    /// MODSEQ, where the server has it and it was asked for.
    #[must_use]
    pub fn mod_seq(&self) -> Option<u64> {
        self.0.row.mod_seq
    }

    /// The id of its thread, as `thread:` of a query takes it: THREADID (RFC 8474), or X-GM-THRID with `gm-` before it. One
    /// of a local mailbox has the store's own, which changes when a later message shows two threads to be one. `None`
    /// where the server has none, or it was not asked for.
    #[must_use]
    pub fn thread(&self) -> Option<String> {
        object_id::ids(&self.0.row).thread
    }

    /// The attachments, as far as the structure names them; nothing of them has been fetched.
    #[must_use]
    pub fn attachments(&self) -> Vec<Attachment> {
        if let Some(structure) = self.structure() {
            return message::parts(&structure).attachments;
        }
        self.local().map(|parsed| message::parts(parsed.structure()).attachments).unwrap_or_default()
    }

    /// What of the server's answer could not be read. The rest of the message stands.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        self.0.problems.get_or_init(|| problems(&self.0.row))
    }

    /// The envelope as it came.
    #[must_use]
    pub fn envelope(&self) -> Option<&Envelope> {
        self.0.row.envelope.as_ref()
    }

    /// The structure as it came, taken apart anew at each call. `None` where it was not asked for or cannot be read;
    /// then [`problems`](Self::problems) says why.
    #[must_use]
    pub fn structure(&self) -> Option<BodyStructure> {
        self.0.row.body_structure.as_ref()?.read().ok()
    }
}

/// What of a row could not be read; its structure has not been taken apart before.
fn problems(row: &FetchRow) -> Vec<String> {
    let known = row.problems.iter().map(|(item, what)| format!("{}: {what}", String::from_utf8_lossy(item)));
    let structure = row.body_structure.as_ref().and_then(|text| text.read().err());
    known.chain(structure.map(|error| format!("BODYSTRUCTURE: {error}"))).collect()
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("reference", &format_args!("{}", self.reference()))
            .field("flags", &self.flags())
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}
