//! Tokens to a query, by the grammar in the module's header.

use super::ast::DEEPEST;
use super::lexer::{Kind, Text, Token, error, tokens};
use super::values::{self, Value};
use super::{Expr, Query, Term};
use crate::error::{Code, MailError, Result};
use std::str::FromStr;

/// Deepest parentheses. Each may add a negation and an `And` to the depth of the query itself.
const PARENTHESES: usize = (DEEPEST - 2) / 3;

impl Query {
    /// Parses a query; what is none is [`Code::QuerySyntax`] with its position, in characters, and a hint.
    pub fn parse(text: &str) -> Result<Self> {
        Self::template(&[text], &[])
    }

    /// Parses a query with values put in: `parts[0]`, `values[0]`, `parts[1]`, and so on. Whatever a value holds, it is
    /// text to look for and never syntax.
    ///
    /// ```
    /// use mailtide::query::Query;
    ///
    /// let who = "ada OR is:deleted)";
    /// assert_eq!(Query::template(&["from:", " is:unread"], &[who])?, Query::from_(who) & Query::unread());
    /// # Ok::<(), mailtide::MailError>(())
    /// ```
    pub fn template(parts: &[&str], values: &[&str]) -> Result<Self> {
        if values.len() >= parts.len().max(1) {
            return Err(MailError::new(Code::UsageArgument, "A query template has one value between two parts each"));
        }
        let tokens = tokens(parts, values)?;
        let end = parts.iter().chain(values).map(|piece| piece.chars().count()).sum();
        let mut parser = Parser { tokens: &tokens, at: 0, end };
        if tokens.is_empty() {
            return Err(error("The query is empty", 0).hint("Give no query at all to select every message"));
        }
        let expr = parser.query(PARENTHESES)?;
        match parser.next() {
            None => Ok(Self { expr }),
            Some(token) => Err(stray(token)),
        }
    }
}

impl FromStr for Query {
    type Err = MailError;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    end: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<&'a Token> {
        let token = self.peek();
        self.at += usize::from(token.is_some());
        token
    }

    fn query(&mut self, depth: usize) -> Result<Expr> {
        let mut alternatives = vec![self.and(depth)?];
        while self.peek().is_some_and(is_or) {
            self.at += 1;
            alternatives.push(self.and(depth)?);
        }
        Ok(Expr::or(alternatives))
    }

    fn and(&mut self, depth: usize) -> Result<Expr> {
        let mut terms = vec![self.term(depth)?];
        while let Some(token) = self.peek().filter(|token| !is_or(token) && token.kind != Kind::Close) {
            if !token.spaced && token.kind != Kind::Open && !self.follows_close() {
                return Err(stray(token));
            }
            terms.push(self.term(depth)?);
        }
        Ok(Expr::and(terms))
    }

    fn follows_close(&self) -> bool {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).is_some_and(|t| t.kind == Kind::Close)
    }

    fn term(&mut self, depth: usize) -> Result<Expr> {
        let Some(token) = self.next() else { return Err(error("A term is missing", self.end)) };
        match &token.kind {
            Kind::Minus => self.negated(token, depth),
            Kind::Open => self.group(token, depth),
            Kind::Key(key) => self.keyed(key, token.at),
            Kind::Quoted(text) => Ok(Expr::Term(text_term(text, token.at)?)),
            Kind::Word(_) if is_or(token) => Err(stray(token)),
            Kind::Word(text) => {
                values::refuse_imap(text, token.at)?;
                Ok(Expr::Term(text_term(text, token.at)?))
            }
            Kind::Close | Kind::Bar => Err(stray(token)),
        }
    }

    fn negated(&mut self, minus: &Token, depth: usize) -> Result<Expr> {
        match self.peek() {
            Some(token) if !token.spaced && token.kind != Kind::Minus => Ok(self.term(depth)?.negated()),
            _ => Err(error("Nothing is negated by this -", minus.at).hint("Quote it to look for it: \"-\"")),
        }
    }

    fn group(&mut self, open: &Token, depth: usize) -> Result<Expr> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(error(format!("Parentheses go {PARENTHESES} deep at most"), open.at));
        };
        let inner = self.query(depth)?;
        match self.next() {
            Some(token) if token.kind == Kind::Close => Ok(inner),
            Some(token) => Err(stray(token)),
            None => Err(error("The parenthesis is never closed", open.at)),
        }
    }

    /// What follows `key:`, without a space between.
    fn keyed(&mut self, key: &str, at: usize) -> Result<Expr> {
        let key = values::key(key, at)?;
        let token = self.next().filter(|token| !token.spaced);
        match token.map(|token| (&token.kind, token.at)) {
            Some((Kind::Word(text), at)) => Ok(Expr::Term(key.term(&Value { text, is_quoted: false, at })?)),
            Some((Kind::Quoted(text), at)) => Ok(Expr::Term(key.term(&Value { text, is_quoted: true, at })?)),
            Some((Kind::Open, open)) => self.choice(key, open),
            _ => {
                Err(error("A value is missing after the colon", at)
                    .hint("There is no space between a key and its value"))
            }
        }
    }

    /// `(a|"b c")`
    fn choice(&mut self, key: values::Key, open: usize) -> Result<Expr> {
        let mut choices = Vec::new();
        loop {
            choices.push(match self.next().map(|token| (&token.kind, token.at)) {
                Some((Kind::Word(text), at)) => Expr::Term(key.term(&Value { text, is_quoted: false, at })?),
                Some((Kind::Quoted(text), at)) => Expr::Term(key.term(&Value { text, is_quoted: true, at })?),
                Some((_, at)) => return Err(error("A word or a quoted text belongs here", at)),
                None => return Err(error("The parenthesis is never closed", open)),
            });
            match self.next().map(|token| (&token.kind, token.at)) {
                Some((Kind::Bar, _)) => {}
                Some((Kind::Close, _)) => return Ok(Expr::or(choices)),
                Some((_, at)) => return Err(error("A | or ) belongs here", at).hint("Text with spaces is quoted")),
                None => return Err(error("The parenthesis is never closed", open)),
            }
        }
    }
}

fn is_or(token: &Token) -> bool {
    matches!(&token.kind, Kind::Word(text) if text.text == "OR" && text.is_plain())
}

fn text_term(text: &Text, at: usize) -> Result<Term> {
    if text.text.is_empty() {
        Err(error("The text to look for is empty", at))
    } else {
        Ok(Term::Text(text.text.clone()))
    }
}

fn stray(token: &Token) -> MailError {
    match token.kind {
        Kind::Close => error("This parenthesis was never opened", token.at),
        Kind::Bar => error("A | stands only between values: from:(a|b)", token.at).hint("Between terms it is OR"),
        Kind::Word(_) if is_or(token) => error("A term is missing beside this OR", token.at).hint("Quote it: \"OR\""),
        _ => error("A space is missing before this", token.at),
    }
}

#[cfg(test)]
mod tests;
