//! What is attached to a message, as far as it is known without fetching it.

use super::params::decode_parameter;
use super::parts::encoding_of;
use super::transfer::TransferEncoding;
use crate::imap::BodyStructure;

/// An attachment as BODYSTRUCTURE describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment {
    /// Section numbers to fetch it by: `[2, 1]` for `BODY[2.1]`.
    pub section: Vec<u32>,
    /// The name the sender gave, decoded and otherwise as it came; see [`safe_filename`](super::safe_filename) before
    /// making a file of it.
    pub filename: Option<String>,
    /// `application/pdf`, lower case.
    pub media_type: String,
    /// Size as it is transferred, in octets, where the server says.
    pub octets: Option<u64>,
    /// Whether it is shown within the text: disposition `inline`, or part of a `multipart/related` with a `Content-ID`.
    pub inline: bool,
    /// `Content-ID` without its angle brackets; `cid:` links of an HTML text name it.
    pub content_id: Option<String>,
    /// How the content is encoded.
    pub encoding: TransferEncoding,
    /// The charset declared, for text.
    pub charset: Option<String>,
}

impl Attachment {
    pub(super) fn new(part: &BodyStructure, section: &[u32], is_related: bool) -> Self {
        let kind = part.disposition.as_ref().map(|d| d.kind.as_ref());
        let content_id = part.id.as_deref().map(content_id).filter(|id| !id.is_empty());
        Self {
            section: section.to_vec(),
            filename: Self::filename_of(part),
            media_type: media_type(part),
            octets: part.octets,
            inline: kind == Some(b"inline") || kind != Some(b"attachment") && is_related && content_id.is_some(),
            content_id,
            encoding: encoding_of(part),
            charset: decode_parameter(&part.parameters, "charset"),
        }
    }

    /// The section as IMAP writes it: `2.1`.
    #[must_use]
    pub fn path(&self) -> String {
        self.section.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
    }

    /// Size of the content, in bytes: exact where nothing is encoded, else an estimate to within a few per cent.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        let octets = self.octets?;
        Some(match self.encoding {
            // 57 bytes make a line of 76 digits, CR and LF (RFC 2045 section 6.8).
            TransferEncoding::Base64 => octets / 78 * 57 + octets % 78 * 3 / 4,
            // 45 bytes make a line of a length, 60 digits, CR and LF.
            TransferEncoding::Uuencode => octets / 63 * 45 + octets % 63 * 3 / 4,
            TransferEncoding::QuotedPrintable | TransferEncoding::Identity => octets,
        })
    }

    /// The name under which it may be saved; see [`safe_filename`](super::safe_filename).
    #[must_use]
    pub fn safe_filename(&self) -> String {
        super::safe_filename(self.filename.as_deref(), &self.media_type)
    }

    /// Whether a person would call it attached: not a signature, and not a picture that the HTML text shows.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        const SIGNATURES: [&str; 3] =
            ["application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"];
        let is_shown = self.inline && self.content_id.is_some();
        !is_shown && !SIGNATURES.contains(&self.media_type.as_str())
    }

    /// `filename` of the disposition, else `name` of the type, where older programs put it.
    pub(super) fn filename_of(part: &BodyStructure) -> Option<String> {
        let disposition = part.disposition.as_ref().map(|d| d.parameters.as_slice()).unwrap_or_default();
        decode_parameter(disposition, "filename")
            .or_else(|| decode_parameter(&part.parameters, "name"))
            .or_else(|| decode_parameter(disposition, "name"))
    }
}

fn media_type(part: &BodyStructure) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_ascii_lowercase();
    match (text(&part.media_type), text(&part.subtype)) {
        (media, subtype) if !media.is_empty() && !subtype.is_empty() => format!("{media}/{subtype}"),
        (media, _) if media == "text" => "text/plain".to_owned(),
        _ => "application/octet-stream".to_owned(),
    }
}

fn content_id(id: &[u8]) -> String {
    let id = String::from_utf8_lossy(id);
    id.trim().trim_start_matches('<').trim_end_matches('>').to_owned()
}
