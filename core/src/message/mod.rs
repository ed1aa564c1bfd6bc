//! The MIME view of a message: header fields, parts, text and attachments, decoded.
//!
//! From a live server come ENVELOPE and BODYSTRUCTURE, still encoded; from a file or an append come raw bytes. Both end
//! in the same types here, so a text or an attachment is chosen by the same rules whichever way the message came. What
//! cannot be decoded is given as far as it can, with a problem; the raw bytes are never lost.
//!
//! The tree of parts of a raw message is our own: its part numbers and byte ranges have to be those that a server gives,
//! also where a boundary is the beginning of another one, and every bound is kept before anything is built. mail-parser
//! reads single header fields (addresses, `Content-Type`), and no tree of its own is ever walked (CVE-2026-26312).

mod address;
mod attachment;
mod charset;
mod date;
mod describe;
mod draft;
mod envelope;
mod filename;
mod headers;
mod html;
mod outline;
mod outlined;
mod params;
mod parsed;
mod parts;
mod plain;
mod scan;
mod searchable;
mod thread;
mod transfer;
mod words;

pub use address::{EmailAddress, SingleAddress, decode_addresses, is_plain, parse_addresses};
pub use attachment::Attachment;
pub use charset::{Decoded, decode_charset, for_display};
pub use date::parse_date;
pub use describe::described_structure;
pub use draft::{
    AddrSpec, Composed, Draft, DraftAttachment, DraftContent, ForwardOptions, Original, ReplyOptions, Stamp,
    parse_recipients,
};
pub use envelope::envelope_text;
pub use filename::{filename_candidates, safe_filename};
pub use headers::Headers;
pub use html::html_to_text;
pub use outline::Outline;
pub use outlined::Outlined;
pub use params::decode_parameter;
pub use parsed::{ParsedMessage, join_text};
pub use parts::{BodyPart, Parts, part_at, parts, sections};
pub(crate) use plain::PlainHeader;
pub use searchable::{SEARCHED, SearchFields, search_texts};
pub use thread::{
    Arrival, BaseSubject, Threaded, Threading, arrive, base_subject, message_ids, references, thread_ids, thread_text,
};
pub use transfer::{TransferDecoder, TransferEncoding, decode_transfer};
pub use words::decode_header;

#[cfg(test)]
mod tests;
