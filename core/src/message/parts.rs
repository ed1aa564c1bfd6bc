//! Which part is the text, which the HTML, which an attachment, and by what section number each is fetched.

use super::attachment::Attachment;
use super::charset::{Decoded, decode_charset};
use super::transfer::{TransferEncoding, decode_transfer};
use crate::imap::BodyStructure;

/// Deepest nesting followed; deeper parts are left alone.
const DEEPEST: usize = 64;

/// Most parts that are told apart.
const MOST_PARTS: usize = 10_000;

/// A part of the text of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyPart {
    /// Section numbers to fetch it by: `[1, 2]` for `BODY[1.2]`.
    pub section: Vec<u32>,
    /// Whether it is `text/html`; else it is plain text.
    pub is_html: bool,
    /// The charset declared.
    pub charset: Option<String>,
    /// How the content is encoded.
    pub encoding: TransferEncoding,
    /// Size as it is transferred, in octets, where the server says.
    pub octets: Option<u64>,
}

impl BodyPart {
    /// The text of the part's bytes as they were fetched: transfer encoding and charset decoded.
    #[must_use]
    pub fn decode(&self, content: &[u8]) -> Decoded {
        let bytes = decode_transfer(content, self.encoding);
        match &self.charset {
            Some(charset) => decode_charset(&bytes, Some(charset)),
            None if self.is_html => decode_charset(&bytes, super::html::meta_charset(&bytes).as_deref()),
            None => decode_charset(&bytes, None),
        }
    }
}

/// The parts of a message by their use; see [`parts`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// What `text()` shows, to be joined in order: plain text where the sender wrote it, HTML where there is only that.
    pub text: Vec<BodyPart>,
    /// What `html()` shows, to be joined in order; empty where the message has no HTML.
    pub html: Vec<BodyPart>,
    /// Everything else but the multiparts, in order.
    pub attachments: Vec<Attachment>,
}

impl Parts {
    /// Whether a person would say that something is attached: signatures and the pictures of an HTML text are not.
    #[must_use]
    pub fn has_attachment(&self) -> bool {
        self.attachments.iter().any(Attachment::is_attached)
    }
}

/// Sorts the parts of a message into text, HTML and attachments, as RFC 8621 section 4.1.4 does for JMAP; nested
/// messages are attachments and are not looked into.
///
/// Two things differ: a picture that is shown in the text is listed among the attachments too (as `inline`), since it
/// can be saved; and a message that is nothing but one text of an odd subtype has that as its text.
///
/// ```
/// use mailtide::imap::BodyStructure;
/// use mailtide::message::parts;
///
/// let text = BodyStructure { media_type: "text".into(), subtype: "plain".into(), ..Default::default() };
/// let pdf = BodyStructure { media_type: "application".into(), subtype: "pdf".into(), ..Default::default() };
/// let message =
///     BodyStructure { media_type: "multipart".into(), subtype: "mixed".into(), parts: vec![text, pdf], ..Default::default() };
/// assert_eq!(parts(&message).text[0].section, [1]);
/// assert_eq!(parts(&message).attachments[0].path(), "2");
/// ```
#[must_use]
pub fn parts(structure: &BodyStructure) -> Parts {
    let mut out = Parts::default();
    if structure.is_multipart() && !structure.parts.is_empty() {
        let here = Place { is_related: false, in_alternative: false, wants_text: true, wants_html: true };
        multipart(structure, &mut Vec::new(), here, &mut out);
    } else {
        single(structure, &mut out);
    }
    out.html.retain(|part| part.is_html);
    out
}

/// Every part with its section numbers, nested messages and what is in them included, in order (RFC 9051 section 6.4.5).
///
/// The message itself and the multipart of a nested message have no number of their own and share that of what they are
/// in: for these `BODY[n]` would be the nested message, its text is `BODY[n.TEXT]`.
#[must_use]
pub fn sections(structure: &BodyStructure) -> Vec<(Vec<u32>, &BodyStructure)> {
    let mut out = Vec::new();
    let mut stack = vec![(top_section(structure, Vec::new()), structure)];
    while let Some((section, part)) = stack.pop().filter(|_| out.len() < MOST_PARTS) {
        if section.len() <= DEEPEST {
            let children: Vec<_> = match part.is_multipart() {
                true => (1..)
                    .zip(part.parts.iter().take(MOST_PARTS))
                    .map(|(n, child)| ([section.as_slice(), &[n]].concat(), child))
                    .collect(),
                false => part.parts.iter().take(1).map(|child| (top_section(child, section.clone()), child)).collect(),
            };
            stack.extend(children.into_iter().rev());
            out.push((section, part));
        }
    }
    out
}

/// The part that has these section numbers, where there is one. Where two share a number, the outer one.
#[must_use]
pub fn part_at<'a>(structure: &'a BodyStructure, section: &[u32]) -> Option<&'a BodyStructure> {
    sections(structure).into_iter().find(|(at, _)| at == section).map(|(_, part)| part)
}

