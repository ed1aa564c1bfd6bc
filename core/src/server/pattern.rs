//! Patterns of LIST: `*` is anything, `%` anything within a level (RFC 9051 section 6.3.9).

use crate::imap::INBOX;

/// A pattern made ready for many names.
///
/// A run of wildcards is one of them, and a pattern with more letters than a name has does not match it: so a name costs
/// at most its length multiplied by itself, however long the pattern is (CVE-2026-33607). INBOX has no case.
pub(super) struct Pattern {
    marks: Vec<Mark>,
    letters: usize,
    delimiter: char,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Letter(char),
    /// `%`
    Level,
    /// `*`
    All,
}

impl Pattern {
    pub(super) fn new(pattern: &str, delimiter: char) -> Self {
        let mut marks: Vec<Mark> = Vec::new();
        for c in pattern.chars() {
            match (c, marks.last_mut()) {
                ('*', Some(last @ (Mark::Level | Mark::All))) => *last = Mark::All,
                ('%', Some(Mark::Level | Mark::All)) => {}
                ('*', _) => marks.push(Mark::All),
                ('%', _) => marks.push(Mark::Level),
                (letter, _) => marks.push(Mark::Letter(letter)),
            }
        }
        let letters = marks.iter().filter(|mark| matches!(mark, Mark::Letter(_))).count();
        Self { marks, letters, delimiter }
    }

    /// Whether it asks for levels, and so for superiors of what it does not reach.
    pub(super) fn has_levels(&self) -> bool {
        self.marks.contains(&Mark::Level)
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        let has_case = name != INBOX;
        let name: Vec<char> = name.chars().collect();
        if self.letters > name.len() {
            return false;
        }
        // Which beginnings of the name the pattern so far matches.
        let mut reached = vec![false; name.len() + 1];
        if let Some(first) = reached.first_mut() {
            *first = true;
        }
        for mark in &self.marks {
            reached = self.step(*mark, &reached, (&name, has_case));
        }
        reached.last() == Some(&true)
    }

    fn step(&self, mark: Mark, reached: &[bool], (name, has_case): (&[char], bool)) -> Vec<bool> {
        let mut next = Vec::with_capacity(reached.len());
        next.push(!matches!(mark, Mark::Letter(_)) && reached.first() == Some(&true));
        for ((letter, before), here) in name.iter().zip(reached).zip(reached.iter().skip(1)) {
            let goes_on = *here || next.last() == Some(&true);
            next.push(match mark {
                Mark::All => goes_on,
                Mark::Level => *here || goes_on && *letter != self.delimiter,
                Mark::Letter(wanted) if has_case => *before && *letter == wanted,
                Mark::Letter(wanted) => *before && letter.eq_ignore_ascii_case(&wanted),
            });
        }
        next
    }
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
            ("%*a", "x/a", true),
            ("%%/%%", "a/b", true),
            ("inb%", "INBOX", true),
            ("*x", "INBOX", true),
            ("INBOX/%", "INBOX/a", true),
            ("inbox/%", "INBOX/a", false),
        ] {
            assert_eq!(Pattern::new(pattern, '/').matches(name), is_match, "{pattern} {name}");
        }
    }

    #[test]
    fn a_flood_of_stars_costs_no_more_than_the_name_cve_2026_33607() {
        let flood = Pattern::new(&"%*".repeat(30_000), '/');
        assert_eq!(flood.marks, [Mark::All]);
        assert!(flood.matches(&"a/".repeat(500)));
        assert!(!Pattern::new(&"*a".repeat(30_000), '/').matches(&"a".repeat(1000)));
        assert!(!Pattern::new(&"*a".repeat(999), '/').matches(&"b".repeat(1000)));
        assert!(Pattern::new(&"%a".repeat(500), '/').matches(&"a".repeat(1000)));
    }
}
