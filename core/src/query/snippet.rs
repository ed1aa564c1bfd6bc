//! The piece of a text that shows best why a query has found it.

use super::ast::Expr;
use super::fold::Folded;
use super::matcher::Check;
use super::{Matcher, Term, fold};
use std::collections::BTreeSet;
use std::ops::Range;

/// How much of a text is looked through, in bytes.
const SEEN: usize = 256 * 1024;

/// Most places that are weighed against each other.
const MOST: usize = 1000;

/// A piece of a text, and where in it the query's words stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snippet {
    /// The piece, in one line.
    pub text: String,
    /// Places in `text`, in bytes, ascending and apart from each other.
    pub marks: Vec<Range<usize>>,
    /// Whether there is text before it.
    pub begins_inside: bool,
    /// Whether there is text after it.
    pub ends_inside: bool,
}

impl Snippet {
    /// The marks as a language counts that has units of its own for a text: `length` is how many a character has.
    ///
    /// ```
    /// let snippet = mailtide::query::Snippet { text: "a möth".to_owned(), marks: vec![2..7], ..Default::default() };
    /// assert_eq!(snippet.marks_counted(|_| 1), [2..6]);
    /// ```
    #[must_use]
    pub fn marks_counted(&self, length: impl Fn(char) -> usize) -> Vec<Range<usize>> {
        let count = |end: usize| self.text.get(..end).map_or(0, |before| before.chars().map(&length).sum());
        self.marks.iter().map(|mark| count(mark.start)..count(mark.end)).collect()
    }
}

impl Matcher {
    /// The piece of `text`, of about `width` bytes, that has the most of what the query looks for; `None` where it has
    /// nothing of it in its first 256 KiB. Letters are compared as in mail held here, see [`fold`].
    ///
    /// ```
    /// use mailtide::query::Query;
    ///
    /// let matcher = Query::parse("moth")?.folded_matcher(&jiff::Zoned::now())?;
    /// let snippet = matcher.snippet("First actual case of a\nMÖTH being found.", 30).unwrap();
    /// assert_eq!(snippet.text, "case of a MÖTH being found.");
    /// assert_eq!(&snippet.text[snippet.marks[0].clone()], "MÖTH");
    /// # Ok::<(), mailtide::MailError>(())
    /// ```
    #[must_use]
    pub fn snippet(&self, text: &str, width: usize) -> Option<Snippet> {
        let needles: BTreeSet<String> =
            looked_for(&self.expr).into_iter().map(fold).filter(|n| !n.is_empty()).collect();
        let end = (0..=SEEN.min(text.len())).rev().find(|at| text.is_char_boundary(*at))?;
        let folded = Folded::new(text.get(..end)?);
        let places = places(&folded, &needles);
        let best = best(&places, width)?;
        Some(cut(text, places.get(best)?, width))
    }
}

/// Where something that is looked for stands in the original, and which of the needles it is.
struct Place {
    needle: usize,
    at: Range<usize>,
}

/// The text of terms that a match has, rather than lacks.
fn looked_for(expr: &Expr<Check>) -> Vec<&str> {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().flat_map(looked_for).collect(),
        Expr::Term(Check::Term(
            Term::Text(text) | Term::Body(text) | Term::Subject(text) | Term::Address(_, text) | Term::List(Some(text)),
        )) => vec![text],
        _ => Vec::new(),
    }
}

fn places(folded: &Folded, needles: &BTreeSet<String>) -> Vec<Place> {
    let mut out = Vec::new();
    for (needle, text) in needles.iter().enumerate() {
        for at in memchr::memmem::find_iter(folded.text.as_bytes(), text.as_bytes()).take(MOST) {
            if let Some((start, end)) = folded.origin(at, at + text.len()) {
                out.push(Place { needle, at: start..end });
            }
        }
    }
    out.sort_by_key(|place| (place.at.start, place.at.end));
    out
}

/// The places, by number, that begin within `width` of a first one, where most different needles are; the earliest.
fn best(places: &[Place], width: usize) -> Option<Range<usize>> {
    let mut best: Option<(usize, Range<usize>)> = None;
    let mut until = 0;
    for (from, first) in places.iter().enumerate() {
        until = until.max(from);
        while places.get(until).is_some_and(|place| place.at.end <= first.at.start + width) {
            until += 1;
        }
        let here = places.get(from..until.max(from + 1)).unwrap_or_default();
        let count = here.iter().map(|place| place.needle).collect::<BTreeSet<_>>().len();
        if best.as_ref().is_none_or(|(most, _)| count > *most) {
            best = Some((count, from..until.max(from + 1)));
        }
    }
    best.map(|(_, range)| range)
}

