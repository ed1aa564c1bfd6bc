//! Mailbox names as folder names: safe on any system, and back again.
//!
//! Maildir++ separates levels by dots. In each level, `%XX` stands for a byte that may not be there: a dot, `/`, `\`,
//! `%`, what Windows refuses, control characters, a space at the end, the first letter of a device name (`NUL`).

use crate::error::{Code, MailError, Result};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The name of a folder for the levels of a mailbox name; `INBOX` alone has none, it is the Maildir itself.
///
/// ```
/// use mailtide::archive::{decode_folder, encode_folder};
///
/// assert_eq!(encode_folder(&["Archive", "v1.0/beta"]), ".Archive.v1%2E0%2Fbeta");
/// assert_eq!(decode_folder(".Archive.v1%2E0%2Fbeta").unwrap(), ["Archive", "v1.0/beta"]);
/// ```
#[must_use]
pub fn encode_folder(levels: &[&str]) -> String {
    let mut out = String::new();
    for level in levels {
        out.push('.');
        encode_level(level, &mut out);
    }
    out
}

/// The levels of a mailbox name; `None` for what is no folder of a Maildir.
#[must_use]
pub fn decode_folder(name: &str) -> Option<Vec<String>> {
    name.strip_prefix('.')?.split('.').map(decode_level).collect()
}

/// Names that are in use, where case may not count.
#[derive(Debug, Default)]
pub(super) struct Taken(BTreeSet<String>);

impl Taken {
    /// That name, or another way to write it that no file system takes for one in use.
    pub(super) fn free(&mut self, name: &str) -> Result<String> {
        let others = (0..).map_while(|number| escaped_further(name, number));
        let mut names = std::iter::once(name.to_owned()).chain(others);
        let free = names.find(|name| self.0.insert(name.to_lowercase()));
        free.ok_or_else(|| MailError::new(Code::FileIo, "There is a folder of that name already").in_mailbox(name))
    }
}

/// The same name with its `number`th letter, from 0, written as `%XX`: for a second one where case does not count.
fn escaped_further(name: &str, number: usize) -> Option<String> {
    let letters = name.char_indices().filter(|(at, c)| c.is_ascii_alphabetic() && !is_hex(name, *at));
    let (at, letter) = letters.clone().nth(number)?;
    let (before, after) = name.split_at_checked(at)?;
    Some(format!("{before}%{:02X}{}", u32::from(letter), after.get(1..)?))
}

fn is_hex(name: &str, at: usize) -> bool {
    [1, 2].iter().any(|back| at.checked_sub(*back).and_then(|at| name.as_bytes().get(at)) == Some(&b'%'))
}

fn encode_level(level: &str, out: &mut String) {
    let last = level.chars().count().saturating_sub(1);
    for (place, c) in level.chars().enumerate() {
        let is_refused = c.is_control() || "./\\%:*?\"<>|~".contains(c);
        let is_edge = c == ' ' && (place == 0 || place == last) || place == 0 && is_device(level);
        if is_refused || is_edge {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                let _ = write!(out, "%{byte:02X}");
            }
        } else {
            out.push(c);
        }
    }
}

/// A device name of Windows, whatever comes after a dot.
fn is_device(level: &str) -> bool {
    let stem = level.split('.').next().unwrap_or(level).trim_end().to_ascii_uppercase();
    let numbered = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || numbered.is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

fn decode_level(level: &str) -> Option<String> {
    let mut out = Vec::with_capacity(level.len());
    let mut rest = level.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after.first_chunk::<2>()) {
            (b'%', Some(digits)) => {
                let digits = std::str::from_utf8(digits).ok()?;
                out.push(u8::from_str_radix(digits, 16).ok()?);
                rest = after.get(2..)?;
            }
            (b'%', None) => return None,
            _ => out.push(*byte),
        }
    }
    String::from_utf8(out).ok().filter(|level| !level.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_safe_and_readable() {
        for (level, folder) in [
            ("Archive", ".Archive"),
            ("..", ".%2E%2E"),
            ("a/../b", ".a%2F%2E%2E%2Fb"),
            ("NUL", ".%4EUL"),
            ("nul.txt", ".%6Eul%2Etxt"),
            ("Com1", ".%43om1"),
            ("Entwürfe", ".Entwürfe"),
            (" a ", ".%20a%20"),
            ("a\0b", ".a%00b"),
        ] {
            assert_eq!(encode_folder(&[level]), folder, "{level:?}");
        }
        assert_eq!(decode_folder("cur"), None);
        assert_eq!(decode_folder(".a..b"), None);
        assert_eq!(decode_folder(".a%"), None);
        assert_eq!(decode_folder(".%FF"), None);
        assert_eq!(escaped_further(".foo", 0).as_deref(), Some(".%66oo"));
        assert_eq!(decode_folder(&escaped_further(".a%2Eb", 1).unwrap()).unwrap(), ["a.b"]);
    }

    proptest! {
        #[test]
        fn names_come_back(levels in prop::collection::vec("\\PC{1,10}|[./\\\\%: a-zA-Z\u{0}\u{7f}]{1,6}", 1..4)) {
            let levels: Vec<&str> = levels.iter().map(String::as_str).collect();
            let folder = encode_folder(&levels);
            prop_assert!(!folder.contains(['/', '\\', '\0', ':']) && !folder.contains(".."));
            prop_assert_eq!(decode_folder(&folder).unwrap(), levels);
        }
    }
}
