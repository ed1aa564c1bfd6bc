//! When a message must have been received, in seconds, for an age or a day.

use super::{Age, Day, Term, Unit};
use jiff::civil::Date;
use jiff::{SignedDuration, Span, Zoned};

/// Received at `from` or later and before `until`, in seconds since 1970 (UTC). The extremes of `i64` are no bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: i64,
    pub(super) until: i64,
}

impl Window {
    /// The window that `term` means at `now`, in the zone of `now`; `None` for terms about something else.
    pub(super) fn of(term: &Term, now: &Zoned) -> Option<Self> {
        let all = Self { from: i64::MIN, until: i64::MAX };
        Some(match term {
            // Later than the cut, in whole seconds: from the one after it.
            Term::Newer(age) => Self { from: cut(*age, now), ..all },
            Term::Older(age) => Self { until: cut(*age, now), ..all },
            Term::After(day) => Self { from: start(date(*day, now), now), ..all },
            Term::Before(day) => Self { until: start(date(*day, now), now), ..all },
            Term::On(day) => {
                let date = date(*day, now);
                Self { from: start(date, now), until: start(date.saturating_add(Span::new().days(1)), now) }
            }
            _ => return None,
        })
    }

    pub(super) fn has(self, received: i64) -> bool {
        (self.from..self.until).contains(&received)
    }
}

/// The first whole second that is later than `age` ago. An age beyond all calendars is no bound.
fn cut(age: Age, now: &Zoned) -> i64 {
    let hours = |hours: i64| now.checked_sub(SignedDuration::from_hours(i64::from(age.count) * hours));
    let count = i64::from(age.count);
    let cut = match age.unit {
        Unit::Hour => hours(1),
        Unit::Day => hours(24),
        Unit::Week => hours(7 * 24),
        Unit::Month => Span::new().try_months(count).and_then(|span| now.checked_sub(span)),
        Unit::Year => Span::new().try_years(count).and_then(|span| now.checked_sub(span)),
    };
    cut.map_or(i64::MIN, |cut| cut.timestamp().as_second() + 1)
}

fn date(day: Day, now: &Zoned) -> Date {
    match day {
        Day::Today => now.date(),
        Day::Yesterday => now.date().saturating_sub(Span::new().days(1)),
        Day::Date(date) => date,
    }
}

/// Midnight, or the first moment of the day where clocks skip midnight.
fn start(date: Date, now: &Zoned) -> i64 {
    date.to_zoned(now.time_zone().clone()).map_or(i64::MAX, |start| start.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Expr;
    use crate::query::Query;

    fn window(text: &str, now: &str) -> (i64, i64) {
        let Expr::Term(term) = Query::parse(text).unwrap().expr else { panic!("one term") };
        let window = Window::of(&term, &now.parse().unwrap()).unwrap();
        (window.from, window.until)
    }

    fn seconds(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().unwrap().as_second()
    }

    #[test]
    fn ages_count_seconds_and_calendar_months() {
        let now = "2024-03-31T12:00:00.5+02:00[Europe/Berlin]";
        for (text, from) in [
            ("newer:2h", "2024-03-31T08:00:01Z"),
            // The clocks went forward that night: seven days are still 604,800 seconds.
            ("newer:7d", "2024-03-24T10:00:01Z"),
            ("newer:1w", "2024-03-24T10:00:01Z"),
            ("newer:1mo", "2024-02-29T11:00:01Z"),
            ("newer:1y", "2023-03-31T10:00:01Z"),
        ] {
            assert_eq!(window(text, now), (seconds(from), i64::MAX), "{text}");
        }
        assert_eq!(window("older:2h", now), (i64::MIN, seconds("2024-03-31T08:00:01Z")));
        assert_eq!(window("newer:4294967295y", now), (i64::MIN, i64::MAX));
        assert_eq!(window("newer:4294967295w", now), (i64::MIN, i64::MAX));
    }

    #[test]
    fn days_begin_at_midnight_of_the_zone() {
        let now = "2024-07-01T00:30:00+02:00[Europe/Berlin]";
        assert_eq!(window("on:today", now), (seconds("2024-06-30T22:00:00Z"), seconds("2024-07-01T22:00:00Z")));
        assert_eq!(window("on:yesterday", now).1, seconds("2024-06-30T22:00:00Z"));
        assert_eq!(window("after:2024-01-31", now), (seconds("2024-01-30T23:00:00Z"), i64::MAX));
        assert_eq!(window("before:2024-01-31", now), (i64::MIN, seconds("2024-01-30T23:00:00Z")));
        // 23 hours long.
        assert_eq!(window("on:2024-03-31", now), (seconds("2024-03-30T23:00:00Z"), seconds("2024-03-31T22:00:00Z")));
    }
}
