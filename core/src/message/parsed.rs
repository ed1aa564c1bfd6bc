//! A raw message parsed: from a file, an append, or a body that was fetched whole.

use super::attachment::Attachment;
use super::headers::Headers;
use super::html::html_to_text;
use super::parts::{BodyPart, Parts, is_message, parts, sections};
use super::scan::{Scan, scan};
use super::searchable::is_searched;
use super::transfer::decode_transfer;
use crate::imap::BodyStructure;
use bytes::Bytes;
use std::ops::Range;

/// A raw message, taken apart; text and content are decoded when asked for.
///
/// ```
/// use mailtide::message::ParsedMessage;
///
/// let raw = "Subject: moth\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
///     --b\r\n\r\nsee attached\r\n\
///     --b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=moth.pdf\r\n\
///     Content-Transfer-Encoding: base64\r\n\r\nUERG\r\n--b--\r\n";
/// let message = ParsedMessage::parse(raw);
/// assert_eq!(message.headers().get("Subject").as_deref(), Some("moth"));
/// assert_eq!(message.text(), "see attached");
/// let attachment = &message.attachments()[0];
/// assert_eq!(attachment.filename.as_deref(), Some("moth.pdf"));
/// assert_eq!(message.content(attachment), b"PDF");
/// ```
#[derive(Clone, Debug)]
pub struct ParsedMessage {
    raw: Bytes,
    headers: Headers,
    structure: BodyStructure,
    parts: Parts,
    /// Where the content of each section is, and its header with the empty line.
    contents: Vec<(Vec<u32>, Range<usize>)>,
    blocks: Vec<Range<usize>>,
    problem: Option<&'static str>,
}

impl ParsedMessage {
    /// Takes a message apart. Never fails: what cannot be made out is there as it came, and
    /// [`problem`](Self::problem) says so.
    #[must_use]
    pub fn parse(raw: impl Into<Bytes>) -> Self {
        let raw = raw.into();
        let Scan { structure, header, contents, headers: blocks, problem } = scan(&raw);
        let headers = Headers::parse(raw.slice(header));
        let contents = sections(&structure).into_iter().map(|(section, _)| section).zip(contents).collect();
        Self { headers, parts: parts(&structure), structure, contents, blocks, problem, raw }
    }

    /// The message as it came.
    #[must_use]
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// Its header.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Its parts, as a server would describe them.
    #[must_use]
    pub fn structure(&self) -> &BodyStructure {
        &self.structure
    }

    /// What was wrong with its structure; everything that could be made out is there all the same.
    #[must_use]
    pub fn problem(&self) -> Option<&'static str> {
        self.problem
    }

    /// The text; made from the HTML where there is only that. Lines end with `\n`.
    #[must_use]
    pub fn text(&self) -> String {
        join_text(self.parts.text.iter().map(|part| (part.is_html, self.decoded(part))))
    }

    /// The HTML, as it came and in no way made safe; `None` where there is none.
    #[must_use]
    pub fn html(&self) -> Option<String> {
        let html: Vec<String> = self.parts.html.iter().map(|part| self.decoded(part)).collect();
        (!html.is_empty()).then(|| html.join("\n"))
    }

    /// The attachments, in order.
    #[must_use]
    pub fn attachments(&self) -> &[Attachment] {
        &self.parts.attachments
    }

    /// The content of an attachment, its transfer encoding taken off. Empty where the section is none of this message.
    #[must_use]
    pub fn content(&self, attachment: &Attachment) -> Vec<u8> {
        decode_transfer(self.section(&attachment.section).unwrap_or_default(), attachment.encoding)
    }

    /// The bytes of a section as a server would give them for `BODY[…]`.
    #[must_use]
    pub fn section(&self, section: &[u32]) -> Option<&[u8]> {
        self.place(section).map(|at| self.content_at(at))
    }

    /// The header of the message with its empty line: `BODY[HEADER]`. Without an empty line where the message has none.
    #[must_use]
    pub fn header_block(&self) -> &[u8] {
        self.block(0)
    }

    /// The text of the message: `BODY[TEXT]`.
    #[must_use]
    pub fn text_block(&self) -> &[u8] {
        self.content_at(0)
    }

    /// The header of a part, as `BODY[….MIME]` gives it.
    #[must_use]
    pub fn part_header(&self, section: &[u32]) -> Option<&[u8]> {
        self.place(section).map(|at| self.block(at))
    }

    /// Header and text of the message that a part is: `BODY[….HEADER]` and `BODY[….TEXT]`. `None` where the part is no
    /// message.
    #[must_use]
    pub fn nested(&self, section: &[u32]) -> Option<(&[u8], &[u8])> {
        let at = self.place(section)?;
        let all = sections(&self.structure);
        let (_, part) = all.get(at)?;
        is_message(part).then(|| (self.block(at + 1), self.content_at(at + 1)))
    }

    /// Content of every part, in the order of [`sections`].
    pub(super) fn contents(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        (0..self.contents.len()).map(|at| (self.block(at), self.content_at(at)))
    }

    fn place(&self, section: &[u32]) -> Option<usize> {
        self.contents.iter().position(|(at, _)| at == section)
    }

    fn block(&self, at: usize) -> &[u8] {
        self.blocks.get(at).and_then(|range| self.raw.get(range.clone())).unwrap_or_default()
    }

    fn content_at(&self, at: usize) -> &[u8] {
        self.contents.get(at).and_then(|(_, range)| self.raw.get(range.clone())).unwrap_or_default()
    }

    /// Whether a place in the raw message is inside a part that [`search_texts`](super::search_texts) does not look into.
    #[must_use]
    pub fn is_opaque_at(&self, at: usize) -> bool {
        let parts = sections(&self.structure).into_iter().zip(&self.contents);
        let mut around = parts.filter(|(_, (_, content))| content.start <= at && at < content.end).map(|((_, p), _)| p);
        // The last one is the innermost.
        around.next_back().is_some_and(|part| part.parts.is_empty() && !is_searched(part))
    }

    fn decoded(&self, part: &BodyPart) -> String {
        part.decode(self.section(&part.section).unwrap_or_default()).text
    }
}

/// Joins the pieces of a text; those of HTML (`true`) are turned into plain text. Lines end with `\n`, as programs have
/// them, not as mail has them.
///
/// ```
/// use mailtide::message::join_text;
///
/// assert_eq!(join_text([(true, "<p>Hello</p>".to_owned()), (false, "-- \r\nAda".to_owned())]), "Hello\n-- \nAda");
/// ```
pub fn join_text(pieces: impl IntoIterator<Item = (bool, String)>) -> String {
    let mut out = String::new();
    for (is_html, text) in pieces {
        let text = if is_html { html_to_text(&text) } else { text };
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        if out.is_empty() { out = text } else { out.push_str(&text) }
    }
    if out.contains('\r') { out.replace("\r\n", "\n") } else { out }
}

#[cfg(test)]
mod tests;
