//! A message, live or local: properties at hand, and contents read or fetched when asked for.

use super::fetch::{merge, rows};
use super::find::check_validity;
use super::kept::{Body, Kept};
use super::mailbox::Mailbox;
use super::part::{self, PartStream};
use crate::bulk::MessageRef;
use crate::error::{Code, MailError, Result};
use crate::imap::command::FetchItem;
use crate::imap::extension::object_id;
use crate::imap::{AddressList, BodyStructure, Envelope, FetchRow, Flag, InternalDate, Section, SectionData, UidSet};
use crate::message::{
    self, Attachment, BodyPart, EmailAddress, Headers, Outlined, ParsedMessage, Parts, SingleAddress, decode_addresses,
    decode_header,
};
use crate::query::{AddressField, Candidate, Matcher};
use bytes::Bytes;
use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
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

/// Where the texts of a message are.
enum Texts<'a> {
    /// In all of it.
    Here(Box<Cow<'a, ParsedMessage>>),
    /// In parts that are still to be read.
    In(Parts),
}

/// A message taken apart by ourselves.
pub(super) enum Apart<'a> {
    Parsed(&'a ParsedMessage),
    Large(&'a Outlined),
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

    /// The text as a person would read it: the plain text, else the HTML without its markup; empty where there is
    /// neither. Attachments are not fetched.
    pub async fn text(&self) -> Result<String> {
        let parts = match self.texts().await? {
            Texts::Here(parsed) => return Ok(parsed.text()),
            Texts::In(parts) => parts,
        };
        let mut texts = Vec::new();
        for part in &parts.text {
            texts.push((part.is_html, self.read(part).await?));
        }
        Ok(message::join_text(texts))
    }

    /// The HTML text; `None` where there is none. It is as the sender wrote it: never show it without a sanitiser.
    pub async fn html(&self) -> Result<Option<String>> {
        let parts = match self.texts().await? {
            Texts::Here(parsed) => return Ok(parsed.html()),
            Texts::In(parts) => parts,
        };
        let mut texts = Vec::new();
        for part in &parts.html {
            texts.push(self.read(part).await?);
        }
        Ok((!texts.is_empty()).then(|| texts.join("\n")))
    }

    /// The whole header.
    pub async fn headers(&self) -> Result<Headers> {
        if let Some(parsed) = self.local() {
            return Ok(parsed.headers().clone());
        }
        let bytes = match (self.0.loaded.get(&Section::header()), self.source()) {
            (Some(bytes), _) => bytes.clone(),
            (None, Some(source)) => source.header().await?,
            (None, None) => part::header(self).await?,
        };
        Ok(Headers::parse(bytes))
    }

    /// The whole message, where it was loaded ahead; nothing is asked for.
    #[must_use]
    pub fn raw_at_hand(&self) -> Option<Bytes> {
        let parsed = || self.0.parsed.get().map(|parsed| parsed.raw().clone());
        self.0.loaded.get(&Section::default()).cloned().or_else(parsed)
    }

    /// The whole message, as its bytes are.
    pub async fn raw(&self) -> Result<Bytes> {
        match (self.raw_at_hand(), self.source()) {
            (Some(bytes), _) => Ok(bytes),
            (None, Some(source)) => source.raw().await,
            (None, None) => part::whole(self, &Section::default(), self.size()).await,
        }
    }

    /// The content of a part by its section numbers (`"2.1"`), with its transfer encoding taken off.
    pub async fn part(&self, path: &str) -> Result<Bytes> {
        let mut stream = self.stream(Some(path))?;
        let mut content = bytes::BytesMut::new();
        while let Some(piece) = stream.next().await? {
            content.extend_from_slice(&piece);
        }
        Ok(content.freeze())
    }

    /// The content of a part, or the whole message (as its bytes are) for `None`, a piece at a time.
    pub fn stream(&self, path: Option<&str>) -> Result<PartStream> {
        part::stream(self, path)
    }

    /// The whole message of a live session from that byte on.
    pub(crate) fn stream_from(&self, at: u64) -> PartStream {
        part::stream_from(self, at)
    }

    /// Saves an attachment in the folder `directory`, under a safe form of its name and never over another file, and
    /// returns where.
    pub async fn save_part(
        &self,
        path: &str,
        directory: &Path,
        on_progress: Option<super::OnProgress>,
    ) -> Result<PathBuf> {
        super::save::save(self, path, directory, on_progress).await
    }

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

    /// A few items of this message, from the server.
    pub(super) async fn fetch(&self, item: FetchItem) -> Result<Box<FetchRow>> {
        let reference = self.reference();
        let lease = self.live()?.session().lease(&reference.mailbox).await?;
        check_validity(&lease, reference.uid_validity)?;
        let uids: UidSet = [reference.uid].into_iter().collect();
        let reply = rows(&lease, &uids, &[FetchItem::Uid, item]).await?;
        let malformed = reply.malformed.first().cloned();
        merge(reply.untagged).remove(&reference.uid).ok_or_else(|| malformed.unwrap_or_else(|| self.missing()))
    }

    /// Whether its server gives a whole part, whatever stretch of it is asked for.
    pub(super) async fn comes_whole(&self) -> Result<bool> {
        let lease = self.live()?.session().lease(&self.reference().mailbox).await?;
        Ok(lease.connection.quirks().whole_parts)
    }

    pub(super) fn missing(&self) -> MailError {
        let reference = self.reference();
        MailError::new(Code::MessageMissing, "The message is no longer there")
            .in_mailbox(&reference.mailbox)
            .with(|c| c.uid = Some(reference.uid))
    }

    /// Where its texts are read; where its parts cannot be told, all of it is.
    async fn texts(&self) -> Result<Texts<'_>> {
        let parts = match self.apart().await? {
            Some(Apart::Parsed(parsed)) => return Ok(Texts::Here(Box::new(Cow::Borrowed(parsed)))),
            Some(Apart::Large(outlined)) => Some(outlined.parts().clone()),
            None => self.parts().await?,
        };
        match parts {
            Some(parts) => Ok(Texts::In(parts)),
            None => Ok(Texts::Here(Box::new(Cow::Owned(ParsedMessage::parse(self.raw().await?))))),
        }
    }

    /// Its parts, asked for if they did not come with it; `None` where the server's structure is of no use.
    async fn parts(&self) -> Result<Option<Parts>> {
        if let Some(structure) = self.structure() {
            return Ok(Some(message::parts(&structure)));
        }
        if self.problems().iter().any(|p| p.starts_with("BODY")) {
            return Ok(None);
        }
        let row = self.fetch(FetchItem::BodyStructure).await?;
        Ok(row.body_structure.and_then(|text| text.read().ok()).as_ref().map(message::parts))
    }

    async fn read(&self, part: &BodyPart) -> Result<String> {
        let section = Section::part(&part.section);
        let bytes = match self.0.loaded.get(&section) {
            Some(bytes) => bytes.clone(),
            None if self.source().is_some() => part::kept(self, &part.section).await?,
            None => part::whole(self, &section, part.octets).await?,
        };
        Ok(part.decode(&bytes).text)
    }

    /// The message taken apart by ourselves, if it was loaded whole; one of a local mailbox is read for that.
    pub(super) async fn apart(&self) -> Result<Option<Apart<'_>>> {
        if let Some(parsed) = self.local() {
            return Ok(Some(Apart::Parsed(parsed)));
        }
        let Some(source) = self.source() else { return Ok(None) };
        if let Some(outlined) = self.0.outlined.get() {
            return Ok(Some(Apart::Large(outlined)));
        }
        Ok(Some(match source.whole().await? {
            Body::Raw(raw) => Apart::Parsed(self.0.parsed.get_or_init(|| ParsedMessage::parse(raw))),
            Body::Large(outlined) => Apart::Large(self.0.outlined.get_or_init(|| outlined)),
        }))
    }

    /// The message taken apart by ourselves, if it is in memory whole.
    fn local(&self) -> Option<&ParsedMessage> {
        if let Some(parsed) = self.0.parsed.get() {
            return Some(parsed);
        }
        let raw = self.0.loaded.get(&Section::default())?;
        Some(self.0.parsed.get_or_init(|| ParsedMessage::parse(raw.clone())))
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
