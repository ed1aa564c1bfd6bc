//! The contents of a message: loaded ahead, kept here, or fetched when they are asked for.

use super::Message;
use crate::error::{Code, MailError, Result};
use crate::imap::command::FetchItem;
use crate::imap::{FetchRow, Section, UidSet};
use crate::message::{self, BodyPart, Headers, Outlined, ParsedMessage, Parts};
use crate::session::OnProgress;
use crate::session::fetch::{merge, rows};
use crate::session::find::check_validity;
use crate::session::kept::Body;
use crate::session::part::{self, PartStream};
use crate::session::save;
use bytes::Bytes;
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// Where the texts of a message are.
enum Texts<'a> {
    /// In all of it.
    Here(Box<Cow<'a, ParsedMessage>>),
    /// In parts that are still to be read.
    In(Parts),
}

/// A message taken apart by ourselves.
pub(in crate::session) enum Apart<'a> {
    Parsed(&'a ParsedMessage),
    Large(&'a Outlined),
}

impl Message {
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
    pub async fn save_part(&self, path: &str, directory: &Path, on_progress: Option<OnProgress>) -> Result<PathBuf> {
        save::save(self, path, directory, on_progress).await
    }

    /// A few items of this message, from the server.
    pub(in crate::session) async fn fetch(&self, item: FetchItem) -> Result<Box<FetchRow>> {
        let reference = self.reference();
        let lease = self.live()?.session().lease(&reference.mailbox).await?;
        check_validity(&lease, reference.uid_validity)?;
        let uids: UidSet = [reference.uid].into_iter().collect();
        let reply = rows(&lease, &uids, &[FetchItem::Uid, item]).await?;
        let malformed = reply.malformed.first().cloned();
        merge(reply.untagged).remove(&reference.uid).ok_or_else(|| malformed.unwrap_or_else(|| self.missing()))
    }

    /// Whether its server gives a whole part, whatever stretch of it is asked for.
    pub(in crate::session) async fn comes_whole(&self) -> Result<bool> {
        let lease = self.live()?.session().lease(&self.reference().mailbox).await?;
        Ok(lease.connection.quirks().whole_parts)
    }

    pub(in crate::session) fn missing(&self) -> MailError {
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
    pub(in crate::session) async fn apart(&self) -> Result<Option<Apart<'_>>> {
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
    pub(super) fn local(&self) -> Option<&ParsedMessage> {
        if let Some(parsed) = self.0.parsed.get() {
            return Some(parsed);
        }
        let raw = self.0.loaded.get(&Section::default())?;
        Some(self.0.parsed.get_or_init(|| ParsedMessage::parse(raw.clone())))
    }
}
