//! Reading sets: strictly what users write, leniently what servers send.

use super::UidSet;
use crate::error::{Code, MailError, Result};

/// A user's set.
pub(super) fn parse(text: &str) -> Result<UidSet> {
    let mut ranges = Vec::new();
    let mut position = 0;
    for part in text.split(',') {
        let (first, last) = part.split_once(':').unwrap_or((part, part));
        match (number(first), number(last)) {
            (Some(first), Some(last)) => ranges.push((first, last)),
            _ => return Err(refused(text).at(position)),
        }
        position += part.chars().count() + 1;
    }
    Ok(UidSet::from_ranges(ranges))
}

/// A server's set, as ranges in the order given, each ascending (`4:2` means `2:4`).
pub(super) fn from_server(text: &[u8]) -> Option<Vec<(u32, u32)>> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for part in text.split(|b| *b == b',') {
        let mut ends = part.splitn(2, |b| *b == b':');
        let first = server_number(ends.next()?)?;
        let last = ends.next().map_or(Some(first), server_number)?;
        ranges.push((first.min(last), first.max(last)));
        if ranges.len() > MAX_RANGES {
            return None;
        }
    }
    Some(ranges)
}

/// Most ranges of a server's set: more than a million messages can leave.
const MAX_RANGES: usize = 2_000_000;

/// Length of a range as it is printed.
pub(super) fn width((first, last): (u32, u32)) -> usize {
    let digits = |n: u32| n.checked_ilog10().unwrap_or_default() as usize + 1;
    if first == last { digits(first) } else { digits(first) + 1 + digits(last) }
}

fn number(text: &str) -> Option<u32> {
    // `parse` alone would take a plus sign.
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten().filter(|n| *n > 0)
}

fn server_number(text: &[u8]) -> Option<u32> {
    match text.trim_ascii() {
        b"*" => Some(u32::MAX),
        digits => std::str::from_utf8(digits).ok().and_then(number),
    }
}

fn refused(text: &str) -> MailError {
    let shown: String = text.chars().take(40).collect();
    let error = MailError::new(Code::UsageSelection, format!("{shown:?} is not a set of UIDs"));
    match text.contains('*') {
        true => error.hint("`*` is not a UID. To select every message, give no selection"),
        false => error.hint("Write UIDs from 1 on, such as \"1:5,9\""),
    }
}