/// The piece around the places, cut between words, white space made one.
fn cut(text: &str, places: &[Place], width: usize) -> Snippet {
    let first = places.first().map_or(0, |place| place.at.start);
    let last = places.iter().map(|place| place.at.end).max().unwrap_or(first);
    let spare = width.saturating_sub(last - first);
    let start = word_start(text, first, spare / 2);
    let end = word_end(text, last, spare - spare / 2);
    let mut out = Snippet {
        begins_inside: has_text(text.get(..start)),
        ends_inside: has_text(text.get(end..)),
        ..Snippet::default()
    };
    let mut at = start;
    for place in places {
        if place.at.start >= at {
            push(&mut out.text, text.get(at..place.at.start).unwrap_or_default());
            let from = out.text.len();
            push(&mut out.text, text.get(place.at.clone()).unwrap_or_default());
            out.marks.push(from..out.text.len());
            at = place.at.end;
        }
    }
    push(&mut out.text, text.get(at..end).unwrap_or_default().trim_end());
    out
}

fn has_text(text: Option<&str>) -> bool {
    text.is_some_and(|text| !text.trim().is_empty())
}

fn push(out: &mut String, text: &str) {
    for c in text.chars() {
        if !c.is_whitespace() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
}

/// How far a word may reach beyond the room that there is.
const WORD: usize = 60;

/// The beginning of a word at most `back` bytes before `at`, as far back as it goes; at least that of the word at `at`.
fn word_start(text: &str, at: usize, back: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    let gaps = before.char_indices().rev().take_while(|(place, _)| at - place <= back.max(WORD));
    let mut starts = gaps.filter(|(_, c)| c.is_whitespace()).map(|(place, c)| place + c.len_utf8()).peekable();
    let nearest = starts.peek().copied();
    if at <= back || nearest.is_none() && at <= WORD {
        return 0;
    }
    starts.take_while(|start| at - start <= back).last().or(nearest).unwrap_or(at)
}

/// The end of a word at most `on` bytes after `at`, as far on as it goes; at least that of the word at `at`.
fn word_end(text: &str, at: usize, on: usize) -> usize {
    let after = text.get(at..).unwrap_or_default();
    let gaps = after.char_indices().take_while(|(place, _)| *place <= on.max(WORD));
    let mut ends = gaps.filter(|(_, c)| c.is_whitespace()).map(|(place, _)| place).peekable();
    let nearest = ends.peek().copied();
    if after.len() <= on || nearest.is_none() && after.len() <= WORD {
        return text.len();
    }
    at + ends.take_while(|end| *end <= on).last().or(nearest).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Query;
    use proptest::prelude::*;

    fn snippet(query: &str, text: &str, width: usize) -> Option<String> {
        let matcher = Query::parse(query).unwrap().folded_matcher(&"2024-01-31T12:00Z[UTC]".parse().unwrap()).unwrap();
        matcher.snippet(text, width).map(|found| {
            let mut text = found.text.clone();
            for mark in found.marks.iter().rev() {
                text.insert(mark.end, ']');
                text.insert(mark.start, '[');
            }
            text
        })
    }

    #[test]
    fn the_piece_with_most_of_the_query_is_shown() {
        let text = "The moth.\n\n  Much later, in relay 70, the MOTH was found\nby Grace Hopper, who wrote it down.";
        for (query, width, shown) in [
            ("moth", 20, "The [moth]."),
            ("relay moth", 25, "in [relay] 70, the [MOTH] was"),
            ("\"grace hopper\"", 20, "by [Grace Hopper],"),
            ("found by", 10, "[found] [by]"),
            ("\"found by\"", 10, "[found by]"),
            ("oth -relay", 12, "m[oth]."),
            (
                "is:unread body:hopper",
                1000,
                "The moth. Much later, in relay 70, the MOTH was found by Grace [Hopper], who wrote it down.",
            ),
        ] {
            assert_eq!(snippet(query, text, width).as_deref(), Some(shown), "{query}");
        }
        assert_eq!(snippet("nothing", text, 20), None);
        assert_eq!(snippet("-moth", text, 20), None);
        assert_eq!(snippet("is:unread", text, 20), None);
    }

    proptest! {
        #[test]
        fn marks_are_what_was_looked_for(text in "[abé \n日]{0,60}", needle in "[abé日]{1,3}", width in 0_usize..80) {
            let matcher = Query::text(needle.clone()).folded_matcher(&"2024-01-31T12:00Z[UTC]".parse().unwrap()).unwrap();
            let found = matcher.snippet(&text, width);
            prop_assert_eq!(found.is_some(), fold(&text).contains(&fold(&needle)));
            for mark in found.iter().flat_map(|found| found.marks.iter().map(|mark| found.text.get(mark.clone()))) {
                prop_assert_eq!(fold(mark.unwrap()), fold(&needle));
            }
        }
    }
}
