//! Dates: INTERNALDATE, the dates of SEARCH, and the Date field, without a library that the engine uses as well.

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment as it was written: with its zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Seconds since 1970 in UTC.
    pub seconds: i64,
    /// The zone, in minutes east of Greenwich.
    pub zone: i32,
}

impl Moment {
    /// A moment in UTC.
    #[must_use]
    pub fn utc(seconds: i64) -> Self {
        Self { seconds, zone: 0 }
    }

    /// `17-Jul-1996 02:44:25 -0700`, the day padded with a space (RFC 9051, `date-time`).
    #[must_use]
    pub fn internal(self) -> String {
        let local = self.seconds + i64::from(self.zone) * 60;
        let (days, rest) = (local.div_euclid(86_400), local.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        let sign = if self.zone < 0 { '-' } else { '+' };
        let (zone_hour, zone_minute) = (self.zone.abs() / 60, self.zone.abs() % 60);
        let month = MONTHS[usize::try_from(month - 1).unwrap_or_default()];
        format!("{day:2}-{month}-{year:04} {hour:02}:{minute:02}:{second:02} {sign}{zone_hour:02}{zone_minute:02}")
    }

    /// The calendar day where it was written, counted from 1970: SEARCH disregards time and zone.
    #[must_use]
    pub fn day(self) -> i64 {
        (self.seconds + i64::from(self.zone) * 60).div_euclid(86_400)
    }

    /// Reads an INTERNALDATE.
    #[must_use]
    pub fn parse_internal(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let (date, time, zone) = (words.next()?, words.next()?, words.next()?);
        Self::put_together(parse_day(date)?, time, zone)
    }

    /// Reads a Date field (RFC 5322 section 3.3), as far as the days of SEARCH need it.
    #[must_use]
    pub fn parse_header(text: &str) -> Option<Self> {
        let text = text.split_once(',').map_or(text, |(_, rest)| rest);
        let mut words = text.split_ascii_whitespace();
        let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let days = parse_day(&format!("{day}-{month}-{year}"))?;
        Self::put_together(days, time, words.next().unwrap_or("+0000"))
    }

    fn put_together(days: i64, time: &str, zone: &str) -> Option<Self> {
        let mut parts = time.split(':').map(str::parse::<i64>);
        let (hour, minute) = (parts.next()?.ok()?, parts.next()?.ok()?);
        let second = parts.next().and_then(Result::ok).unwrap_or(0);
        let number: i32 = zone.parse().unwrap_or(0);
        let zone = number / 100 * 60 + number % 100;
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - i64::from(zone) * 60;
        Some(Self { seconds, zone })
    }
}

/// `1-Feb-1994`, counted in days from 1970.
pub fn parse_day(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|m| m.eq_ignore_ascii_case(month))?;
    Some(days(year.parse().ok()?, i64::try_from(month).ok()? + 1, day.trim().parse().ok()?))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar; the year begins in March, so that leap days come last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day counted from 1970.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_and_written() {
        for text in ["17-Jul-1996 02:44:25 -0700", " 1-Jan-1970 00:00:00 +0000", "29-Feb-2024 23:59:59 +0530"] {
            assert_eq!(Moment::parse_internal(text).unwrap().internal(), text);
        }
        assert_eq!(Moment::parse_internal("17-Jul-1996 02:44:25 -0700").unwrap().seconds, 837_596_665);
        let header = Moment::parse_header("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)").unwrap();
        assert_eq!(header.seconds, 837_595_405);
        assert_eq!(parse_day("1-Mar-2000").unwrap() - parse_day("28-Feb-2000").unwrap(), 2);
        assert!(Moment::parse_internal("yesterday").is_none());
    }

    #[test]
    fn a_day_is_the_day_where_it_was_written() {
        let late = Moment::parse_internal("17-Jul-1996 23:30:00 -0700").unwrap();
        assert_eq!(late.day(), parse_day("17-Jul-1996").unwrap());
    }
}
