//! How strings go out: quoted where they can be, else as literals (RFC 9051 section 4.3).

/// A string in the form that suits its bytes.
pub fn string(bytes: &[u8]) -> Vec<u8> {
    let plain = bytes.len() < 1000 && bytes.iter().all(|b| (b' '..127).contains(b));
    if !plain {
        return [format!("{{{}}}\r\n", bytes.len()).as_bytes(), bytes].concat();
    }
    let escaped = bytes.iter().flat_map(|b| if matches!(b, b'"' | b'\\') { vec![b'\\', *b] } else { vec![*b] });
    std::iter::once(b'"').chain(escaped).chain(std::iter::once(b'"')).collect()
}

/// A string or NIL.
pub fn nstring(bytes: Option<&[u8]>) -> Vec<u8> {
    bytes.map_or_else(|| b"NIL".to_vec(), string)
}

/// A name of a mailbox: as an atom where it is one.
pub fn name(name: &str) -> Vec<u8> {
    let atom = |b: u8| b.is_ascii_alphanumeric() || b"-_./&+,".contains(&b);
    if !name.is_empty() && name.bytes().all(atom) { name.as_bytes().to_vec() } else { string(name.as_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_take_the_form_that_holds_them() {
        assert_eq!(string(b"a\"b"), b"\"a\\\"b\"");
        assert_eq!(string(b"a\r\nb"), b"{4}\r\na\r\nb");
        assert_eq!(nstring(None), b"NIL");
        assert_eq!(name("Sent Items"), b"\"Sent Items\"");
        assert_eq!(name("A/B"), b"A/B");
    }
}
