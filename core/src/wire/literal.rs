//! The header of a literal: `{310}`, `{310+}` (LITERAL+, RFC 7888), `~{310}` (BINARY, RFC 3516).

use super::WireError;

/// A literal that a line announces at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiteralHeader {
    /// Announced number of bytes. Never allocate from it.
    pub size: u64,
    /// Whether the sender waits for a `+` before it sends the bytes.
    pub synchronising: bool,
    /// Whether it is a literal8 (`~{n}`), which may hold NUL.
    pub binary: bool,
}

/// The literal that `line` (without its line end) announces, if any.
///
/// A number too large for 63 bits is an error: the stream cannot be followed beyond it.
pub(super) fn announced(line: &[u8]) -> Option<Result<LiteralHeader, WireError>> {
    let inner = line.strip_suffix(b"}")?;
    let (inner, synchronising) = match inner.strip_suffix(b"+").or_else(|| inner.strip_suffix(b"-")) {
        Some(rest) => (rest, false),
        None => (inner, true),
    };
    let digits = inner.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let (before, number) = inner.split_at_checked(inner.len() - digits)?;
    let before = before.strip_suffix(b"{")?;
    if number.is_empty() {
        return None;
    }
    let size = number.iter().try_fold(0u64, |n, b| n.checked_mul(10)?.checked_add(u64::from(b - b'0')));
    Some(match size.filter(|n| i64::try_from(*n).is_ok()) {
        Some(size) => Ok(LiteralHeader { size, synchronising, binary: before.ends_with(b"~") }),
        None => Err(WireError::Limit("the size of a literal")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_all_kinds_are_read() {
        let header = |s: &str| announced(s.as_bytes()).map(|r| r.map(|h| (h.size, h.synchronising, h.binary)));
        assert_eq!(header("* 1 FETCH (BODY[] {310}"), Some(Ok((310, true, false))));
        assert_eq!(header("a LOGIN {5+}"), Some(Ok((5, false, false))));
        assert_eq!(header("* 1 FETCH (BINARY[1] ~{0}"), Some(Ok((0, true, true))));
        assert_eq!(header("no literal {}"), None);
        assert_eq!(header("no literal {x}"), None);
        assert_eq!(header("no literal 5}"), None);
        assert_eq!(header("{9223372036854775807}"), Some(Ok((i64::MAX as u64, true, false))));
        assert!(matches!(header("{9223372036854775808}"), Some(Err(WireError::Limit(_)))));
        assert!(matches!(header(&format!("{{{}}}", "9".repeat(99_999))), Some(Err(WireError::Limit(_)))));
    }
}
