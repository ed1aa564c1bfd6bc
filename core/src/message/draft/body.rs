//! The MIME tree of a draft: text and its alternative, the images that the HTML shows, attachments.

use super::{Draft, DraftAttachment, DraftContent};
use crate::error::{Code, MailError, Result};
use bytes::Bytes;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::{BodyPart, MimePart};
use std::fmt::Write;

/// RFC 5322 section 2.1.1, without the line end.
pub(super) const LONGEST_LINE: usize = 998;

/// Makes boundaries; `=_` can be in no text that is encoded (RFC 2045 section 6.7).
pub(super) struct Boundaries {
    pub random: String,
    pub made: usize,
}

impl Boundaries {
    fn next(&mut self) -> String {
        self.made += 1;
        format!("=_{}_{}", self.random, self.made)
    }

    fn multipart<'x>(&mut self, subtype: &str, parts: Vec<MimePart<'x>>) -> MimePart<'x> {
        let kind = ContentType::new(format!("multipart/{subtype}")).attribute("boundary", self.next());
        MimePart::new(kind, parts)
    }
}

/// `mixed(alternative(text, related(html, images)), attachments)`, each level only where there is more than one part.
pub(super) fn body(draft: &Draft, boundaries: &mut Boundaries) -> Result<MimePart<'static>> {
    let is_shown = |a: &&DraftAttachment| a.content_id.is_some() && draft.html.is_some();
    let (shown, attached): (Vec<_>, Vec<_>) = draft.attachments.iter().partition(is_shown);
    let plain = draft.text.as_deref().map(|text| text_part("text/plain", text)).transpose()?;
    let html = match &draft.html {
        None => None,
        Some(html) if shown.is_empty() => Some(text_part("text/html", html)?),
        Some(html) => {
            let mut parts = vec![text_part("text/html", html)?];
            parts.extend(shown.iter().map(|a| file_part(a)).collect::<Result<Vec<_>>>()?);
            Some(boundaries.multipart("related", parts))
        }
    };
    let text = match (plain, html) {
        (Some(plain), Some(html)) => boundaries.multipart("alternative", vec![plain, html]),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => text_part("text/plain", "")?,
    };
    if attached.is_empty() {
        return Ok(text);
    }
    let mut parts = vec![text];
    parts.extend(attached.iter().map(|a| file_part(a)).collect::<Result<Vec<_>>>()?);
    Ok(boundaries.multipart("mixed", parts))
}

/// Text with one kind of line end; the builder chooses its encoding.
fn text_part(kind: &'static str, text: &str) -> Result<MimePart<'static>> {
    if let Some(at) = text.find('\0') {
        return Err(MailError::new(Code::UsageArgument, "The text holds a NUL character").at(at));
    }
    let mut text = text.replace("\r\n", "\n").replace('\r', "\n");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(MimePart::new(kind, BodyPart::Text(text.into())))
}

fn file_part(attachment: &DraftAttachment) -> Result<MimePart<'static>> {
    let DraftContent::Bytes(content) = &attachment.content else {
        return Err(MailError::new(Code::Internal, "A file of the draft has not been read"));
    };
    let kind = media_type(attachment)?;
    let name = attachment.filename.as_deref().map(base_name).filter(|name| !name.is_empty());
    let (kind, encoding, content) = encoded(kind, content);
    let mut content_type = ContentType::new(kind);
    let shown = attachment.content_id.is_some();
    let mut disposition = ContentType::new(if shown { "inline" } else { "attachment" });
    if let Some(name) = name {
        plain_text("file name", name)?;
        // Programs older than RFC 2183 look for the name here.
        content_type = content_type.attribute("name", name.to_owned());
        disposition = disposition.attribute("filename", name.to_owned());
    }
    let mut part = MimePart::new(content_type, BodyPart::Binary(content.into()));
    part = part.header("Content-Disposition", disposition);
    if let Some(id) = &attachment.content_id {
        part = part.cid(message_id(id)?.to_owned());
    }
    Ok(part.header("Content-Transfer-Encoding", Raw::new(encoding)))
}

/// Base64, so that every byte arrives as it is; a message may only go as it is (RFC 2046 section 5.2.1), and one that
/// cannot is a file like any other.
fn encoded(kind: String, content: &Bytes) -> (String, &'static str, Vec<u8>) {
    if kind == "message/rfc822"
        && let Some(lines) = as_message(content)
    {
        let encoding = if lines.is_ascii() { "7bit" } else { "8bit" };
        return (kind, encoding, lines);
    }
    let is_composite = kind.starts_with("message/") || kind.starts_with("multipart/");
    let kind = if is_composite { "application/octet-stream".to_owned() } else { kind };
    (kind, "base64", base64_lines(content))
}

/// With CRLF, where that changes nothing else.
fn as_message(content: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(content.len());
    for line in content.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > LONGEST_LINE || line.iter().any(|b| matches!(b, b'\r' | 0)) {
            return None;
        }
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
    // What follows the last line end is no line.
    if content.ends_with(b"\n") {
        out.truncate(out.len() - 2);
    }
    Some(out)
}

/// Lines of 76 characters (RFC 2045 section 6.8).
fn base64_lines(content: &[u8]) -> Vec<u8> {
    use base64::Engine;
    let mut out = String::with_capacity(content.len() / 57 * 78 + 80);
    for line in content.chunks(57) {
        base64::engine::general_purpose::STANDARD.encode_string(line, &mut out);
        out.push_str("\r\n");
    }
    out.into_bytes()
}

fn media_type(attachment: &DraftAttachment) -> Result<String> {
    let Some(given) = &attachment.media_type else {
        let name = attachment.filename.as_deref().unwrap_or_default();
        return Ok(mime_guess::from_path(name).first_raw().unwrap_or("application/octet-stream").to_owned());
    };
    // RFC 6838 section 4.2
    let is_name = |text: &str| {
        (1..=127).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    match given.split_once('/') {
        Some((media, subtype)) if is_name(media) && is_name(subtype) => Ok(given.to_ascii_lowercase()),
        _ => Err(MailError::new(Code::UsageArgument, "A media type is written as application/pdf, without parameters")),
    }
}

/// No folder of ours is anybody's business.
fn base_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or_default()
}

/// Refuses what could begin another field.
pub(super) fn plain_text(what: &str, text: &str) -> Result<()> {
    match text.chars().position(char::is_control) {
        None => Ok(()),
        Some(at) => {
            Err(MailError::new(Code::UsageArgument, format!("The {what} holds a control character or line end")).at(at))
        }
    }
}

/// What may stand between angle brackets.
pub(super) fn message_id(id: &str) -> Result<&str> {
    let id = id.trim().trim_start_matches('<').trim_end_matches('>');
    let is_one = !id.is_empty() && id.len() <= 900 && id.bytes().all(|b| b.is_ascii_graphic() && !b"<>".contains(&b));
    if is_one { Ok(id) } else { Err(MailError::new(Code::UsageArgument, "A Message-ID or Content-ID is not one")) }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}
