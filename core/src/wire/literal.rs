//! The header of a literal: `{310}`, `{310+}` (LITERAL+, RFC 7888), `~{310}` (BINARY, RFC 3516).

use super::WireError;
use std::fmt;

/// A literal that a line announces at its end.
///
/// ```
/// use mailtide::wire::LiteralHeader;
///
/// let header = LiteralHeader { size: 310, synchronising: false, binary: true };
/// assert_eq!(header.to_string(), "~{310+}");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiteralHeader {
    /// Announced number of bytes. Never allocate from it.
    pub size: u64,
    /// Whether the sender waits for a `+` before it sends the bytes.
    pub synchronising: bool,
    /// Whether it is a literal8 (`~{n}`), which may hold NUL.
    pub binary: bool,
}

impl fmt::Display for LiteralHeader {
    /// As it stands on the wire, without the line end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tilde = if self.binary { "~" } else { "" };
        let plus = if self.synchronising { "" } else { "+" };
        write!(f, "{tilde}{{{}{plus}}}", self.size)
    }
}

/// Most digits of a size. 63 bits need 19; some senders pad with zeros.
const MAX_DIGITS: usize = 20;

/// Longest header with its line end: `~{`, the digits, `+}`, CR and LF.
pub(super) const MAX_HEADER: usize = MAX_DIGITS + 6;

/// The literal that `line` (without its line end) announces, if any.
///
/// A number too large for 63 bits is an error: the stream cannot be followed beyond it.
pub(super) fn announced(line: &[u8]) -> Result<Option<LiteralHeader>, WireError> {
    let Some(inner) = line.strip_suffix(b"}") else { return Ok(None) };
    let (inner, synchronising) = inner.strip_suffix(b"+").map_or((inner, true), |rest| (rest, false));
    let digits = inner.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let (before, number) = inner.split_at_checked(inner.len() - digits).unwrap_or_default();
    let Some(before) = before.strip_suffix(b"{") else { return Ok(None) };
    if number.is_empty() {
        return Ok(None);
    }
    match decimal(number).filter(|_| digits <= MAX_DIGITS) {
        Some(size) => Ok(Some(LiteralHeader { size, synchronising, binary: before.ends_with(b"~") })),
        None => Err(WireError::Limit("the size of a literal")),
    }
}

/// The number of up to 63 bits that these digits write; `None` for a larger one.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    let number = digits.iter().try_fold(0u64, |n, b| n.checked_mul(10)?.checked_add(u64::from(b.wrapping_sub(b'0'))));
    number.filter(|n| i64::try_from(*n).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(s: &str) -> Result<Option<(u64, bool, bool)>, WireError> {
        announced(s.as_bytes()).map(|found| found.map(|h| (h.size, h.synchronising, h.binary)))
    }

    #[test]
    fn headers_of_all_kinds_are_read() {
        assert_eq!(header("* 1 FETCH (BODY[] {310}"), Ok(Some((310, true, false))));
        assert_eq!(header("a LOGIN {5+}"), Ok(Some((5, false, false))));
        assert_eq!(header("* 1 FETCH (BINARY[1] ~{0}"), Ok(Some((0, true, true))));
        assert_eq!(header("{00000000000000000005}"), Ok(Some((5, true, false))));
        assert_eq!(header("{9223372036854775807}"), Ok(Some((i64::MAX as u64, true, false))));
    }

    #[test]
    fn other_braces_announce_nothing() {
        for line in ["", "}", "{}", "{+}", "{x}", "5}", "{5", "{-5}", "{5-}", "{ 5}", "{5} ", "{5}x", "{5++}", "{1_0}"]
        {
            assert_eq!(header(line), Ok(None), "{line}");
        }
    }

    #[test]
    fn sizes_beyond_63_bits_are_limits() {
        for number in ["9223372036854775808", "18446744073709551616", &"9".repeat(99_999), &"0".repeat(21)] {
            let error = header(&format!("{{{number}}}")).unwrap_err();
            assert_eq!(error, WireError::Limit("the size of a literal"));
        }
    }

    #[test]
    fn a_printed_header_is_read_back() {
        for (synchronising, binary) in [(true, false), (false, false), (true, true), (false, true)] {
            let header = LiteralHeader { size: 42, synchronising, binary };
            assert_eq!(announced(header.to_string().as_bytes()), Ok(Some(header)));
        }
    }
}
