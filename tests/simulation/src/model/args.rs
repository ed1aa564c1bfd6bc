//! The arguments of a command, one after the other (RFC 9051 section 9).

/// Why a command makes no sense; it becomes the text of a BAD.
#[derive(Debug, PartialEq, Eq)]
pub struct Bad(pub String);

impl From<&str> for Bad {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

type Result<T> = std::result::Result<T, Bad>;

/// Reads one command from its beginning to its end.
#[derive(Clone, Debug)]
pub struct Args<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Args<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next byte, left where it is.
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Takes `byte` if it is next.
    pub fn has(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Takes `word` if it is next, in any case.
    pub fn has_word(&mut self, word: &str) -> bool {
        let next = self.bytes.get(self.at..self.at + word.len());
        let found = next.is_some_and(|next| next.eq_ignore_ascii_case(word.as_bytes()));
        self.at += if found { word.len() } else { 0 };
        found
    }

    /// Takes `byte`, which must be next.
    pub fn expect(&mut self, byte: u8) -> Result<()> {
        if self.has(byte) { Ok(()) } else { Err(Bad(format!("expected {:?}", char::from(byte)))) }
    }

    /// The one space between two arguments.
    pub fn space(&mut self) -> Result<()> {
        self.expect(b' ')
    }

    /// Nothing may follow.
    pub fn end(&self) -> Result<()> {
        if self.at == self.bytes.len() { Ok(()) } else { Err("too many arguments".into()) }
    }

    /// Whether nothing follows.
    pub fn at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// Everything up to a byte for which `stop` holds; may be empty.
    pub fn until(&mut self, stop: impl Fn(u8) -> bool) -> &'a str {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|b| stop(*b)).unwrap_or(rest.len());
        self.at += length;
        std::str::from_utf8(&rest[..length]).unwrap_or_default()
    }

    /// An atom.
    pub fn atom(&mut self) -> Result<&'a str> {
        let atom = self.until(|b| b <= b' ' || b == 127 || b"(){%*\"\\]".contains(&b));
        if atom.is_empty() { Err("expected an atom".into()) } else { Ok(atom) }
    }

    /// An atom in upper case: the name of a command or an option.
    pub fn keyword(&mut self) -> Result<String> {
        self.atom().map(str::to_ascii_uppercase)
    }

    /// A number.
    pub fn number(&mut self) -> Result<u64> {
        let digits = self.until(|b| !b.is_ascii_digit());
        digits.parse().map_err(|_| "expected a number".into())
    }

    /// A flag or keyword, as it was written.
    pub fn flag(&mut self) -> Result<String> {
        let system = if self.has(b'\\') { "\\" } else { "" };
        self.atom().map(|name| format!("{system}{name}"))
    }

    /// A string, quoted or as a literal.
    pub fn string(&mut self) -> Result<Vec<u8>> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{') => self.literal().map(<[u8]>::to_vec),
            _ => Err("expected a string".into()),
        }
    }

    /// A string, or an atom that stands for one.
    pub fn astring(&mut self) -> Result<Vec<u8>> {
        if matches!(self.peek(), Some(b'"' | b'{')) {
            return self.string();
        }
        let atom = self.until(|b| b <= b' ' || b == 127 || b"(){%*\"\\".contains(&b));
        if atom.is_empty() { Err("expected a string".into()) } else { Ok(atom.as_bytes().to_vec()) }
    }

    /// A string of text.
    pub fn text(&mut self) -> Result<String> {
        self.astring().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// A name of a mailbox; INBOX is itself in any case.
    pub fn mailbox(&mut self) -> Result<String> {
        let name = self.text()?;
        Ok(if name.eq_ignore_ascii_case("INBOX") { "INBOX".to_owned() } else { name })
    }

    /// A pattern of LIST, where wildcards are allowed in an atom.
    pub fn pattern(&mut self) -> Result<String> {
        if matches!(self.peek(), Some(b'"' | b'{')) {
            return self.text();
        }
        Ok(self.until(|b| b <= b' ' || b"(){\"\\".contains(&b)).to_owned())
    }

    /// `(a b c)` with `item` reading each.
    pub fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.expect(b'(')?;
        let mut items = Vec::new();
        while !self.has(b')') {
            if !items.is_empty() {
                self.space()?;
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// A literal's bytes.
    pub fn literal(&mut self) -> Result<&'a [u8]> {
        self.expect(b'{')?;
        let size = usize::try_from(self.number()?).map_err(|_| Bad::from("a literal too large"))?;
        self.has(b'+');
        self.expect(b'}')?;
        self.has(b'\r');
        self.expect(b'\n')?;
        let bytes = self.bytes.get(self.at..self.at + size).ok_or_else(|| Bad::from("a literal cut short"))?;
        self.at += size;
        Ok(bytes)
    }

    fn quoted(&mut self) -> Result<Vec<u8>> {
        self.expect(b'"')?;
        let mut out = Vec::new();
        loop {
            let byte = self.peek().ok_or_else(|| Bad::from("a quoted string without end"))?;
            self.at += 1;
            match byte {
                b'"' => return Ok(out),
                b'\\' => {
                    out.extend(self.peek());
                    self.at += 1;
                }
                b'\r' | b'\n' | 0 => return Err("a quoted string holds a line ending".into()),
                _ => out.push(byte),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_in_every_form() {
        let mut args = Args::new(b"STORE \"a\\\"b\" {3}\r\nx y atom[1] (\\Seen $x) inbox 42");
        assert_eq!(args.keyword().unwrap(), "STORE");
        args.space().unwrap();
        assert_eq!(args.text().unwrap(), "a\"b");
        args.space().unwrap();
        assert_eq!(args.text().unwrap(), "x y");
        args.space().unwrap();
        assert_eq!(args.text().unwrap(), "atom[1]");
        args.space().unwrap();
        assert_eq!(args.list(Args::flag).unwrap(), ["\\Seen", "$x"]);
        args.space().unwrap();
        assert_eq!(args.mailbox().unwrap(), "INBOX");
        args.space().unwrap();
        assert_eq!((args.number(), args.end()), (Ok(42), Ok(())));
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        assert!(Args::new(b"\"open").string().is_err());
        assert!(Args::new(b"{9}\r\nshort").string().is_err());
        assert!(Args::new(b"").atom().is_err());
        assert!(Args::new(b"(a").list(Args::atom).is_err());
    }
}
