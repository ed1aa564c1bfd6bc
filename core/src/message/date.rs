//! The `Date` field (RFC 5322 section 3.3), and what else programs have written there.

use crate::imap::InternalDate;
use jiff::civil;

/// Longest value looked at, in bytes.
const LONGEST: usize = 200;

/// Reads a `Date`: order, punctuation and completeness of the pieces do not matter, as long as a day, a month, a year
/// and a time can be told apart. `None` where they cannot; a date is never made up.
///
/// A missing or unknown zone is taken as UTC, which is what `-0000` means.
///
/// ```
/// use mailtide::message::parse_date;
///
/// let date = parse_date(b"Thu, 4 Jan 2024 09:05:00 +0100 (CET)").unwrap();
/// assert_eq!((date.seconds, date.offset), (1_704_355_500, 60));
/// assert_eq!(parse_date(b"soon"), None);
/// ```
#[must_use]
pub fn parse_date(value: &[u8]) -> Option<InternalDate> {
    let value = value.get(..value.len().min(LONGEST)).unwrap_or(value);
    let text = String::from_utf8_lossy(value);
    let text = if text.contains('(') { without_comments(&text).into() } else { text };
    let mut found = Found::default();
    for token in text.split(|c: char| c.is_ascii_whitespace() || c == ',').filter(|t| !t.is_empty()) {
        found.token(token);
    }
    found.date()
}

fn without_comments(text: &str) -> String {
    let mut depth = 0_usize;
    let mut keep = |c: char| {
        let was_inside = depth > 0;
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        !was_inside && depth == 0
    };
    text.chars().map(|c| if keep(c) { c } else { ' ' }).collect()
}

#[derive(Debug, Default)]
struct Found {
    day: Option<i8>,
    month: Option<i8>,
    year: Option<i16>,
    time: Option<(i8, i8, i8)>,
    /// Minutes east of UTC.
    offset: Option<i16>,
    is_afternoon: Option<bool>,
}

impl Found {
    fn token(&mut self, token: &str) {
        if token.as_bytes().get(4) == Some(&b'-') && self.year.is_none() && self.iso(token) {
            return;
        }
        if self.time.is_some() && self.zone(token) {
            return;
        }
        if token.contains(':') {
            self.clock(token);
        } else if let Some(afternoon) = afternoon(token) {
            self.is_afternoon = Some(afternoon);
        } else {
            // `17-Jul-1996`, as IMAP has it; `05/Jan/2003`.
            token.split(['-', '/', '.']).for_each(|piece| self.word(piece));
        }
    }

    /// `2024-01-04`, alone or with `T09:05:00Z`.
    fn iso(&mut self, token: &str) -> bool {
        let (date, rest) = token.split_once(['T', 't']).unwrap_or((token, ""));
        let Ok(date) = date.parse::<civil::Date>() else { return false };
        (self.year, self.month, self.day) = (Some(date.year()), Some(date.month()), Some(date.day()));
        let end = rest.find(['+', '-', 'Z', 'z']).unwrap_or(rest.len());
        let (clock, zone) = rest.split_at_checked(end).unwrap_or((rest, ""));
        self.clock(clock);
        if !zone.is_empty() {
            self.zone(zone);
        }
        true
    }

    /// `09:05`, `09:05:00`, `9:05:00.123`, `09:05:00+0100`.
    fn clock(&mut self, token: &str) {
        let end = token.find(['+', '-']).unwrap_or(token.len());
        let (clock, zone) = token.split_at_checked(end).unwrap_or((token, ""));
        let mut numbers = clock.split([':', '.']).map(str::parse::<i8>);
        let (Some(Ok(hour)), Some(Ok(minute))) = (numbers.next(), numbers.next()) else { return };
        // A leap second is the last second of the minute; a broken one is none.
        let second = numbers.next().and_then(Result::ok).unwrap_or(0).min(59);
        self.time = self.time.or(Some((hour, minute, second)));
        if !zone.is_empty() {
            self.zone(zone);
        }
    }

    fn word(&mut self, piece: &str) {
        if let Some(month) = month(piece) {
            self.month = self.month.or(Some(month));
        } else if let Ok(number) = piece.parse::<i16>() {
            self.number(number, piece.len());
        }
    }

    fn number(&mut self, number: i16, digits: usize) {
        if digits <= 2 && self.day.is_none() {
            self.day = i8::try_from(number).ok();
        } else if self.year.is_none() {
            self.year = year(number, digits);
        }
    }

    fn zone(&mut self, token: &str) -> bool {
        // The last thing said wins, but a name in letters does not overrule a number: `+0200 GMT`.
        match numeric_zone(token) {
            Some(offset) => self.offset = Some(offset),
            None => match named_zone(token) {
                Some(offset) if self.offset.is_none() => self.offset = Some(offset),
                Some(_) => {}
                None => return false,
            },
        }
        true
    }

    fn date(&self) -> Option<InternalDate> {
        let (mut hour, minute, second) = self.time.unwrap_or_default();
        match self.is_afternoon {
            Some(true) if hour < 12 => hour += 12,
            Some(false) if hour == 12 => hour = 0,
            _ => {}
        }
        let date = civil::Date::new(self.year?, self.month?, self.day?).ok()?;
        let time = civil::Time::new(hour, minute, second, 0).ok()?;
        let offset = self.offset.unwrap_or(0);
        let local = date.to_datetime(time).to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
        Some(InternalDate { seconds: local - i64::from(offset) * 60, offset })
    }
}

