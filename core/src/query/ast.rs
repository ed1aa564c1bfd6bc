//! A query as a value: what the parser makes, what the builder joins, what is planned and matched.

use crate::error::{Code, MailError, Result};
use crate::imap::Flag;
use jiff::civil::Date;

/// Deepest nesting of a query, however it was made.
pub(super) const DEEPEST: usize = 32;

/// A query: parsed from text, or built.
///
/// ```
/// use mailtide::query::Query;
///
/// let parsed = Query::parse("is:unread (from:ada OR from:grace) -list:*")?;
/// let built = Query::unread() & (Query::from_("ada") | Query::from_("grace")) & !Query::list("*");
/// assert_eq!(parsed, built);
/// assert_eq!(built.to_string(), "is:unread (from:ada OR from:grace) -list:*");
/// # Ok::<(), mailtide::MailError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    pub(super) expr: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr<T = Term> {
    /// Two or more, none of them an `And`.
    And(Vec<Expr<T>>),
    /// Two or more, none of them an `Or`.
    Or(Vec<Expr<T>>),
    Not(Box<Expr<T>>),
    Term(T),
    /// In place of what would have been nested too deep; refused where it is used.
    TooDeep,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Term {
    Address(AddressField, String),
    Subject(String),
    Body(String),
    /// Header or body.
    Text(String),
    /// `None`: any.
    List(Option<String>),
    /// `None`: the field is there.
    Header(String, Option<String>),
    Flag(Flag, bool),
    HasAttachment,
    In(String),
    Larger(u64),
    Smaller(u64),
    Newer(Age),
    Older(Age),
    After(Day),
    Before(Day),
    On(Day),
    Label(String),
    Thread(String),
    Raw(String),
}

/// A header field that holds addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressField {
    /// `From`
    From,
    /// `To`
    To,
    /// `Cc`
    Cc,
    /// `Bcc`
    Bcc,
}

/// A span of time back from now, as in `newer:7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age {
    /// How many.
    pub count: u32,
    /// Of what.
    pub unit: Unit,
}

/// The unit of an [`Age`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// 3,600 seconds.
    Hour,
    /// 86,400 seconds, whatever the clocks did.
    Day,
    /// Seven days of 86,400 seconds.
    Week,
    /// A month of the calendar, in the query's zone.
    Month,
    /// A year of the calendar, in the query's zone.
    Year,
}

/// A day, in the query's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Day {
    /// The day on which the query begins.
    Today,
    /// The day before.
    Yesterday,
    /// That day.
    Date(Date),
}

impl Query {
    /// Refuses what the parser would have refused, for a query that was built: empty text, line ends, NUL, nesting beyond
    /// 32 levels.
    pub(super) fn check(&self) -> Result<()> {
        if self.expr.depth() > DEEPEST {
            return Err(MailError::new(Code::LimitExceeded, "The query is nested too deep"));
        }
        self.expr.terms().into_iter().try_for_each(Term::check)
    }
}

impl From<Date> for Day {
    fn from(date: Date) -> Self {
        Self::Date(date)
    }
}

impl Expr {
    pub(super) fn and(parts: Vec<Expr>) -> Expr {
        Self::joined(parts, Expr::And, |part| match part {
            Expr::And(inner) => Ok(inner),
            other => Err(other),
        })
    }

    pub(super) fn or(parts: Vec<Expr>) -> Expr {
        Self::joined(parts, Expr::Or, |part| match part {
            Expr::Or(inner) => Ok(inner),
            other => Err(other),
        })
    }

    fn joined(parts: Vec<Expr>, make: fn(Vec<Expr>) -> Expr, split: fn(Expr) -> Result<Vec<Expr>, Expr>) -> Expr {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match split(part) {
                Ok(inner) => flat.extend(inner),
                Err(part) => flat.push(part),
            }
        }
        let only = if flat.len() == 1 { flat.pop() } else { None };
        Self::bounded(only.unwrap_or_else(|| make(flat)))
    }

    pub(super) fn negated(self) -> Expr {
        match self {
            Expr::Not(inner) => *inner,
            other => Self::bounded(Expr::Not(Box::new(other))),
        }
    }

    /// Every way to nest goes through here, so that nothing that recurses over a query can be driven too deep.
    fn bounded(self) -> Expr {
        if self.depth() > DEEPEST { Expr::TooDeep } else { self }
    }

    fn depth(&self) -> usize {
        match self {
            Expr::And(parts) | Expr::Or(parts) => 1 + parts.iter().map(Expr::depth).max().unwrap_or(0),
            Expr::Not(inner) => 1 + inner.depth(),
            Expr::Term(_) => 1,
            Expr::TooDeep => DEEPEST + 1,
        }
    }
}

