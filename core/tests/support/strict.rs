//! A reader of commands that takes what RFC 9051 section 9 allows and nothing else.
//!
//! It shares no code with the library, so that it can judge what the library writes.

#![allow(dead_code)] // each test that includes it uses a part

type Read<T> = Result<T, String>;

/// What stands in a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// An atom, flag, number or set.
    Atom(Vec<u8>),
    /// A quoted string, decoded.
    String(Vec<u8>),
    /// A literal.
    Literal(Vec<u8>),
    /// A parenthesised list.
    List(Vec<Token>),
}

impl Token {
    /// The bytes; of a list, those of its first item.
    pub fn content(&self) -> &[u8] {
        match self {
            Self::Atom(bytes) | Self::String(bytes) | Self::Literal(bytes) => bytes,
            Self::List(items) => items.first().map_or(&[], Token::content),
        }
    }
}

/// The commands in `wire`, each with its tag. `utf8` says whether quoted strings may be UTF-8.
pub fn commands(wire: &[u8], utf8: bool) -> Read<Vec<Vec<Token>>> {
    let mut reader = Reader { rest: wire, utf8 };
    let mut commands = Vec::new();
    while !reader.rest.is_empty() {
        commands.push(reader.items(b"\r\n")?);
    }
    Ok(commands)
}

struct Reader<'a> {
    rest: &'a [u8],
    utf8: bool,
}

impl Reader<'_> {
    /// Items with one space between, up to `end`.
    fn items(&mut self, end: &[u8]) -> Read<Vec<Token>> {
        let mut items = Vec::new();
        while !self.eat(end) {
            if !items.is_empty() && !self.eat(b" ") {
                return Err(format!("no space before {:?}", self.rest));
            }
            items.push(self.item()?);
        }
        Ok(items)
    }

    fn item(&mut self) -> Read<Token> {
        if self.eat(b"(") {
            self.items(b")").map(Token::List)
        } else if self.eat(b"\"") {
            self.quoted().map(Token::String)
        } else if self.eat(b"~{") {
            self.literal(true).map(Token::Literal)
        } else if self.eat(b"{") {
            self.literal(false).map(Token::Literal)
        } else {
            self.atom().map(Token::Atom)
        }
    }

    fn quoted(&mut self) -> Read<Vec<u8>> {
        let mut content = Vec::new();
        loop {
            let (byte, rest) = match self.rest {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    let fits = content.is_ascii() || (self.utf8 && std::str::from_utf8(&content).is_ok());
                    return if fits { Ok(content) } else { Err("8-bit in quotes".into()) };
                }
                [b'\\', byte @ (b'"' | b'\\'), rest @ ..] => (byte, rest),
                [0 | b'\r' | b'\n' | b'\\', ..] | [] => return Err(format!("{:?} in quotes", self.rest.first())),
                [byte, rest @ ..] => (byte, rest),
            };
            content.push(*byte);
            self.rest = rest;
        }
    }

    fn literal(&mut self, binary: bool) -> Read<Vec<u8>> {
        let end = self.rest.windows(3).position(|w| w == b"}\r\n").ok_or("no end of a literal's header")?;
        let (size, rest) = self.rest.split_at(end);
        let size = std::str::from_utf8(size.strip_suffix(b"+").unwrap_or(size)).map_err(|e| e.to_string())?;
        let size: usize = size.parse().map_err(|_| format!("size of a literal: {size:?}"))?;
        let (content, rest) = rest.get(3..).and_then(|r| r.split_at_checked(size)).ok_or("literal cut short")?;
        self.rest = rest;
        if content.contains(&0) && !binary { Err("NUL in a literal".into()) } else { Ok(content.to_vec()) }
    }

    /// An atom; a flag's backslash may stand first, `*` is needed in sets, and sections of `BODY[]` are not read.
    fn atom(&mut self) -> Read<Vec<u8>> {
        let special = |b: &u8| !b.is_ascii_graphic() || matches!(b, b'(' | b')' | b'{' | b'%' | b'"');
        let len = self.rest.iter().position(special).unwrap_or(self.rest.len());
        let (atom, rest) = self.rest.split_at(len);
        self.rest = rest;
        let inner_backslash = atom.iter().skip(1).any(|b| *b == b'\\');
        if atom.is_empty() || inner_backslash { Err(format!("no atom before {rest:?}")) } else { Ok(atom.to_vec()) }
    }

    fn eat(&mut self, prefix: &[u8]) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}
