//! Where a word ends, and the name of a FETCH item with its section.

/// Whether an atom, in the widest sense, ends before this.
pub(super) fn ends_atom(byte: u8) -> bool {
    matches!(byte, b' ' | b'(' | b')' | b'"' | b'\r' | b'\n')
}

/// Length of a FETCH item's name that has a section, with what follows the section (`<0>`), if `text` begins with one; 0
/// if the section does not close.
pub(super) fn item_len(text: &[u8]) -> Option<usize> {
    let open = text.iter().take(MAX_ITEM).position(|b| *b == b'[' || ends_atom(*b))?;
    let (name, section) = text.split_at_checked(open)?;
    if section.first() != Some(&b'[') || !SECTION_ITEMS.iter().any(|item| name.eq_ignore_ascii_case(item)) {
        return None;
    }
    let Some(close) = section_end(section) else { return Some(0) };
    let rest = section.get(close + 1..).unwrap_or_default();
    let after = rest.iter().position(|b| ends_atom(*b)).unwrap_or(rest.len());
    Some(open + close + 1 + after)
}

/// The items with a section (RFC 9051 section 7.5.2). No server should send `.PEEK`.
const SECTION_ITEMS: [&[u8]; 5] = [b"BODY", b"BINARY", b"BINARY.SIZE", b"BODY.PEEK", b"BINARY.PEEK"];

/// Length of the longest of them, with its bracket.
const MAX_ITEM: usize = 12;

/// Where the section that begins at `text[0] == b'['` closes. Header names in it may be quoted and hold a `]`.
fn section_end(text: &[u8]) -> Option<usize> {
    let mut quoted = false;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b']' if !quoted => return Some(at),
            b'\r' | b'\n' => return None,
            _ => {}
        }
    }
    None
}
