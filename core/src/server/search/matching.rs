//! Whether a message is what a search is for; `None` where that hangs on what is not held.

use super::look::Look;
use crate::imap::InternalDate;
use crate::query::all;
use crate::server::command::{Clock, Key, When};
use crate::server::numbers::Numbers;
use jiff::civil::Date;

/// How much has to be read to tell: the placement, the row, the header, the body.
pub(super) fn cost(key: &Key) -> u8 {
    match key {
        Key::All | Key::None | Key::Seq(_) | Key::Uid(_) | Key::Flag(..) | Key::ModSeq(_) => 0,
        Key::Day(Clock::Saved, ..) => 0,
        Key::Day(Clock::Sent, ..) | Key::Header(..) => 2,
        Key::Body(_) | Key::Text(_) => 3,
        Key::Not(key) => cost(key),
        Key::Or(left, right) => cost(left).max(cost(right)),
        Key::And(keys) => keys.iter().map(cost).max().unwrap_or(0),
        _ => 1,
    }
}

/// `now` is when the search began, in seconds since 1970.
pub(super) fn matches(key: &Key, look: &Look<'_>, now: i64) -> Option<bool> {
    match key {
        Key::Not(key) => matches(key, look, now).map(|is_match| !is_match),
        Key::And(keys) => all(keys.iter().map(|key| matches(key, look, now))),
        Key::Or(left, right) => {
            let none = all([left, right].into_iter().map(|key| matches(key, look, now).map(|is_match| !is_match)));
            none.map(|none| !none)
        }
        Key::Header(name, text) => has_field(look, name, text),
        Key::Body(text) => body(look, text),
        Key::Text(text) => match !look.header_lacks(text)? && look.header_text()?.contains(text) {
            true => Some(true),
            false => body(look, text),
        },
        Key::Day(clock, when, day) => day_of(*clock, look).map(|date| compare(date, *when, *day)),
        key => plain(key, look, now),
    }
}

fn plain(key: &Key, look: &Look<'_>, now: i64) -> Option<bool> {
    let placed = look.placement();
    Some(match key {
        Key::All => true,
        Key::Uid(Numbers::Ranges(ranges)) => ranges.iter().any(|(first, last)| (*first..=*last).contains(&placed.uid)),
        Key::Flag(flag, is_set) => placed.flags.contains(flag) == *is_set,
        Key::ModSeq(mod_seq) => placed.mod_seq >= *mod_seq,
        Key::Larger(size) => look.facts()?.size > *size,
        Key::Smaller(size) => look.facts()?.size < *size,
        Key::Younger(seconds) => age(look, now)? <= i64::try_from(*seconds).unwrap_or(i64::MAX),
        Key::Older(seconds) => age(look, now)? >= i64::try_from(*seconds).unwrap_or(i64::MAX),
        Key::EmailId(id) => look.id().object_id() == *id,
        Key::ThreadId(id) => look.facts()?.thread.is_some_and(|thread| thread.object_id() == *id),
        _ => false,
    })
}

fn age(look: &Look<'_>, now: i64) -> Option<i64> {
    Some(now - look.facts()?.internal_date.seconds)
}

fn has_field(look: &Look<'_>, name: &str, text: &str) -> Option<bool> {
    if look.header_lacks(text)? {
        return Some(false);
    }
    Some(look.headers()?.get_all(name).any(|value| text.is_empty() || value.to_lowercase().contains(text)))
}

fn body(look: &Look<'_>, text: &str) -> Option<bool> {
    match text.is_empty() {
        true => Some(true),
        false if look.lacks(text) => Some(false),
        false => look.body().map(|body| body.contains(text)),
    }
}

/// The day that a date was written as, whatever its zone (RFC 9051 section 6.4.4). What has no Date was sent when it was
/// received.
fn day_of(clock: Clock, look: &Look<'_>) -> Option<Date> {
    let date = match clock {
        Clock::Received => look.facts()?.internal_date,
        Clock::Saved => InternalDate { seconds: look.placement().save_date, offset: 0 },
        Clock::Sent => match look.headers()?.date() {
            Some(date) => date,
            None => look.facts()?.internal_date,
        },
    };
    date.to_zoned().map(|zoned| zoned.date()).or(Some(Date::ZERO))
}

fn compare(date: Date, when: When, day: Date) -> bool {
    match when {
        When::Before => date < day,
        When::On => date == day,
        When::Since => date >= day,
    }
}
