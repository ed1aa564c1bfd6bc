//! A query over mail held here: which messages an index of words can name for it, what their rows say, and what is left
//! to look at in the text.
//!
//! The answer is always that of the [`Matcher`] on the whole message. The index only spares looking: a term whose words a
//! message has not got cannot match, and a single word ([`wanted`]'s proof) needs no look at the text at all.

use super::matcher::{Check, Letters, decide};
use super::moment::Window;
use super::{AddressField, Candidate, Edge, Expr, Matcher, Query, Term, Wanted, wanted, wanted_seams};
use crate::error::{Code, MailError, Result};
use crate::imap::Flag;
use jiff::Zoned;

/// A part of a message whose words are indexed apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Field {
    /// The subject.
    Subject = 1,
    /// Names and addresses of `From`.
    From = 2,
    /// Of `To`.
    To = 3,
    /// Of `Cc`.
    Cc = 4,
    /// Of `Bcc`.
    Bcc = 5,
    /// `List-Id`.
    List = 6,
    /// The text.
    Body = 7,
    /// No text of the message, but words for what it has: `attachment`, `list`.
    Traits = 8,
}

impl Field {
    /// The word of [`Field::Traits`] for a message to which something is attached.
    pub const ATTACHMENT: &'static str = "attachment";
    /// The word for one that has a `List-Id`.
    pub const LISTED: &'static str = "list";

    /// All that is text.
    pub const ALL: &'static [Field] =
        &[Field::Subject, Field::From, Field::To, Field::Cc, Field::Bcc, Field::List, Field::Body];
}

/// A term that is looked up in the index of words.
#[derive(Clone, Debug, PartialEq)]
pub struct WordTerm {
    /// Any of these fields may have it.
    pub fields: &'static [Field],
    /// The message must have a word for each of these. Never empty.
    pub wanted: Vec<Wanted>,
    /// Whether having them is proof that the term matches. Not having one is always proof that it does not.
    pub is_proof: bool,
    /// Seams ([`tokens`](super::tokens)) that every match has.
    pub seams: Vec<Wanted>,
    /// Whether having these in one field is proof that the term matches.
    pub are_seams_proof: bool,
}

/// Which messages can match, as far as the index of words knows.
#[derive(Clone, Debug, PartialEq)]
pub enum Candidates {
    /// Any.
    All,
    /// Those that have the words of the term with this number.
    Words(usize),
    /// Those in all of these.
    And(Vec<Candidates>),
    /// Those in any of these.
    Or(Vec<Candidates>),
}

/// What every match must be, read from its row; for a store to narrow what it goes through.
#[derive(Clone, Debug, PartialEq)]
pub enum Facet {
    /// With the flag, or without it.
    Flag(Flag, bool),
    /// Received at the first or later and before the second, in seconds since 1970 (UTC); the extremes of `i64` are no
    /// bound.
    Received(i64, i64),
    /// Of more bytes.
    Larger(u64),
    /// Of fewer bytes.
    Smaller(u64),
    /// In the mailbox of that name.
    In(String),
    /// Of that thread, as it is told.
    Thread(String),
}

/// A query made ready for mail held here.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexPlan {
    matcher: Matcher,
    /// The matcher's terms, each with its number in `words` where it has one.
    expr: Expr<(Check, Option<usize>)>,
    words: Vec<WordTerm>,
}

impl Query {
    /// Plans a search of mail held here. `now` is when the query began; its zone is the one that days are meant in.
    ///
    /// [`Query::raw`] is refused ([`Code::UsageArgument`]): only a server understands it.
    ///
    /// ```
    /// use mailtide::query::{Candidates, Query};
    ///
    /// let now = "2024-01-31T12:00:00+00:00[UTC]".parse().unwrap();
    /// let plan = Query::parse("from:ada \"race conditions\" is:unread")?.index_plan(&now)?;
    /// assert_eq!(plan.candidates(), Candidates::And(vec![Candidates::Words(0), Candidates::Words(1)]));
    /// assert!(plan.words()[0].is_proof && !plan.words()[1].is_proof);
    /// assert_eq!(plan.facets().len(), 1);
    /// # Ok::<(), mailtide::MailError>(())
    /// ```
    pub fn index_plan(&self, now: &Zoned) -> Result<IndexPlan> {
        let matcher = self.folded_matcher(now)?;
        if matcher.expr.terms().iter().any(|check| matches!(check, Check::Term(Term::Raw(_)))) {
            return Err(MailError::new(Code::UsageArgument, "A raw search is for a live server only"));
        }
        let mut words = Vec::new();
        let expr = matcher.expr.map(&mut |check| {
            let number = word_term(check).map(|term| {
                words.push(term);
                words.len() - 1
            });
            (check.clone(), number)
        });
        Ok(IndexPlan { matcher, expr, words })
    }
}