fn afternoon(token: &str) -> Option<bool> {
    let is = |word| token.eq_ignore_ascii_case(word);
    (is("pm") || is("p.m.")).then_some(true).or((is("am") || is("a.m.")).then_some(false))
}

/// Two and three digits as RFC 5322 section 4.3 reads them. `102` and `0102` for 2002 come of a C library.
fn year(number: i16, digits: usize) -> Option<i16> {
    match (digits, number) {
        (1 | 2, 0..=49) => Some(2000 + number),
        (2, 50..=99) | (3 | 4, 100..=199) => Some(1900 + number),
        // Before there was mail, a year is a mistake.
        (4, 1970..) => Some(number),
        _ => None,
    }
}

fn month(word: &str) -> Option<i8> {
    const NAMES: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let start = word.get(..3)?;
    let at = NAMES.iter().position(|name| name.eq_ignore_ascii_case(start))?;
    i8::try_from(at + 1).ok().filter(|_| word.bytes().all(|b| b.is_ascii_alphabetic()))
}

/// `+0100`, `-08:00`, `+1`, `GMT+2`; more than 14 hours is nonsense and counts as UTC.
fn numeric_zone(token: &str) -> Option<i16> {
    let token = token.strip_prefix("GMT").or_else(|| token.strip_prefix("UTC")).unwrap_or(token);
    let sign = match token.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = token.chars().filter(char::is_ascii_digit).collect();
    let number: i16 = digits.parse().ok()?;
    let minutes = if digits.len() <= 2 { number * 60 } else { number / 100 * 60 + number % 100 };
    Some(if minutes <= 14 * 60 { sign * minutes } else { 0 })
}

/// The names of RFC 5322 section 4.3, and others that mail has too and that mean one zone only.
fn named_zone(token: &str) -> Option<i16> {
    const NAMES: [(&str, i16); 26] = [
        ("GMT", 0),
        ("UTC", 0),
        ("UT", 0),
        ("Z", 0),
        ("WET", 0),
        ("EDT", -4),
        ("EST", -5),
        ("CDT", -5),
        ("CST", -6),
        ("MDT", -6),
        ("MST", -7),
        ("PDT", -7),
        ("PST", -8),
        ("AKDT", -8),
        ("AKST", -9),
        ("HST", -10),
        ("CET", 1),
        ("MET", 1),
        ("BST", 1),
        ("WEST", 1),
        ("CEST", 2),
        ("MEST", 2),
        ("EET", 2),
        ("EEST", 3),
        ("MSK", 3),
        ("JST", 9),
    ];
    NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(token)).map(|(_, hours)| hours * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_they_come() {
        // 2003-01-05T18:00:00Z
        let moment = 1_041_789_600;
        for (text, offset) in [
            ("Sun, 5 Jan 2003 18:00:00 +0000", 0),
            ("Sun,  5 Jan 2003 10:00:00 -0800 (PST)", -480),
            ("5 Jan 2003 10:00 PST", -480),
            ("Sun, 05 January 2003 19:00:00 +01:00", 60),
            ("Sun, 5 Jan 03 18:00:00 GMT", 0),
            ("Sun, 5 Jan 103 18:00:00 UT", 0),
            ("Sun, 5 Jan 0103 18:00:00 UT", 0),
            ("Sun Jan  5 18:00:00 2003", 0),
            ("Sun Jan  5 10:00:00 PST 2003", -480),
            ("5-Jan-2003 19:00:00 +0100", 60),
            ("2003-01-05T18:00:00Z", 0),
            ("2003-01-05T19:00:00.123+01:00", 60),
            ("2003-01-05 18:00:00", 0),
            ("Sun (day), 5 (x (y)) Jan 2003 18:00:00 -0000", 0),
            ("Sun, 5 Jan 2003 6:00:00 PM +0000", 0),
            ("Sun, 5 Jan 2003 20:00:00 +0200 GMT", 120),
            ("Sun, 5 Jan 2003 20:00:00 GMT+0200", 120),
            ("Sun, 5 Jan 2003\r\n 18:00:00 +0000", 0),
            ("Sun, 5 Jan 2003 18:00:00 +9999", 0),
        ] {
            let date = parse_date(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((date.seconds, date.offset), (moment, offset), "{text}");
        }
        assert_eq!(parse_date(b"31 Dec 2016 23:59:60 +0000").unwrap().seconds, 1_483_228_799);
        assert_eq!(parse_date(b"5 Jan 2003").unwrap().seconds, 1_041_724_800);
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "soon",
            "0",
            "Thu, 1 Jan 1900 00:00:00 +0000",
            "31 Feb 2003 10:00:00 +0000",
            "5 Jan",
            "2003",
            "Jan 2003",
            "5 Jan 2003 25:00:00",
            "99999999999999999999",
            "\u{0}\u{ff}",
            "((((",
            "+0100",
        ] {
            assert_eq!(parse_date(text.as_bytes()), None, "{text}");
        }
    }
}