impl<T> Expr<T> {
    pub(super) fn terms(&self) -> Vec<&T> {
        match self {
            Expr::And(parts) | Expr::Or(parts) => parts.iter().flat_map(Expr::terms).collect(),
            Expr::Not(inner) => inner.terms(),
            Expr::Term(term) => vec![term],
            Expr::TooDeep => Vec::new(),
        }
    }

    pub(super) fn map<U>(&self, f: &mut impl FnMut(&T) -> U) -> Expr<U> {
        match self {
            Expr::And(parts) => Expr::And(parts.iter().map(|part| part.map(f)).collect()),
            Expr::Or(parts) => Expr::Or(parts.iter().map(|part| part.map(f)).collect()),
            Expr::Not(inner) => Expr::Not(Box::new(inner.map(f))),
            Expr::Term(term) => Expr::Term(f(term)),
            Expr::TooDeep => Expr::TooDeep,
        }
    }
}

impl Term {
    fn check(&self) -> Result<()> {
        match self {
            Term::Header(name, _) if !is_field_name(name) => Err(refused("A header field's name is needed")),
            Term::Flag(flag, _) if !flag.is_writable() => Err(refused("That is no flag")),
            _ => self.texts().into_iter().flatten().try_for_each(check_text),
        }
    }

    fn texts(&self) -> [Option<&str>; 2] {
        match self {
            Term::Address(_, text) | Term::Subject(text) | Term::Body(text) | Term::Text(text) | Term::In(text) => {
                [Some(text), None]
            }
            Term::Label(text) | Term::Thread(text) | Term::Raw(text) => [Some(text), None],
            Term::List(text) => [text.as_deref(), None],
            Term::Header(name, text) => [Some(name), text.as_deref()],
            _ => [None, None],
        }
    }
}

/// RFC 5322 section 2.2: printable ASCII without a colon.
pub(super) fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b':')
}

fn check_text(text: &str) -> Result<()> {
    if text.is_empty() {
        Err(refused("The text to look for is empty"))
    } else if text.contains(['\r', '\n', '\0']) {
        Err(refused("A query cannot hold line ends or NUL"))
    } else {
        Ok(())
    }
}

fn refused(message: &str) -> MailError {
    MailError::new(Code::QuerySyntax, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joining_flattens_and_double_negation_goes() {
        let query = |text: &str| Query::text(text);
        assert_eq!((query("a") & query("b")) & query("c"), query("a") & (query("b") & query("c")));
        assert_eq!((query("a") | query("b")) | query("c"), query("a") | (query("b") | query("c")));
        assert_eq!(!!query("a"), query("a"));
    }

    #[test]
    fn a_query_nested_without_end_is_refused_and_costs_no_stack() {
        let mut query = Query::text("a");
        for _ in 0..100_000 {
            query = (query & Query::text("b")) | Query::text("c");
        }
        assert_eq!(query.check().unwrap_err().code(), Code::LimitExceeded);
        assert_eq!((!query).check().unwrap_err().code(), Code::LimitExceeded);
    }

    #[test]
    fn what_the_parser_refuses_is_refused_of_a_built_query_too() {
        for query in [
            Query::text(""),
            Query::from_("a\r\nb"),
            Query::header("a b", None),
            Query::header("", None),
            Query::header("X", Some("a\0".into())),
            Query::raw("ALL\r\nX LOGOUT"),
            Query::with_flag(Flag::from_server(b"a b")),
            Query::unread() & !Query::subject("\n"),
        ] {
            assert_eq!(query.check().unwrap_err().code(), Code::QuerySyntax, "{query:?}");
        }
        assert!(Query::header("X-Spam", None).check().is_ok());
    }
}
