//! `Q`: queries, parsed or built. Builders go through the language itself, with their arguments put in as values.

use crate::errors::OrRaise;
use crate::flags;
use jiff::civil::Date;
use mailtide::Query;
use mailtide::imap::Flag;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// A query, built or parsed: `Q.from_("ada") & Q.unread() | Q("larger:1M")`.
#[pyclass(frozen, eq, module = "mailtide")]
#[derive(PartialEq)]
pub struct Q(pub Query);

impl Q {
    pub fn parse(py: Python<'_>, text: &str) -> PyResult<Query> {
        Query::parse(text).or_raise(py)
    }
}

/// `"7d"` as the language has it, or a `timedelta` in hours, its smallest unit.
fn age(key: &str, age: &Bound<'_, PyAny>) -> PyResult<Q> {
    let text = match age.cast::<PyString>() {
        Ok(text) => text.to_str()?.to_owned(),
        Err(_) => format!("{:.0}h", (age.call_method0("total_seconds")?.extract::<f64>()? / 3600.0).ceil()),
    };
    Query::template(&[&format!("{key}:"), ""], &[&text]).or_raise(age.py()).map(Q)
}

fn texts(owned: &[String]) -> Vec<&str> {
    owned.iter().map(String::as_str).collect()
}

fn day(day: &Bound<'_, PyAny>) -> PyResult<Date> {
    let part = |name: &str| day.getattr(name)?.extract::<i16>();
    let small = |number: i16| i8::try_from(number).unwrap_or_default();
    let date = Date::new(part("year")?, small(part("month")?), small(part("day")?));
    date.map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))
}

#[pymethods]
impl Q {
    #[new]
    fn new(py: Python<'_>, query: &str) -> PyResult<Self> {
        Self::parse(py, query).map(Self)
    }

    /// Text with values between its pieces; what `q()` is made of.
    #[staticmethod]
    fn template(py: Python<'_>, literals: Vec<String>, values: Vec<String>) -> PyResult<Self> {
        let (literals, values): (Vec<_>, Vec<_>) = (texts(&literals), texts(&values));
        Query::template(&literals, &values).or_raise(py).map(Self)
    }

    /// IMAP's own SEARCH keys, as they are.
    #[staticmethod]
    fn raw(search: &str) -> Self {
        Self(Query::raw(search))
    }

    #[staticmethod]
    fn from_(value: &str) -> Self {
        Self(Query::from_(value))
    }

    #[staticmethod]
    fn to(value: &str) -> Self {
        Self(Query::to(value))
    }

    #[staticmethod]
    fn cc(value: &str) -> Self {
        Self(Query::cc(value))
    }

    #[staticmethod]
    fn bcc(value: &str) -> Self {
        Self(Query::bcc(value))
    }

    #[staticmethod]
    fn subject(value: &str) -> Self {
        Self(Query::subject(value))
    }

    #[staticmethod]
    fn body(value: &str) -> Self {
        Self(Query::body(value))
    }

    #[staticmethod]
    fn text(value: &str) -> Self {
        Self(Query::text(value))
    }

    /// A header field of this name that holds `value`, or is just there.
    #[staticmethod]
    #[pyo3(signature = (name, value=None))]
    fn header(name: &str, value: Option<String>) -> Self {
        Self(Query::header(name, value))
    }

    /// The List-Id holds `value`; `*` for any.
    #[staticmethod]
    fn list(value: &str) -> Self {
        Self(Query::list(value))
    }

    /// A flag or keyword is set.
    #[staticmethod]
    fn flag(flag: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(Query::with_flag(flags::one(flag)?)))
    }

    #[staticmethod]
    fn read() -> Self {
        Self(Query::read())
    }

    #[staticmethod]
    fn unread() -> Self {
        Self(Query::unread())
    }

    #[staticmethod]
    fn flagged() -> Self {
        Self(Query::flagged())
    }

    #[staticmethod]
    fn answered() -> Self {
        Self(Query::answered())
    }

    #[staticmethod]
    fn draft() -> Self {
        Self(Query::with_flag(Flag::DRAFT))
    }

    #[staticmethod]
    fn has_attachment() -> Self {
        Self(Query::has_attachment())
    }

    /// More than this many bytes.
    #[staticmethod]
    fn larger(size: u64) -> Self {
        Self(Query::larger(size))
    }

    /// Fewer than this many bytes.
    #[staticmethod]
    fn smaller(size: u64) -> Self {
        Self(Query::smaller(size))
    }

    /// Received within this time: `"7d"` or a `timedelta`.
    #[staticmethod]
    fn newer(age: &Bound<'_, PyAny>) -> PyResult<Self> {
        self::age("newer", age)
    }

    /// Received longer ago than this: `"7d"` or a `timedelta`.
    #[staticmethod]
    fn older(age: &Bound<'_, PyAny>) -> PyResult<Self> {
        self::age("older", age)
    }

    /// Received on a later day.
    #[staticmethod]
    fn after(day: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(Query::after(self::day(day)?)))
    }

    /// Received on an earlier day.
    #[staticmethod]
    fn before(day: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(Query::before(self::day(day)?)))
    }

    /// Received on this day.
    #[staticmethod]
    fn on(day: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(Query::on(self::day(day)?)))
    }

    fn __and__(&self, other: &Self) -> Self {
        Self(self.0.clone() & other.0.clone())
    }

    fn __or__(&self, other: &Self) -> Self {
        Self(self.0.clone() | other.0.clone())
    }

    fn __invert__(&self) -> Self {
        Self(!self.0.clone())
    }

    fn __repr__(&self) -> String {
        format!("<Q {}>", self.0)
    }
}
