//! Dates with the zone they were written in.

use jiff::Timestamp;
use mailtide::imap::InternalDate;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDateTime, PyDelta, PyDict, PyTzInfo};

/// A `datetime` with its zone; `None` for a year that Python has not.
pub fn to_py(py: Python<'_>, date: InternalDate) -> PyResult<Option<Bound<'_, PyDateTime>>> {
    let Some(local) = local(date) else { return Ok(None) };
    let (day, time) = (local.date(), local.time());
    if day.year() < 1 {
        return Ok(None);
    }
    let number = |n: i8| n.unsigned_abs();
    let zone = zone(py, date.offset)?;
    PyDateTime::new(
        py,
        day.year().into(),
        number(day.month()),
        number(day.day()),
        number(time.hour()),
        number(time.minute()),
        number(time.second()),
        0,
        Some(&zone),
    )
    .map(Some)
}

fn local(date: InternalDate) -> Option<jiff::civil::DateTime> {
    let seconds = date.seconds.checked_add(i64::from(date.offset) * 60)?;
    Some(Timestamp::from_second(seconds).ok()?.to_zoned(jiff::tz::TimeZone::UTC).datetime())
}

/// One zone object an offset, since a mailbox has few.
fn zone(py: Python<'_>, offset: i16) -> PyResult<Bound<'_, PyTzInfo>> {
    static ZONES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let zones = ZONES.get_or_init(py, || PyDict::new(py).unbind()).bind(py);
    if let Some(known) = zones.get_item(offset)? {
        return Ok(known.cast_into::<PyTzInfo>()?);
    }
    let zone = PyTzInfo::fixed_offset(py, PyDelta::new(py, 0, i32::from(offset) * 60, 0, true)?)?;
    zones.set_item(offset, &zone)?;
    Ok(zone)
}

/// A `datetime`; one without a zone is in that of the system.
pub fn from_py(date: &Bound<'_, PyAny>) -> PyResult<InternalDate> {
    let zoned = date.call_method0("astimezone")?;
    let zoned = if date.getattr("tzinfo")?.is_none() { zoned } else { date.clone() };
    let seconds: f64 = zoned.call_method0("timestamp")?.extract()?;
    let offset: f64 = zoned.call_method0("utcoffset")?.call_method0("total_seconds")?.extract()?;
    #[allow(clippy::cast_possible_truncation)]
    Ok(InternalDate { seconds: seconds.floor() as i64, offset: (offset / 60.0) as i16 })
}