/// Whether a part is a message that was taken apart.
pub(super) fn is_message(part: &BodyStructure) -> bool {
    !part.is_multipart() && !part.parts.is_empty()
}

/// A message that is no multipart has part 1: itself.
fn top_section(structure: &BodyStructure, mut section: Vec<u32>) -> Vec<u32> {
    if !structure.is_multipart() {
        section.push(1);
    }
    section
}

#[derive(Clone, Copy)]
struct Place {
    is_related: bool,
    in_alternative: bool,
    wants_text: bool,
    wants_html: bool,
}

fn multipart(structure: &BodyStructure, section: &mut Vec<u32>, mut here: Place, out: &mut Parts) {
    let is_alternative = structure.subtype.as_ref() == b"alternative";
    let before = (out.text.len(), out.html.len());
    here.is_related = structure.subtype.as_ref() == b"related";
    here.in_alternative |= is_alternative;
    let root = if here.is_related { root_of_related(structure) } else { 0 };
    for (index, (number, part)) in (1..).zip(&structure.parts).enumerate() {
        if out.attachments.len() + out.text.len() + out.html.len() >= MOST_PARTS {
            break;
        }
        section.push(number);
        if part.is_multipart() && section.len() <= DEEPEST {
            multipart(part, section, here, out);
        } else if !is_body(part, index == root, here.is_related) {
            out.attachments.push(Attachment::new(part, section, here.is_related));
        } else if is_alternative {
            list_for(part, out).push(body_part(part, section));
        } else {
            body(part, section, &mut here, out);
        }
        section.pop();
    }
    if is_alternative && here.wants_text && here.wants_html {
        fill_in(before, out);
    }
}

fn list_for<'a>(part: &BodyStructure, out: &'a mut Parts) -> &'a mut Vec<BodyPart> {
    if is_html(part) { &mut out.html } else { &mut out.text }
}

/// A text outside an alternative belongs to both views; one deeper in an alternative only to the view of its kind.
fn body(part: &BodyStructure, section: &[u32], here: &mut Place, out: &mut Parts) {
    if here.in_alternative {
        here.wants_text &= !is_html(part);
        here.wants_html &= is_html(part);
    }
    if here.wants_text {
        out.text.push(body_part(part, section));
    }
    if here.wants_html {
        out.html.push(body_part(part, section));
    }
}

/// An alternative with one kind only serves for the other kind too.
fn fill_in((text, html): (usize, usize), out: &mut Parts) {
    if out.text.len() == text {
        out.text.extend(out.html.get(html..).unwrap_or_default().to_vec());
    } else if out.html.len() == html {
        out.html.extend(out.text.get(text..).unwrap_or_default().to_vec());
    }
}

/// The part that `start` names (RFC 2387 section 3.2), else the first.
fn root_of_related(structure: &BodyStructure) -> usize {
    let Some(start) = structure.parameter("start") else { return 0 };
    structure.parts.iter().position(|part| part.id.as_ref() == Some(start)).unwrap_or(0)
}

/// Whether a leaf is text to be read rather than a file. A later text with a name is a file.
fn is_body(part: &BodyStructure, is_root: bool, is_related: bool) -> bool {
    let is_file = part.disposition.as_ref().is_some_and(|d| d.kind.as_ref() == b"attachment");
    let is_text = is_html(part) || is_plain(part);
    is_text && !is_file && (is_root || !is_related && Attachment::filename_of(part).is_none())
}

/// A message without a type is plain text (RFC 2045 section 5.2).
fn is_plain(part: &BodyStructure) -> bool {
    let (media, subtype) = (part.media_type.as_ref(), part.subtype.as_ref());
    media.is_empty() || media == b"text" && (subtype == b"plain" || subtype.is_empty())
}

fn is_html(part: &BodyStructure) -> bool {
    part.media_type.as_ref() == b"text" && part.subtype.as_ref() == b"html"
}

fn single(part: &BodyStructure, out: &mut Parts) {
    let is_file = part.disposition.as_ref().is_some_and(|d| d.kind.as_ref() == b"attachment");
    let is_odd_text = part.media_type.as_ref() == b"text" && !is_file && Attachment::filename_of(part).is_none();
    if is_odd_text || is_body(part, true, false) {
        out.text.push(body_part(part, &[1]));
        out.html.push(body_part(part, &[1]));
    } else {
        out.attachments.push(Attachment::new(part, &[1], false));
    }
}

pub(super) fn body_part(part: &BodyStructure, section: &[u32]) -> BodyPart {
    BodyPart {
        section: section.to_vec(),
        is_html: is_html(part),
        charset: super::params::decode_parameter(&part.parameters, "charset"),
        encoding: encoding_of(part),
        octets: part.octets,
    }
}

pub(super) fn encoding_of(part: &BodyStructure) -> TransferEncoding {
    part.encoding.as_deref().map(TransferEncoding::from_label).unwrap_or_default()
}

#[cfg(test)]
mod tests;
