//! Text on a terminal: cleaned of what would steer it, in so many cells. Pure.

use crate::message::for_display;
use jiff::Zoned;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// One line of what somebody else has written, without what would steer a terminal.
pub(super) fn clean(text: &str) -> String {
    for_display(text).trim().to_owned()
}

/// The same for a text of several lines. Tabs become spaces.
pub(super) fn clean_lines(text: &str) -> Vec<String> {
    text.lines().map(|line| for_display(&line.replace('\t', "    ")).trim_end().to_owned()).collect()
}

/// How many cells a text takes.
pub(super) fn cells(text: &str) -> usize {
    text.width()
}

/// A text in at most `width` cells, with an ellipsis where it was longer.
pub(super) fn clip(text: &str, width: usize) -> String {
    if cells(text) <= width {
        return text.to_owned();
    }
    let (mut out, mut used) = (String::new(), 0);
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used >= width {
            break;
        }
        out.push(c);
    }
    if width > 0 {
        out.push('…');
    }
    out
}

/// A text in exactly `width` cells.
pub(super) fn fit(text: &str, width: usize, to_the_right: bool) -> String {
    let text = clip(text, width);
    let space = " ".repeat(width.saturating_sub(cells(&text)));
    if to_the_right { space + &text } else { text + &space }
}

/// Lines of at most `width` cells, broken at spaces; a longer word stands on a line of its own. Quoted text stays quoted.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let text = line.trim_start_matches(['>', ' ']);
        let prefix = line.strip_suffix(text).filter(|prefix| prefix.contains('>')).unwrap_or_default();
        if cells(line) <= width {
            lines.push(line.to_owned());
            continue;
        }
        let mut current = prefix.to_owned();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let is_begun = current.len() > prefix.len();
            if is_begun && cells(&current) + 1 + cells(word) > width {
                lines.push(std::mem::replace(&mut current, prefix.to_owned() + word));
                continue;
            }
            if is_begun {
                current.push(' ');
            }
            current += word;
        }
        lines.push(current);
    }
    lines
}

/// A size as people read it: `987 B`, `1.2 kB`, `4.5 MB`.
#[allow(clippy::cast_precision_loss)]
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes} B"),
        1000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// A moment as people read it: the time of today, the day of this year, the date of others.
pub(super) fn when(moment: &Zoned, now: &Zoned) -> String {
    let format = match (moment.date() == now.date(), moment.year() == now.year()) {
        (true, _) => "%H:%M",
        (false, true) => "%-d %b",
        (false, false) => "%Y-%m-%d",
    };
    moment.strftime(format).to_string()
}

/// A number and its noun: `1 message`, `12 messages`.
pub(super) fn count(number: u64, noun: &str) -> String {
    let plural = match noun {
        _ if number == 1 => "",
        _ if noun.ends_with('x') => "es",
        _ if noun.ends_with('y') => return format!("{number} {}ies", noun.trim_end_matches('y')),
        _ => "s",
    };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_message_steers_the_terminal() {
        let subject = "\u{1b}]0;owned\u{7}\u{1b}[31mred\u{9b}2J\u{202e}gpj.exe\r\nX: y\u{8}";
        let shown = clean(subject);
        assert!(!shown.chars().any(|c| c.is_control() || c == '\u{202e}'), "{shown:?}");
        assert_eq!(shown, "]0;owned[31mred2Jgpj.exe X: y");
        assert_eq!(clean_lines("a\tb\u{1b}[2J\r\n\r\nc"), ["a    b[2J", "", "c"]);
    }

    #[test]
    fn a_text_takes_exactly_its_cells() {
        for text in ["", "moth", "会議の件 お世話に", "🦋 butterfly", "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}"]
        {
            for width in [0, 1, 2, 5, 30] {
                assert_eq!(cells(&fit(text, width, false)), width, "{text:?} in {width}");
                assert_eq!(cells(&fit(text, width, true)), width, "{text:?} in {width}");
            }
        }
        assert_eq!((clip("relay 70", 6), fit("9", 3, true)), ("relay…".to_owned(), "  9".to_owned()));
    }

    #[test]
    fn long_lines_are_broken_and_quotes_stay_quotes() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("> > one two three", 10), ["> > one", "> > two", "> > three"]);
        assert_eq!(wrap("a\n\nhttps://example.org/long b", 6), ["a", "", "https://example.org/long", "b"]);
    }

    #[test]
    fn sizes_moments_and_numbers_are_as_people_write_them() {
        assert_eq!([987, 1234, 4_560_000, 7_000_000_000].map(size), ["987 B", "1.2 kB", "4.6 MB", "7.0 GB"]);
        let now: Zoned = "2025-11-26T20:00:00+00:00[UTC]".parse().unwrap();
        for (moment, expected) in
            [("2025-11-26T09:05:00", "09:05"), ("2025-01-06T09:05:00", "6 Jan"), ("2024-12-31T23:00:00", "2024-12-31")]
        {
            let moment: Zoned = format!("{moment}+00:00[UTC]").parse().unwrap();
            assert_eq!(when(&moment, &now), expected);
        }
        assert_eq!(
            [count(1, "mailbox"), count(2, "mailbox"), count(0, "message")],
            ["1 mailbox", "2 mailboxes", "0 messages"]
        );
        assert_eq!(count(3, "body"), "3 bodies");
    }
}
