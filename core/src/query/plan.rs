//! A query to IMAP SEARCH: what the server is asked, and what is left to look at afterwards.

use super::matcher::{Check, Letters, is_mailbox};
use super::moment::Window;
use super::{AddressField, Expr, Matcher, Query, Term};
use crate::error::{Code, MailError, Result};
use crate::imap::extension::{gmail, object_id};
use crate::imap::{Flag, SearchKey};
use jiff::civil::Date;
use jiff::{Span, Timestamp, Zoned};

/// How far the server's clock may be from ours, in seconds, where it is asked by age (WITHIN).
const CLOCKS: i64 = 2 * 3600;

/// What a server can search for, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchFacts {
    /// The mailbox searched; `in:` has to name it.
    pub mailbox: Option<String>,
    /// WITHIN (RFC 5032).
    pub within: bool,
    /// OBJECTID (RFC 8474), for `thread:`.
    pub object_id: bool,
    /// X-GM-EXT-1: labels, threads, and text matched by whole words.
    pub gmail: bool,
    /// Text is matched otherwise than by substrings (a full-text index).
    pub fuzzy_text: bool,
    /// Text beyond ASCII is refused (`BADCHARSET`).
    pub ascii_only: bool,
    /// The caller wants substrings whatever the server does: text that it matches otherwise is matched by us.
    pub exact: bool,
}

/// What to ask of a server and what to do with the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchPlan {
    /// To be sent. It finds every message that matches, and perhaps others.
    pub key: SearchKey,
    /// What those found still have to pass; its [`needs`](Matcher::needs) say what to fetch for it.
    pub residual: Option<Matcher>,
    /// Whether text is matched as this language says; a server with an index of words decides otherwise.
    pub exact: bool,
}

/// The error of a thread's id that nothing tells.
pub(crate) fn no_thread_id(id: &str) -> MailError {
    MailError::new(Code::QuerySyntax, format!("{id:?} is no id of a thread here"))
        .hint("Take the thread of a message, as it tells it")
}

impl Query {
    /// Plans a search. `now` is when the query began; its zone is the one that days are meant in.
    ///
    /// IMAP knows days only, of the server's own zone, so dates are asked for a day wider on either side and looked at
    /// again; attachments it knows nothing of.
    ///
    /// ```
    /// use mailtide::imap::{Flag, SearchKey};
    /// use mailtide::query::{Query, SearchFacts};
    ///
    /// let now = "2024-01-31T12:00:00+00:00[UTC]".parse().unwrap();
    /// let plan = Query::parse("is:unread has:attachment")?.plan(&now, &SearchFacts::default())?;
    /// assert_eq!(plan.key, SearchKey::Unflagged(Flag::SEEN));
    /// assert!(plan.residual.unwrap().needs().structure);
    /// # Ok::<(), mailtide::MailError>(())
    /// ```
    pub fn plan(&self, now: &Zoned, facts: &SearchFacts) -> Result<SearchPlan> {
        self.check()?;
        let planner = Planner { facts, now: now.timestamp().as_second(), zoned: now };
        let bounds = planner.bounds(&self.expr)?;
        let residual = planner.residual(&self.expr)?;
        if residual.as_ref().is_some_and(|m| m.expr.terms().iter().any(|c| matches!(c, Check::Term(Term::Raw(_))))) {
            return Err(MailError::new(
                Code::UsageArgument,
                "A raw search cannot be joined by OR with what the server cannot search for",
            ));
        }
        let key = match (&self.expr, bounds.over) {
            (Expr::Term(Term::Raw(raw)), _) => SearchKey::Raw(raw.clone()),
            (_, Bound::All) => SearchKey::All,
            (_, Bound::Nothing) => SearchKey::Not(Box::new(SearchKey::All)),
            (_, Bound::Key(key)) => key,
        };
        let is_fuzzy = facts.gmail || facts.fuzzy_text;
        let exact = facts.exact || !is_fuzzy || !self.expr.terms().iter().any(|term| is_text(term));
        Ok(SearchPlan { key, residual, exact })
    }
}

/// A search that finds at least what is meant, and one that finds at most that. Under a NOT they change places.
struct Bounds {
    over: Bound,
    under: Bound,
    /// Both are the same.
    is_exact: bool,
}

enum Bound {
    All,
    Nothing,
    Key(SearchKey),
}

impl Bounds {
    fn exact(key: SearchKey) -> Self {
        Self { over: Bound::Key(key.clone()), under: Bound::Key(key), is_exact: true }
    }

    /// The server knows nothing of it.
    fn unknown() -> Self {
        Self { over: Bound::All, under: Bound::Nothing, is_exact: false }
    }
}

impl Bound {
    fn and(bounds: Vec<Bound>) -> Bound {
        let mut keys = Vec::new();
        for bound in bounds {
            match bound {
                Bound::All => {}
                Bound::Nothing => return Bound::Nothing,
                Bound::Key(SearchKey::And(inner)) => keys.extend(inner),
                Bound::Key(key) => keys.push(key),
            }
        }
        match keys.len() {
            0 => Bound::All,
            1 => keys.pop().map_or(Bound::All, Bound::Key),
            _ => Bound::Key(SearchKey::And(keys)),
        }
    }

