//! Text to tokens. A value that was put in by a program counts as letters only, whatever is in it.

use crate::error::{Code, MailError, Result};

/// Longest query, in characters.
const LONGEST: usize = 64 * 1024;

/// A character, and whether it came as a value.
#[derive(Clone, Copy, Debug)]
struct Char {
    c: char,
    is_value: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// In characters, from 0.
    pub(super) at: usize,
    /// Whether white space stands before it.
    pub(super) spaced: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Open,
    Close,
    Bar,
    Minus,
    /// A key with its colon.
    Key(String),
    Word(Text),
    Quoted(Text),
}

/// Text of a query. `plain` is how many of its first characters were written in the query itself rather than put in.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) plain: usize,
}

impl Text {
    fn push(&mut self, char: Char) {
        if !char.is_value && self.plain == self.text.len() {
            self.plain += char.c.len_utf8();
        }
        self.text.push(char.c);
    }

    /// Whether all of it was written in the query: only then can it mean anything but itself.
    pub(super) fn is_plain(&self) -> bool {
        self.plain == self.text.len()
    }
}

pub(super) fn error(message: impl Into<String>, at: usize) -> MailError {
    MailError::new(Code::QuerySyntax, message).at(at)
}

/// Tokens of `parts` with `values` in between.
pub(super) fn tokens(parts: &[&str], values: &[&str]) -> Result<Vec<Token>> {
    let chars = chars(parts, values)?;
    let mut lexer = Lexer { chars: &chars, at: 0 };
    let mut out: Vec<Token> = Vec::new();
    loop {
        let spaced = lexer.skip_spaces();
        let at = lexer.at;
        let after_key = !spaced && matches!(out.last(), Some(Token { kind: Kind::Key(_), .. }));
        match lexer.token(after_key)? {
            Some(kind) => out.push(Token { kind, at, spaced }),
            None => return Ok(out),
        }
    }
}

fn chars(parts: &[&str], values: &[&str]) -> Result<Vec<Char>> {
    let mut out = Vec::new();
    let pieces = parts.iter().enumerate().flat_map(|(n, part)| [(Some(*part), false), (values.get(n).copied(), true)]);
    for (piece, is_value) in pieces {
        for c in piece.unwrap_or_default().chars() {
            if matches!(c, '\r' | '\n' | '\0') {
                return Err(error("A query cannot hold line ends or NUL", out.len()));
            }
            if out.len() == LONGEST {
                return Err(error(format!("A query has at most {LONGEST} characters"), LONGEST));
            }
            out.push(Char { c, is_value });
        }
    }
    Ok(out)
}

struct Lexer<'a> {
    chars: &'a [Char],
    at: usize,
}

impl Lexer<'_> {
    /// The next character, where it is syntax.
    fn syntax(&self) -> Option<char> {
        self.chars.get(self.at).filter(|char| !char.is_value).map(|char| char.c)
    }

    fn skip_spaces(&mut self) -> bool {
        let start = self.at;
        while self.syntax().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
        self.at > start
    }

    fn token(&mut self, after_key: bool) -> Result<Option<Kind>> {
        if self.at >= self.chars.len() {
            return Ok(None);
        }
        let single = match self.syntax() {
            Some('(') => Some(Kind::Open),
            Some(')') => Some(Kind::Close),
            Some('|') => Some(Kind::Bar),
            Some('-') if !after_key => Some(Kind::Minus),
            Some('"') => return self.quoted().map(Some),
            _ => None,
        };
        match single {
            Some(kind) => {
                self.at += 1;
                Ok(Some(kind))
            }
            None => Ok(Some(self.word(after_key))),
        }
    }

    fn quoted(&mut self) -> Result<Kind> {
        let start = self.at;
        let mut text = Text::default();
        loop {
            self.at += 1;
            let Some(&char) = self.chars.get(self.at) else {
                return Err(
                    error("The quotation mark is never closed", start).hint("A quote in a text is written \\\"")
                );
            };
            match self.syntax() {
                Some('"') => break,
                Some('\\') => {
                    self.at += 1;
                    match self.syntax() {
                        Some(c @ ('"' | '\\')) => text.push(Char { c, is_value: false }),
                        _ => return Err(error("Only \\\" and \\\\ can be escaped", self.at - 1)),
                    }
                }
                _ => text.push(char),
            }
        }
        self.at += 1;
        Ok(Kind::Quoted(text))
    }

    /// A word, or a key with its colon. Right after a key a colon is a letter like any other.
    fn word(&mut self, after_key: bool) -> Kind {
        let mut text = Text::default();
        while let Some(&char) = self.chars.get(self.at) {
            match self.syntax() {
                Some(c) if c.is_whitespace() || matches!(c, '(' | ')' | '|' | '"') => break,
                Some(':') if !after_key && text.is_plain() => {
                    self.at += 1;
                    return Kind::Key(text.text);
                }
                _ => text.push(char),
            }
            self.at += 1;
        }
        Kind::Word(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<String> {
        let show = |token: Token| match token.kind {
            Kind::Open => "(".to_owned(),
            Kind::Close => ")".to_owned(),
            Kind::Bar => "|".to_owned(),
            Kind::Minus => "-".to_owned(),
            Kind::Key(key) => format!("{key}:"),
            Kind::Word(text) => text.text,
            Kind::Quoted(text) => format!("{:?}", text.text),
        };
        tokens(&[text], &[]).unwrap().into_iter().map(show).collect()
    }

    #[test]
    fn text_becomes_tokens() {
        assert_eq!(kinds(" a  b "), ["a", "b"]);
        assert_eq!(kinds("from:(a|\"b c\")"), ["from:", "(", "a", "|", "\"b c\"", ")"]);
        assert_eq!(kinds("-x a-b -(y)"), ["-", "x", "a-b", "-", "(", "y", ")"]);
        assert_eq!(kinds(r#""a\"b\\c""#), [r#""a\"b\\c""#]);
        assert_eq!(kinds("header:X-A=http://x:1"), ["header:", "X-A=http://x:1"]);
        assert_eq!(kinds("subject:-x"), ["subject:", "-x"]);
        assert_eq!(kinds(""), [""; 0]);
    }

    #[test]
    fn values_are_letters_whatever_is_in_them() {
        let tokens = tokens(&["from:", "x (", ")"], &["a b\" ):|-", "OR"]).unwrap();
        assert_eq!(tokens.len(), 5);
        assert_eq!(tokens[1].kind, Kind::Word(Text { text: "a b\" ):|-x".into(), plain: 0 }));
        assert_eq!(tokens[3].kind, Kind::Word(Text { text: "OR".into(), plain: 0 }));
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        for (text, at) in [("a \"b", 2), (r#""a\n""#, 2), ("żó\r", 2), ("a\0", 1)] {
            assert_eq!(tokens(&[text], &[]).unwrap_err().context().position, Some(at), "{text:?}");
        }
        assert!(tokens(&["x"], &["a\nb"]).is_err());
        assert!(tokens(&[&"x".repeat(LONGEST + 1)], &[]).is_err());
    }
}
