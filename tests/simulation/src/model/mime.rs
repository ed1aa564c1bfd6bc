//! The parts of a message (RFC 2045, RFC 2046), as far as FETCH and BODYSTRUCTURE show them.

use std::ops::Range;

/// One part: where its header and body lie in the message, and what it says of itself.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Header with the empty line that ends it.
    pub header: Range<usize>,
    /// What follows the header.
    pub body: Range<usize>,
    /// Names in lower case, values unfolded.
    pub fields: Vec<(String, String)>,
    /// Type and subtype in lower case.
    pub kind: (String, String),
    /// Parameters of Content-Type.
    pub params: Vec<(String, String)>,
    /// The parts of a multipart.
    pub children: Vec<Part>,
    /// The message inside a message/rfc822.
    pub message: Option<Box<Part>>,
}

/// Deeper parts are not looked into.
const DEPTH: usize = 20;

impl Part {
    /// Reads a whole message.
    pub fn parse(bytes: &[u8]) -> Self {
        part(bytes, 0..bytes.len(), ("text", "plain"), 0)
    }

    /// The first field of that name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// A part by its number within this one; the only part of what is no multipart is number 1.
    pub fn number(&self, number: u32) -> Option<&Self> {
        let inner = self.message.as_deref().unwrap_or(self);
        if inner.children.is_empty() {
            return (number == 1).then_some(inner);
        }
        inner.children.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// Whether it is a multipart.
    pub fn is_multipart(&self) -> bool {
        self.kind.0 == "multipart"
    }
}

fn part(bytes: &[u8], range: Range<usize>, default: (&str, &str), depth: usize) -> Part {
    let header = header_range(bytes, range.clone());
    let body = header.end..range.end;
    let fields = fields(&bytes[header.clone()]);
    let content_type = fields.iter().find(|(n, _)| n == "content-type").map(|(_, v)| v.as_str());
    let (kind, params) = content_type.and_then(typed).unwrap_or_else(|| {
        ((default.0.to_owned(), default.1.to_owned()), vec![("charset".to_owned(), "us-ascii".to_owned())])
    });
    let mut part = Part { header, body, fields, kind, params, ..Part::default() };
    if depth < DEPTH && part.is_multipart() {
        part.children = children(bytes, &part, depth);
    } else if depth < DEPTH && part.kind.0 == "message" && part.kind.1 == "rfc822" {
        part.message = Some(Box::new(self::part(bytes, part.body.clone(), ("text", "plain"), depth + 1)));
    }
    part
}

fn header_range(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let mut at = range.start;
    while at < range.end {
        let end = line_end(bytes, at, range.end);
        let line = &bytes[at..end];
        at = end;
        if line == b"\r\n" || line == b"\n" {
            break;
        }
    }
    range.start..at
}

fn line_end(bytes: &[u8], at: usize, end: usize) -> usize {
    bytes[at..end].iter().position(|b| *b == b'\n').map_or(end, |n| at + n + 1)
}

fn fields(header: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(header).replace("\r\n", "\n").replace("\n ", " ").replace("\n\t", "\t");
    let field = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
    };
    text.lines().filter_map(field).collect()
}

/// Type with subtype, and parameters.
type Typed = ((String, String), Vec<(String, String)>);

/// `text/plain; charset=utf-8`.
fn typed(value: &str) -> Option<Typed> {
    let (kind, rest) = value.split_once(';').unwrap_or((value, ""));
    let (main, sub) = kind.trim().split_once('/')?;
    let kind = (main.to_ascii_lowercase(), sub.to_ascii_lowercase());
    Some((kind, parameters(rest)))
}

/// `a=b; c="d"`.
pub fn parameters(text: &str) -> Vec<(String, String)> {
    let one = |p: &str| {
        let (name, value) = p.split_once('=')?;
        Some((name.trim().to_ascii_lowercase(), value.trim().trim_matches('"').to_owned()))
    };
    text.split(';').filter_map(one).collect()
}

fn children(bytes: &[u8], parent: &Part, depth: usize) -> Vec<Part> {
    let Some((_, boundary)) = parent.params.iter().find(|(name, _)| name == "boundary") else { return Vec::new() };
    let default = if parent.kind.1 == "digest" { ("message", "rfc822") } else { ("text", "plain") };
    let (delimiter, mut open) = (format!("--{boundary}"), None);
    let (mut at, mut out) = (parent.body.start, Vec::new());
    while at < parent.body.end {
        let end = line_end(bytes, at, parent.body.end);
        let line = String::from_utf8_lossy(&bytes[at..end]);
        if let Some(rest) = line.trim_end().strip_prefix(&delimiter).filter(|rest| rest.is_empty() || *rest == "--") {
            if let Some(start) = open {
                out.push(part(bytes, start..before_line_ending(bytes, start, at), default, depth + 1));
            }
            open = rest.is_empty().then_some(end);
        }
        at = end;
    }
    if let Some(start) = open {
        out.push(part(bytes, start..parent.body.end, default, depth + 1));
    }
    out
}

/// The line ending before a delimiter belongs to the delimiter (RFC 2046 section 5.1.1).
fn before_line_ending(bytes: &[u8], start: usize, end: usize) -> usize {
    let slice = &bytes[start..end];
    let slice = slice.strip_suffix(b"\n").unwrap_or(slice);
    start + slice.strip_suffix(b"\r").unwrap_or(slice).len()
}
