//! The canonical text of a query: parsing it gives the same query again.

use super::ast::{Expr, Term};
use super::values::STATES;
use super::{AddressField, Age, Day, Query, Unit};
use crate::imap::Flag;
use std::fmt::{self, Formatter};

/// The query as it would be typed. Parsed, it is the same query again, [`Query::raw`] excepted: the language has no word
/// for that.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        expr(f, &self.expr, Place::Top)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Top,
    InOr,
    InAnd,
    InNot,
}

fn expr(f: &mut Formatter<'_>, e: &Expr, place: Place) -> fmt::Result {
    match e {
        Expr::And(parts) if place != Place::InNot => list(f, parts, " ", Place::InAnd),
        Expr::Or(parts) if place == Place::Top => list(f, parts, " OR ", Place::InOr),
        Expr::And(_) | Expr::Or(_) => {
            f.write_str("(")?;
            expr(f, e, Place::Top)?;
            f.write_str(")")
        }
        Expr::Not(inner) => {
            f.write_str("-")?;
            expr(f, inner, Place::InNot)
        }
        Expr::Term(t) => term(f, t),
        Expr::TooDeep => f.write_str("(nested too deep)"),
    }
}

fn list(f: &mut Formatter<'_>, parts: &[Expr], between: &str, place: Place) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        expr(f, part, place)?;
    }
    Ok(())
}

fn term(f: &mut Formatter<'_>, t: &Term) -> fmt::Result {
    match t {
        Term::Address(AddressField::From, text) => keyed(f, "from", text),
        Term::Address(AddressField::To, text) => keyed(f, "to", text),
        Term::Address(AddressField::Cc, text) => keyed(f, "cc", text),
        Term::Address(AddressField::Bcc, text) => keyed(f, "bcc", text),
        Term::Subject(text) => keyed(f, "subject", text),
        Term::Body(text) => keyed(f, "body", text),
        Term::Text(text) if is_bare(text) => f.write_str(text),
        Term::Text(text) => quoted(f, text),
        Term::List(None) => f.write_str("list:*"),
        Term::List(Some(text)) if text == "*" => f.write_str("list:\"*\""),
        Term::List(Some(text)) => keyed(f, "list", text),
        Term::Header(name, None) => keyed(f, "header", name),
        Term::Header(name, Some(text)) => keyed(f, "header", &format!("{name}={text}")),
        Term::Flag(flag, set) => state(f, flag, *set),
        Term::HasAttachment => f.write_str("has:attachment"),
        Term::In(name) => keyed(f, "in", name),
        Term::Larger(bytes) => write!(f, "larger:{bytes}"),
        Term::Smaller(bytes) => write!(f, "smaller:{bytes}"),
        Term::Newer(age) => write!(f, "newer:{age}"),
        Term::Older(age) => write!(f, "older:{age}"),
        Term::After(day) => write!(f, "after:{day}"),
        Term::Before(day) => write!(f, "before:{day}"),
        Term::On(day) => write!(f, "on:{day}"),
        Term::Label(name) => keyed(f, "label", name),
        Term::Thread(id) => keyed(f, "thread", id),
        Term::Raw(imap) => keyed(f, "raw", imap),
    }
}

fn state(f: &mut Formatter<'_>, flag: &Flag, set: bool) -> fmt::Result {
    match STATES.iter().find(|(_, f, s)| f == flag && *s == set) {
        Some((name, ..)) => write!(f, "is:{name}"),
        None => write!(f, "{}is:{flag}", if set { "" } else { "-" }),
    }
}

fn keyed(f: &mut Formatter<'_>, key: &str, text: &str) -> fmt::Result {
    write!(f, "{key}:")?;
    let is_word = !text.contains(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '|' | '"'));
    if is_word && !text.is_empty() { f.write_str(text) } else { quoted(f, text) }
}

/// Whether text stands for itself without quotes: nothing in it, and not as a whole, is syntax.
fn is_bare(text: &str) -> bool {
    let is_word = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '@' | '.' | '_' | '-'));
    let is_shouted = text.chars().all(|c| c.is_ascii_uppercase());
    is_word && !is_shouted && !text.starts_with('-')
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Hour => "h",
            Unit::Day => "d",
            Unit::Week => "w",
            Unit::Month => "mo",
            Unit::Year => "y",
        };
        write!(f, "{}{unit}", self.count)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Day::Today => f.write_str("today"),
            Day::Yesterday => f.write_str("yesterday"),
            Day::Date(date) => write!(f, "{date}"),
        }
    }
}
