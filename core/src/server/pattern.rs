//! Patterns of LIST: `*` is anything, `%` anything within a level (RFC 9051 section 6.3.9).

use crate::imap::INBOX;

/// Whether a name matches, in a time bounded by their lengths multiplied (CVE-2026-33607). INBOX has no case.
pub(super) fn matches(pattern: &str, name: &str, delimiter: char) -> bool {
    if name == INBOX {
        return glob(&pattern.to_ascii_uppercase(), name, delimiter);
    }
    glob(pattern, name, delimiter)
}

fn glob(pattern: &str, name: &str, delimiter: char) -> bool {
    let name: Vec<char> = name.chars().collect();
    // Which beginnings of the name the pattern so far matches.
    let mut reached = vec![false; name.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for wanted in pattern.chars() {
        reached = step(wanted, &reached, &name, delimiter);
    }
    reached.last() == Some(&true)
}

fn step(wanted: char, reached: &[bool], name: &[char], delimiter: char) -> Vec<bool> {
    let mut next = Vec::with_capacity(reached.len());
    let is_wild = matches!(wanted, '*' | '%');
    next.push(is_wild && reached.first() == Some(&true));
    for ((letter, before), here) in name.iter().zip(reached).zip(reached.iter().skip(1)) {
        let is_passed = wanted == '*' || wanted == '%' && *letter != delimiter;
        next.push(match is_wild {
            true => *here || is_passed && next.last() == Some(&true),
            false => *before && *letter == wanted,
        });
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_cross_levels_and_percents_do_not() {
        for (pattern, name, is_match) in [
            ("*", "a/b/c", true),
            ("%", "a", true),
            ("%", "a/b", false),
            ("a/%", "a/b", true),
            ("a/%", "a/b/c", false),
            ("a*c", "a/b/c", true),
            ("%/%", "a/b", true),
            ("%b%", "abc", true),
            ("a", "a", true),
            ("a", "A", false),
            ("", "a", false),
            ("", "", true),
            ("a*", "a", true),
            ("**%a", "xa", true),
            ("inb%", "INBOX", true),
            ("*x", "INBOX", true),
            ("INBOX/%", "INBOX/a", true),
        ] {
            assert_eq!(matches(pattern, name, '/'), is_match, "{pattern} {name}");
        }
    }

    #[test]
    fn a_flood_of_stars_is_cheap() {
        assert!(!matches(&"*a".repeat(500), &"b".repeat(1000), '/'));
        assert!(matches(&"%*".repeat(500), &"a/".repeat(500), '/'));
    }
}
