//! Dates as IMAP writes them (RFC 9051 section 9, `date-time` and `date`).

use super::InternalDate;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};
use std::fmt;

impl InternalDate {
    /// Reads `17-Jul-1996 02:44:25 -0700`, and ` 7-Jul…` as well as `7-Jul…`. `None` for anything that is no date.
    ///
    /// ```
    /// use mailtide::imap::InternalDate;
    ///
    /// let date = InternalDate::parse(b" 7-Jul-1996 02:44:25 -0700").unwrap();
    /// assert_eq!((date.seconds, date.offset), (836_732_665, -420));
    /// assert_eq!(date.to_string(), " 7-Jul-1996 02:44:25 -0700");
    /// ```
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut words = text.split(|b| *b == b' ').filter(|word| !word.is_empty());
        let mut date = words.next()?.split(|b| *b == b'-');
        let (day, month, year) = (number(date.next()?)?, month(date.next()?)?, number(date.next()?)?);
        let mut time = words.next()?.split(|b| *b == b':');
        let (hour, minute) = (number(time.next()?)?, number(time.next()?)?);
        // A leap second has no place in a count of seconds.
        let second = time.next().map_or(Some(0), number)?.min(59);
        let offset = words.next().map_or(Some(0), zone)?;
        let small = |n: i16| i8::try_from(n).ok();
        let civil = DateTime::new(year, month, small(day)?, small(hour)?, small(minute)?, small(second)?, 0).ok()?;
        let timestamp = seconds_east(offset)?.to_timestamp(civil).ok()?;
        Some(Self { seconds: timestamp.as_second(), offset })
    }

    /// A moment in its zone, cut to whole seconds and minutes of offset.
    #[must_use]
    pub fn from_zoned(zoned: &Zoned) -> Self {
        let offset = i16::try_from(zoned.offset().seconds() / 60).unwrap_or_default();
        Self { seconds: zoned.timestamp().as_second(), offset }
    }

    /// The moment, in the zone it was written in. `None` outside the years -9999 to 9999.
    #[must_use]
    pub fn to_zoned(self) -> Option<Zoned> {
        Some(self.timestamp()?.to_zoned(TimeZone::fixed(seconds_east(self.offset)?)))
    }

    /// The moment. `None` outside the years -9999 to 9999.
    #[must_use]
    pub fn timestamp(self) -> Option<Timestamp> {
        Timestamp::from_second(self.seconds).ok()
    }
}

/// As APPEND writes it: the day padded with a space, four digits of year. Empty where the year does not fit.
impl fmt::Display for InternalDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(zoned) = self.to_zoned().filter(|z| (0..=9999).contains(&z.year())) else { return Ok(()) };
        let (sign, minutes) = (if self.offset < 0 { '-' } else { '+' }, self.offset.unsigned_abs());
        write!(
            f,
            "{:>2}-{}-{:04} {:02}:{:02}:{:02} {sign}{:02}{:02}",
            zoned.day(),
            month_name(zoned.month()),
            zoned.year(),
            zoned.hour(),
            zoned.minute(),
            zoned.second(),
            minutes / 60,
            minutes % 60
        )
    }
}

/// A day as SEARCH writes it: `1-Feb-2024`.
#[must_use]
pub fn search_date(date: Date) -> String {
    format!("{}-{}-{:04}", date.day(), month_name(date.month()), date.year())
}

/// The day that SEARCH writes as `1-Feb-2024`, in any case. `None` for anything that is no day.
#[must_use]
pub fn parse_day(text: &[u8]) -> Option<Date> {
    let mut parts = text.split(|b| *b == b'-');
    let (day, month, year) = (number(parts.next()?)?, month(parts.next()?)?, parts.next()?);
    let year = number(year).filter(|_| year.len() == 4 && parts.next().is_none())?;
    Date::new(year, month, i8::try_from(day).ok()?).ok()
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn month_name(month: i8) -> &'static str {
    usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at)).copied().unwrap_or_default()
}

fn month(text: &[u8]) -> Option<i8> {
    let at = MONTHS.iter().position(|name| name.as_bytes().eq_ignore_ascii_case(text))?;
    i8::try_from(at + 1).ok()
}

fn number(digits: &[u8]) -> Option<i16> {
    if digits.is_empty() || digits.len() > 4 {
        return None;
    }
    digits.iter().try_fold(0i16, |n, b| b.is_ascii_digit().then(|| n * 10 + i16::from(b - b'0')))
}

/// `-0700` as minutes east of UTC. Some servers write a name, which is UTC or nothing we can trust.
fn zone(text: &[u8]) -> Option<i16> {
    let (sign, digits) = match text {
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        name => return [&b"GMT"[..], b"UTC", b"UT", b"Z"].contains(&name).then_some(0),
    };
    let digits = number(digits).filter(|_| digits.len() == 4)?;
    (digits % 100 < 60).then_some(sign * (digits / 100 * 60 + digits % 100))
}

fn seconds_east(minutes: i16) -> Option<Offset> {
    Offset::from_seconds(i32::from(minutes) * 60).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(i64, i16)> {
        InternalDate::parse(text.as_bytes()).map(|d| (d.seconds, d.offset))
    }

    #[test]
    fn dates_are_read_with_and_without_padding() {
        let expected = Some((836_732_665, -420));
        assert_eq!(parsed(" 7-Jul-1996 02:44:25 -0700"), expected);
        assert_eq!(parsed("7-Jul-1996 02:44:25 -0700"), expected);
        assert_eq!(parsed("07-JUL-1996 02:44:25 -0700"), expected);
        assert_eq!(parsed("01-Jan-1970 05:30:00 +0530"), Some((0, 330)));
        assert_eq!(parsed("31-Dec-2016 23:59:60 +0000"), Some((1_483_228_799, 0)));
    }

    #[test]
    fn junk_is_no_date() {
        for junk in [
            "",
            "NIL",
            "30-Feb-2020 00:00:00 +0000",
            "1-Foo-2020 00:00:00 +0000",
            "1-Jan-2020",
            "a b c",
            "1-Jan-2020 25:00:00 +0000",
            "1-Jan-2020 00:00:00 +9999",
            "1-Jan-99999 00:00:00 +0000",
            "--- ::: +",
        ] {
            assert_eq!(parsed(junk), None, "{junk:?}");
        }
    }

    #[test]
    fn what_is_printed_reads_back() {
        for (seconds, offset) in [(0, 0), (1_700_000_000, -345), (4_102_444_800, 840), (-2_208_988_800, 60)] {
            let date = InternalDate { seconds, offset };
            assert_eq!(InternalDate::parse(date.to_string().as_bytes()), Some(date));
            assert_eq!(InternalDate::from_zoned(&date.to_zoned().unwrap()), date);
        }
        assert_eq!(InternalDate { seconds: i64::MAX, offset: 0 }.to_string(), "");
    }

    #[test]
    fn days_of_a_search_are_read_back() {
        let day = jiff::civil::date(2024, 2, 9);
        assert_eq!((parse_day(b"9-Feb-2024"), parse_day(b"09-FEB-2024")), (Some(day), Some(day)));
        for junk in ["", "30-Feb-2024", "9-Feb", "9-Feb-24", "9-Feb-2024-1", "9 Feb 2024", "a-b-c"] {
            assert_eq!(parse_day(junk.as_bytes()), None, "{junk}");
        }
    }

    #[test]
    fn search_days_have_no_padding() {
        assert_eq!(search_date(jiff::civil::date(2024, 2, 1)), "1-Feb-2024");
    }
}