impl IndexPlan {
    /// Decides on a whole message, its texts folded.
    #[must_use]
    pub fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    /// What is to be looked up.
    #[must_use]
    pub fn words(&self) -> &[WordTerm] {
        &self.words
    }

    /// Which messages can match at all.
    #[must_use]
    pub fn candidates(&self) -> Candidates {
        candidates(&self.expr)
    }

    /// What every match must be.
    #[must_use]
    pub fn facets(&self) -> Vec<Facet> {
        let parts = match &self.expr {
            Expr::And(parts) => parts.as_slice(),
            other => std::slice::from_ref(other),
        };
        parts.iter().filter_map(facet).collect()
    }

    /// The threads that it asks about, wherever in the query.
    #[must_use]
    pub fn threads(&self) -> Vec<&str> {
        self.matcher.expr.terms().into_iter().filter_map(thread).collect()
    }

    /// What a message's row and the index decide, without its text: `row` gives what is at hand, `proves` what the index
    /// has proven of a term for it, `None` where it cannot. `None`: the text has to be looked at.
    #[must_use]
    pub fn decide(&self, row: &impl Candidate, proves: impl Fn(usize) -> Option<bool>) -> Option<bool> {
        decide(&self.expr, &mut |(check, number)| {
            number.and_then(&proves).or_else(|| check.matches(row, Letters::Folded))
        })
    }
}

fn thread(check: &Check) -> Option<&str> {
    match check {
        Check::Term(Term::Thread(id)) => Some(id),
        _ => None,
    }
}

fn candidates(expr: &Expr<(Check, Option<usize>)>) -> Candidates {
    match expr {
        Expr::Term((_, Some(number))) => Candidates::Words(*number),
        Expr::And(parts) => {
            let mut known: Vec<_> = parts.iter().map(candidates).filter(|part| *part != Candidates::All).collect();
            match known.len() {
                0 => Candidates::All,
                1 => known.pop().unwrap_or(Candidates::All),
                _ => Candidates::And(known),
            }
        }
        Expr::Or(parts) => {
            let parts: Vec<_> = parts.iter().map(candidates).collect();
            if parts.contains(&Candidates::All) { Candidates::All } else { Candidates::Or(parts) }
        }
        _ => Candidates::All,
    }
}

fn facet(expr: &Expr<(Check, Option<usize>)>) -> Option<Facet> {
    let (check, is_set) = match expr {
        Expr::Term((check, _)) => (check, true),
        Expr::Not(inner) => match &**inner {
            Expr::Term((check, _)) => (check, false),
            _ => return None,
        },
        _ => return None,
    };
    Some(match check {
        Check::Term(Term::Flag(flag, set)) => Facet::Flag(flag.clone(), *set == is_set),
        _ if !is_set => return None,
        Check::Received(Window { from, until }) => Facet::Received(*from, *until),
        Check::Term(Term::Larger(bytes)) => Facet::Larger(*bytes),
        Check::Term(Term::Smaller(bytes)) => Facet::Smaller(*bytes),
        Check::Term(Term::In(name)) => Facet::In(name.clone()),
        Check::Term(Term::Thread(id)) => Facet::Thread(id.clone()),
        Check::Term(_) => return None,
    })
}