    fn or(bounds: Vec<Bound>) -> Bound {
        let mut keys = Vec::new();
        for bound in bounds {
            match bound {
                Bound::All => return Bound::All,
                Bound::Nothing => {}
                Bound::Key(key) => keys.push(key),
            }
        }
        if keys.is_empty() { Bound::Nothing } else { Bound::Key(SearchKey::any(keys)) }
    }

    fn negated(self) -> Bound {
        match self {
            Bound::All => Bound::Nothing,
            Bound::Nothing => Bound::All,
            Bound::Key(SearchKey::Not(key)) => Bound::Key(*key),
            Bound::Key(key) => Bound::Key(SearchKey::Not(Box::new(key))),
        }
    }
}

struct Planner<'a> {
    facts: &'a SearchFacts,
    /// Seconds since 1970.
    now: i64,
    zoned: &'a Zoned,
}

impl Planner<'_> {
    fn bounds(&self, expr: &Expr) -> Result<Bounds> {
        Ok(match expr {
            Expr::And(parts) => self.joined(parts, Bound::and)?,
            Expr::Or(parts) => self.joined(parts, Bound::or)?,
            Expr::Not(inner) => {
                let Bounds { over, under, is_exact } = self.bounds(inner)?;
                Bounds { over: under.negated(), under: over.negated(), is_exact }
            }
            Expr::Term(term) => self.term(term)?,
            Expr::TooDeep => Bounds::unknown(),
        })
    }

    fn joined(&self, parts: &[Expr], join: fn(Vec<Bound>) -> Bound) -> Result<Bounds> {
        let (mut over, mut under, mut is_exact) = (Vec::new(), Vec::new(), true);
        for part in parts {
            let bounds = self.bounds(part)?;
            over.push(bounds.over);
            under.push(bounds.under);
            is_exact &= bounds.is_exact;
        }
        Ok(Bounds { over: join(over), under: join(under), is_exact })
    }

    /// Of terms that must all match, those that the server answers exactly need no second look.
    fn residual(&self, expr: &Expr) -> Result<Option<Matcher>> {
        let parts = match expr {
            Expr::And(parts) => parts.as_slice(),
            other => std::slice::from_ref(other),
        };
        let mut left = Vec::new();
        for part in parts {
            if !self.bounds(part)?.is_exact {
                left.push(part.map(&mut |term| Check::new(term, self.zoned, Letters::Lower)));
            }
        }
        Ok(match left.len() {
            0 => None,
            1 => left.pop().map(|expr| Matcher { expr, letters: Letters::Lower }),
            _ => Some(Matcher { expr: Expr::And(left), letters: Letters::Lower }),
        })
    }

    fn term(&self, term: &Term) -> Result<Bounds> {
        if let Some(window) = Window::of(term, self.zoned) {
            return Ok(self.received(window));
        }
        Ok(match term {
            Term::Address(AddressField::From, text) => self.text(SearchKey::From, text),
            Term::Address(AddressField::To, text) => self.text(SearchKey::To, text),
            Term::Address(AddressField::Cc, text) => self.text(SearchKey::Cc, text),
            Term::Address(AddressField::Bcc, text) => self.text(SearchKey::Bcc, text),
            Term::Subject(text) => self.text(SearchKey::Subject, text),
            Term::Body(text) => self.text(SearchKey::Body, text),
            Term::Text(text) => self.text(SearchKey::Text, text),
            Term::List(text) => self.header("List-Id", text.as_deref()),
            Term::Header(name, text) => self.header(name, text.as_deref()),
            Term::Flag(flag, true) => Bounds::exact(SearchKey::Flagged(flag.clone())),
            Term::Flag(flag, false) => Bounds::exact(SearchKey::Unflagged(flag.clone())),
            Term::In(name) => self.mailbox(name)?,
            Term::Larger(bytes) => Bounds::exact(SearchKey::Larger(*bytes)),
            Term::Smaller(bytes) => Bounds::exact(SearchKey::Smaller(*bytes)),
            Term::Label(name) => self.label(name)?,
            Term::Thread(id) => self.thread(id)?,
            // In parentheses, since it may be several keys.
            Term::Raw(raw) => Bounds::exact(SearchKey::Raw(format!("({raw})"))),
            _ => Bounds::unknown(),
        })
    }

    fn text(&self, key: fn(String) -> SearchKey, text: &str) -> Bounds {
        let is_fuzzy = self.facts.gmail || self.facts.fuzzy_text;
        if self.facts.ascii_only && !text.is_ascii() || self.facts.exact && is_fuzzy {
            return Bounds::unknown();
        }
        Bounds::exact(key(text.to_owned()))
    }

    fn header(&self, name: &str, text: Option<&str>) -> Bounds {
        match text {
            Some(text) => {
                let Bounds { over, under, is_exact } = self.text(|text| SearchKey::Header(String::new(), text), text);
                let named = |bound| match bound {
                    Bound::Key(SearchKey::Header(_, text)) => Bound::Key(SearchKey::Header(name.to_owned(), text)),
                    other => other,
                };
                Bounds { over: named(over), under: named(under), is_exact }
            }
            None => Bounds::exact(SearchKey::Header(name.to_owned(), String::new())),
        }
    }

    /// A session searches one mailbox at a time; finding nothing because it was the wrong one would be an answer to
    /// another question.
    fn mailbox(&self, name: &str) -> Result<Bounds> {
        match &self.facts.mailbox {
            Some(mailbox) if is_mailbox(mailbox, name) => {
                Ok(Bounds { over: Bound::All, under: Bound::All, is_exact: true })
            }
            _ => Err(MailError::new(Code::QuerySyntax, format!("This search is not in {name:?}"))
                .hint("A live search goes through one mailbox; leave in: out, or search that mailbox")),
        }
    }

    fn label(&self, name: &str) -> Result<Bounds> {
        if self.facts.gmail {
            return Ok(Bounds::exact(SearchKey::GmRaw(format!("label:\"{}\"", name.replace('"', "")))));
        }
        let flag = Flag::from_server(name.as_bytes());
        if flag.is_writable() && !flag.is_system() {
            return Ok(Bounds::exact(SearchKey::Flagged(flag)));
        }
        Err(MailError::new(Code::QuerySyntax, format!("{name:?} cannot be a label here"))
            .hint("This server has keywords, not labels: one word of ASCII"))
    }

    fn thread(&self, id: &str) -> Result<Bounds> {
        let key = match (self.facts.object_id, self.facts.gmail) {
            (true, _) => object_id::valid(id.as_bytes()).map(|id| SearchKey::ThreadId(id.to_owned())),
            (false, true) => gmail::read_id(id).map(SearchKey::GmThreadId),
            (false, false) => {
                return Err(MailError::new(Code::ServerUnsupported, "The server has no thread ids to search for"));
            }
        };
        key.map(Bounds::exact).ok_or_else(|| no_thread_id(id))
    }

    /// The zone of the server's days is unknown, up to 14 hours either way.
    fn received(&self, window: Window) -> Bounds {
        let Window { from, until } = window;
        let over = vec![self.since(from, -1, CLOCKS), self.before(until, 2, CLOCKS)];
        let under = vec![self.since(from, 2, -CLOCKS), self.before(until, -1, -CLOCKS)];
        let bound =
            |bound: Option<Option<SearchKey>>, other| bound.map_or(Bound::All, |key| key.map_or(other, Bound::Key));
        let over = over.into_iter().map(|b| bound(b, Bound::All)).collect();
        let under = under.into_iter().map(|b| bound(b, Bound::Nothing)).collect();
        Bounds { over: Bound::and(over), under: Bound::and(under), is_exact: false }
    }

    /// `None` where there is no bound; `Some(None)` where there is one that cannot be asked for.
    fn since(&self, from: i64, days: i64, clocks: i64) -> Option<Option<SearchKey>> {
        if from == i64::MIN {
            return None;
        }
        match self.seconds_ago(from, clocks) {
            Some(ago) => Some(Some(SearchKey::Younger(ago))),
            None => Some(day(from, days).map(SearchKey::Since)),
        }
    }

    fn before(&self, until: i64, days: i64, clocks: i64) -> Option<Option<SearchKey>> {
        if until == i64::MAX {
            return None;
        }
        match self.seconds_ago(until, -clocks) {
            Some(ago) => Some(Some(SearchKey::Older(ago))),
            None => Some(day(until, days).map(SearchKey::Before)),
        }
    }

    /// The age for WITHIN, which has 32 bits for it. The moment must lie further back than clocks may differ.
    fn seconds_ago(&self, moment: i64, clocks: i64) -> Option<u64> {
        let ago = self.now.checked_sub(moment)?.checked_add(clocks)?;
        let is_past = ago > CLOCKS && self.facts.within;
        u32::try_from(ago).ok().filter(|_| is_past).map(u64::from)
    }
}

fn is_text(term: &Term) -> bool {
    matches!(
        term,
        Term::Address(..)
            | Term::Subject(_)
            | Term::Body(_)
            | Term::Text(_)
            | Term::List(Some(_))
            | Term::Header(_, Some(_))
    )
}

/// The UTC day of a moment, so many days on, where IMAP can write it: four digits of a year in which there was mail.
fn day(moment: i64, days: i64) -> Option<Date> {
    let utc = Timestamp::from_second(moment).ok()?.to_zoned(jiff::tz::TimeZone::UTC).date();
    let day = utc.checked_add(Span::new().days(days)).ok()?;
    (1970..=9998).contains(&day.year()).then_some(day)
}

#[cfg(test)]
mod tests;
