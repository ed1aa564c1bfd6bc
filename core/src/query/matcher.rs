//! A query against a message in hand.

use super::moment::Window;
use super::{AddressField, Expr, Query, Term, fold};
use crate::error::Result;
use crate::imap::Flag;
use jiff::Zoned;
use std::borrow::Cow;

/// What a query asks of a message. `None` is "not at hand", which is not the same as empty.
pub trait Candidate {
    /// Flags and keywords.
    fn flags(&self) -> Option<&[Flag]> {
        None
    }

    /// Labels, where the server has them; keywords serve where it has not.
    fn labels(&self) -> Option<Vec<Cow<'_, str>>> {
        None
    }

    /// INTERNALDATE, in seconds since 1970 (UTC).
    fn received(&self) -> Option<i64> {
        None
    }

    /// RFC822.SIZE, in bytes.
    fn size(&self) -> Option<u64> {
        None
    }

    /// All addresses of a field as text: `Ada <ada@example.org>, …`, decoded.
    fn addresses(&self, _field: AddressField) -> Option<Cow<'_, str>> {
        None
    }

    /// The subject, decoded.
    fn subject(&self) -> Option<Cow<'_, str>> {
        None
    }

    /// The values of a header field, decoded; empty where the message has none.
    fn header(&self, _name: &str) -> Option<Vec<Cow<'_, str>>> {
        None
    }

    /// The whole header, decoded.
    fn header_text(&self) -> Option<Cow<'_, str>> {
        None
    }

    /// The text of the message, decoded.
    fn body(&self) -> Option<Cow<'_, str>> {
        None
    }

    /// Whether something is attached.
    fn has_attachment(&self) -> Option<bool> {
        None
    }

    /// The mailbox's name.
    fn mailbox(&self) -> Option<&str> {
        None
    }

    /// The thread's id.
    fn thread(&self) -> Option<&str> {
        None
    }
}

/// What has to be fetched of a message before it can be matched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// FLAGS, and labels where there are any.
    pub flags: bool,
    /// INTERNALDATE.
    pub received: bool,
    /// RFC822.SIZE.
    pub size: bool,
    /// ENVELOPE.
    pub envelope: bool,
    /// BODYSTRUCTURE.
    pub structure: bool,
    /// The header.
    pub header: bool,
    /// The text.
    pub body: bool,
    /// THREADID.
    pub thread: bool,
}

/// A query made ready for matching: ages and days are moments, text is in lower case.
///
/// ```
/// use mailtide::query::{Candidate, Query};
///
/// struct Mail(&'static str, u64);
///
/// impl Candidate for Mail {
///     fn subject(&self) -> Option<std::borrow::Cow<'_, str>> {
///         Some(self.0.into())
///     }
///     fn size(&self) -> Option<u64> {
///         Some(self.1)
///     }
/// }
///
/// let matcher = Query::parse("subject:moth larger:1K")?.matcher(&jiff::Zoned::now())?;
/// assert_eq!(matcher.matches(&Mail("Re: MOTH", 2000)), Some(true));
/// assert_eq!(matcher.matches(&Mail("Re: MOTH", 1000)), Some(false));
/// # Ok::<(), mailtide::MailError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Matcher {
    pub(super) expr: Expr<Check>,
    pub(super) letters: Letters,
}

/// How letters are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letters {
    /// In lower case.
    Lower,
    /// Folded ([`fold`]), as the candidate gives them already.
    Folded,
}

impl Letters {
    fn of(self, text: &str) -> String {
        match self {
            Letters::Lower => text.to_lowercase(),
            Letters::Folded => fold(text),
        }
    }

    /// `text` was made ready before.
    fn has(self, found: &str, text: &str) -> bool {
        match self {
            Letters::Lower => found.to_lowercase().contains(text),
            Letters::Folded => memchr::memmem::find(found.as_bytes(), text.as_bytes()).is_some(),
        }
    }
}

/// A term made ready.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Check {
    Received(Window),
    /// Its text is in lower case, or folded.
    Term(Term),
}

impl Query {
    /// Makes the query ready for matching. `now` is when the query began; its zone is the one that days are meant in.
    pub fn matcher(&self, now: &Zoned) -> Result<Matcher> {
        self.matching(now, Letters::Lower)
    }

    /// The same for mail held here, where accents and the kind of white space do not count: the candidate has to give its
    /// texts folded by [`fold`].
    pub fn folded_matcher(&self, now: &Zoned) -> Result<Matcher> {
        self.matching(now, Letters::Folded)
    }

    fn matching(&self, now: &Zoned, letters: Letters) -> Result<Matcher> {
        self.check()?;
        Ok(Matcher { expr: self.expr.map(&mut |term| Check::new(term, now, letters)), letters })
    }
}

impl Matcher {
    /// Whether the message matches; `None` where that hangs on something that is not at hand, or on
    /// [`Query::raw`], which only a server understands.
    #[must_use]
    pub fn matches(&self, message: &impl Candidate) -> Option<bool> {
        decide(&self.expr, &mut |check| check.matches(message, self.letters))
    }