/// The text of a check is folded already.
fn word_term(check: &Check) -> Option<WordTerm> {
    let Check::Term(term) = check else { return None };
    let (fields, text): (&'static [Field], &str) = match term {
        Term::Address(AddressField::From, text) => (&[Field::From], text),
        Term::Address(AddressField::To, text) => (&[Field::To], text),
        Term::Address(AddressField::Cc, text) => (&[Field::Cc], text),
        Term::Address(AddressField::Bcc, text) => (&[Field::Bcc], text),
        Term::Subject(text) => (&[Field::Subject], text),
        Term::Body(text) => (&[Field::Body], text),
        Term::Text(text) => (Field::ALL, text),
        Term::List(Some(text)) => (&[Field::List], text),
        Term::List(None) => return Some(trait_term(Field::LISTED)),
        Term::HasAttachment => return Some(trait_term(Field::ATTACHMENT)),
        _ => return None,
    };
    let (wanted, is_proof) = wanted(text);
    let (seams, are_seams_proof) = wanted_seams(text);
    (!wanted.is_empty()).then_some(WordTerm { fields, wanted, is_proof, seams, are_seams_proof })
}

fn trait_term(word: &str) -> WordTerm {
    let wanted = vec![Wanted { text: word.to_owned(), edge: Edge::Whole }];
    WordTerm { fields: &[Field::Traits], wanted, is_proof: true, seams: Vec::new(), are_seams_proof: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    fn plan(text: &str) -> IndexPlan {
        Query::parse(text).unwrap().index_plan(&"2024-01-31T12:00:00+00:00[UTC]".parse().unwrap()).unwrap()
    }

    #[test]
    fn what_the_index_cannot_know_may_be_anything() {
        use Candidates::{All, And, Or, Words};
        for (text, expected) in [
            ("moth", Words(0)),
            ("moth is:unread", Words(0)),
            ("moth OR is:unread", All),
            ("-moth", All),
            ("-moth bug", Words(1)),
            ("from:(ada|grace) bug", And(vec![Or(vec![Words(0), Words(1)]), Words(2)])),
            ("\"--\"", All),
            ("\"--\" bug", Words(0)),
            ("header:Received=moth", All),
            ("list:*", Words(0)),
            ("has:attachment", Words(0)),
            ("list:news", Words(0)),
        ] {
            assert_eq!(plan(text).candidates(), expected, "{text}");
        }
    }

    #[test]
    fn facets_are_what_every_match_must_be() {
        assert_eq!(plan("is:unread moth larger:5").facets(), [Facet::Flag(Flag::SEEN, false), Facet::Larger(5)]);
        assert_eq!(plan("-is:unread").facets(), [Facet::Flag(Flag::SEEN, true)]);
        assert_eq!(plan("in:A OR is:unread").facets(), []);
        assert_eq!(plan("-larger:5").facets(), []);
        assert_eq!(plan("on:2024-01-30").facets(), [Facet::Received(1_706_572_800, 1_706_659_200)]);
    }

    #[test]
    fn a_raw_search_is_refused() {
        let query = Query::raw("KEYWORD x") | Query::unread();
        let error = query.index_plan(&Zoned::now()).unwrap_err();
        assert_eq!(error.code(), Code::UsageArgument);
    }

    struct Row;

    impl Candidate for Row {
        fn size(&self) -> Option<u64> {
            Some(1000)
        }
        fn subject(&self) -> Option<Cow<'_, str>> {
            Some("the moth".into())
        }
    }

    #[test]
    fn rows_and_words_decide_as_far_as_they_can() {
        for (text, proves, decided) in [
            ("body:moth", Some(true), Some(true)),
            ("body:moth", Some(false), Some(false)),
            ("body:moth", None, None),
            ("-body:moth", Some(false), Some(true)),
            ("body:\"the moth\"", None, None),
            ("body:\"the moth\"", Some(false), Some(false)),
            ("subject:\"the moth\"", None, Some(true)),
            ("subject:\"moth the\"", None, Some(false)),
            ("subject:moth", None, Some(true)),
            ("body:moth larger:5000", None, Some(false)),
            ("body:moth OR larger:5", None, Some(true)),
            ("is:unread", None, None),
        ] {
            assert_eq!(plan(text).decide(&Row, |_| proves), decided, "{text}");
        }
    }
}
