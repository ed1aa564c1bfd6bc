//! What of a message is searched as text: the fields that people read, and everything that is text in the body.

use super::attachment::Attachment;
use super::headers::Headers;
use super::html::html_to_text;
use super::parsed::ParsedMessage;
use super::parts::{body_part, sections};
use super::words::decode_header;
use crate::imap::BodyStructure;

/// How much of a message is searched, in bytes of its raw form from the beginning: 32 MiB. Text that stands behind that
/// much is not found.
pub const SEARCHED: usize = 32 << 20;

/// Header fields as they are searched: decoded, in one line each; empty where the message has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchFields {
    /// `Subject`.
    pub subject: String,
    /// `From`, names and addresses: `Ada <ada@example.org>, …`.
    pub from: String,
    /// `To`.
    pub to: String,
    /// `Cc`.
    pub cc: String,
    /// `Bcc`.
    pub bcc: String,
    /// `List-Id`.
    pub list: String,
}

impl SearchFields {
    /// Of a header.
    #[must_use]
    pub fn of(headers: &Headers) -> Self {
        let addresses = |name| {
            let list: Vec<String> = headers.addresses(name).iter().map(ToString::to_string).collect();
            list.join(", ")
        };
        Self {
            subject: headers.get("Subject").unwrap_or_default(),
            from: addresses("From"),
            to: addresses("To"),
            cc: addresses("Cc"),
            bcc: addresses("Bcc"),
            list: headers.get("List-Id").unwrap_or_default(),
        }
    }
}

/// The pieces of text in a message: every plain text and HTML part, in whatever it is nested, the names of attached
/// files, and the subject and sender of nested messages. Other attachments are not looked into.
///
/// ```
/// use mailtide::message::{ParsedMessage, search_texts};
///
/// let raw = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>See <b>be</b>low\r\n\
///     --b\r\nContent-Type: application/pdf; name=moth.pdf\r\n\r\n%PDF\r\n--b--\r\n";
/// assert_eq!(search_texts(&ParsedMessage::parse(raw)), ["See below\n", "moth.pdf"]);
/// ```
#[must_use]
pub fn search_texts(message: &ParsedMessage) -> Vec<String> {
    let mut out = Vec::new();
    for (section, part) in sections(message.structure()) {
        let content = message.section(&section).unwrap_or_default();
        if is_text(part) {
            let part = body_part(part, &section);
            let text = part.decode(content).text;
            out.push(if part.is_html { html_to_text(&text) } else { text });
        } else if part.media_type.as_ref() == b"message" {
            let headers = Headers::parse(content.to_vec());
            out.extend(["Subject", "From"].iter().filter_map(|name| headers.get_raw(name)).map(decode_header));
        }
        out.extend(Attachment::filename_of(part));
    }
    out.retain(|text| !text.trim().is_empty());
    out
}

fn is_text(part: &BodyStructure) -> bool {
    matches!(part.media_type.as_ref(), b"text" | b"") && matches!(part.subtype.as_ref(), b"plain" | b"html" | b"")
}

/// Whether the content of a part is looked into.
pub(super) fn is_searched(part: &BodyStructure) -> bool {
    is_text(part) || part.is_multipart() || part.media_type.as_ref() == b"message"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_found_in_whatever_it_is_nested() {
        let raw = "Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
            --b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n\
            --c\r\n\r\nplain\r\n--c\r\nContent-Type: text/html\r\n\r\n<i>rich</i>\r\n--c--\r\n\
            --b\r\nContent-Type: message/rfc822\r\n\r\nSubject: =?utf-8?Q?inn=C3=A9r?=\r\nFrom: Grace <g@example.org>\r\n\r\ndeep\r\n\
            --b\r\nContent-Type: text/plain; charset=utf-8; name=\"notes.txt\"\r\nContent-Disposition: attachment\r\n\
            Content-Transfer-Encoding: base64\r\n\r\nbcO2dGg=\r\n--b--\r\n";
        let texts = search_texts(&ParsedMessage::parse(raw));
        let texts: Vec<&str> = texts.iter().map(|text| text.trim()).collect();
        assert_eq!(texts, ["plain", "rich", "innér", "Grace <g@example.org>", "deep", "möth", "notes.txt"]);
    }

    #[test]
    fn fields_are_decoded() {
        let headers = Headers::parse(
            &b"Subject: =?utf-8?Q?M=C3=B6th?=\r\nTo: Ada <ada@example.org>\r\nTo: grace@example.org\r\nList-Id: <news.example.org>\r\n\r\n"[..],
        );
        let fields = SearchFields::of(&headers);
        assert_eq!((fields.subject.as_str(), fields.list.as_str()), ("Möth", "<news.example.org>"));
        assert_eq!(fields.to, "Ada <ada@example.org>, grace@example.org");
        assert_eq!(fields.from, "");
    }
}