    /// What has to be at hand for that.
    #[must_use]
    pub fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        self.expr.terms().into_iter().for_each(|check| check.add_needs(&mut needs));
        needs
    }
}

/// What the terms say of a whole; `None` is unknown.
pub(super) fn decide<T>(expr: &Expr<T>, says: &mut impl FnMut(&T) -> Option<bool>) -> Option<bool> {
    match expr {
        Expr::And(parts) => all(parts.iter().map(|part| decide(part, says))),
        Expr::Or(parts) => all(parts.iter().map(|part| decide(part, says).map(|m| !m))).map(|none| !none),
        Expr::Not(inner) => decide(inner, says).map(|m| !m),
        Expr::Term(term) => says(term),
        Expr::TooDeep => None,
    }
}

/// One `false` decides, whatever is unknown.
pub(crate) fn all(results: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = Some(true);
    for result in results {
        match result {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = None,
        }
    }
    known
}

impl Check {
    pub(super) fn new(term: &Term, now: &Zoned, letters: Letters) -> Self {
        let lower = |text: &String| letters.of(text);
        match Window::of(term, now) {
            Some(window) => Check::Received(window),
            None => Check::Term(match term {
                Term::Address(field, text) => Term::Address(*field, lower(text)),
                Term::Subject(text) => Term::Subject(lower(text)),
                Term::Body(text) => Term::Body(lower(text)),
                Term::Text(text) => Term::Text(lower(text)),
                Term::List(text) => Term::List(text.as_ref().map(lower)),
                Term::Header(name, text) => Term::Header(name.clone(), text.as_ref().map(lower)),
                other => other.clone(),
            }),
        }
    }

    pub(super) fn matches(&self, message: &impl Candidate, letters: Letters) -> Option<bool> {
        match self {
            Check::Received(window) => message.received().map(|received| window.has(received)),
            Check::Term(term) => term_matches(term, message, letters),
        }
    }

    fn add_needs(&self, needs: &mut Needs) {
        let need = match self {
            Check::Received(_) => &mut needs.received,
            Check::Term(term) => match term {
                Term::Flag(..) | Term::Label(_) => &mut needs.flags,
                Term::Larger(_) | Term::Smaller(_) => &mut needs.size,
                Term::Address(..) | Term::Subject(_) => &mut needs.envelope,
                Term::HasAttachment => &mut needs.structure,
                Term::List(_) | Term::Header(..) => &mut needs.header,
                Term::Thread(_) => &mut needs.thread,
                Term::Text(_) => {
                    needs.header = true;
                    &mut needs.body
                }
                Term::Body(_) => &mut needs.body,
                _ => return,
            },
        };
        *need = true;
    }
}

fn term_matches(term: &Term, message: &impl Candidate, letters: Letters) -> Option<bool> {
    let has = |found: &str, text: &str| letters.has(found, text);
    match term {
        Term::Address(field, text) => message.addresses(*field).map(|found| has(&found, text)),
        Term::Subject(text) => message.subject().map(|found| has(&found, text)),
        Term::Body(text) => message.body().map(|found| has(&found, text)),
        Term::Text(text) => match message.header_text().map(|found| has(&found, text)) {
            Some(true) => Some(true),
            header => message.body().map(|found| has(&found, text)).and_then(|m| if m { Some(true) } else { header }),
        },
        Term::List(text) => field_matches(message, "List-Id", text.as_deref(), letters),
        Term::Header(name, text) => field_matches(message, name, text.as_deref(), letters),
        Term::Flag(flag, set) => message.flags().map(|flags| has_flag(flags, flag.as_str()) == *set),
        Term::HasAttachment => message.has_attachment(),
        Term::In(name) => message.mailbox().map(|mailbox| is_mailbox(mailbox, name)),
        Term::Larger(bytes) => message.size().map(|size| size > *bytes),
        Term::Smaller(bytes) => message.size().map(|size| size < *bytes),
        Term::Label(name) => match message.labels() {
            Some(labels) => Some(labels.iter().any(|label| label.to_lowercase() == name.to_lowercase())),
            None => message.flags().map(|flags| has_flag(flags, name)),
        },
        Term::Thread(id) => message.thread().map(|thread| thread == id),
        _ => None,
    }
}

fn field_matches(message: &impl Candidate, name: &str, text: Option<&str>, letters: Letters) -> Option<bool> {
    let values = message.header(name)?;
    Some(values.iter().any(|value| text.is_none_or(|text| letters.has(value, text))))
}

/// Flags have no case (RFC 9051 section 2.3.2).
fn has_flag(flags: &[Flag], flag: &str) -> bool {
    flags.iter().any(|f| f.as_str().eq_ignore_ascii_case(flag))
}

/// INBOX has no case (RFC 9051 section 5.1), every other name has.
pub(super) fn is_mailbox(mailbox: &str, name: &str) -> bool {
    mailbox == name || mailbox.eq_ignore_ascii_case("INBOX") && name.eq_ignore_ascii_case("INBOX")
}

#[cfg(test)]
mod tests;
