//! Writing commands so that no argument can become another command.
//!
//! Every argument goes through one of a few methods, each of which chooses atom, quoted string or literal by what the
//! bytes are. CR and LF reach the wire only inside a literal, NUL only inside the body of a message. No text outside a
//! quoted string holds a `{`, so no line can end in something that a server would take for a literal's header.

use crate::error::{Code, MailError, Result};
use bytes::Bytes;

/// A stretch of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text, as it stands.
    Text(Vec<u8>),
    /// A literal whose header depends on what the server offers (LITERAL+, LITERAL-).
    Literal {
        /// The bytes.
        bytes: Bytes,
        /// Whether it must be a literal8.
        binary: bool,
    },
    /// A literal of this many bytes that the sender takes from elsewhere, in order.
    Stream {
        /// How many.
        len: u64,
        /// Whether it must be a literal8.
        binary: bool,
    },
}

/// A command without its tag and line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    name: &'static str,
    pieces: Vec<Piece>,
}

impl Command {
    /// The command's name, such as `UID FETCH`; safe to log.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What to send after the tag and a space, the name included.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Length of the text, without literals: servers bound it (RFC 2683 section 3.2.1.5; Exchange near 8,000).
    #[must_use]
    pub fn line_len(&self) -> usize {
        self.pieces.iter().map(|p| if let Piece::Text(text) = p { text.len() } else { 8 }).sum()
    }
}

/// Builds a [`Command`].
///
/// ```
/// use mailtide::wire::Encoder;
///
/// let mut e = Encoder::new("SEARCH");
/// e.word("SUBJECT").string(b"a\r\nX1 DELETE INBOX").unwrap();
/// // The line ends can only travel as a literal: see what the pieces are.
/// assert_eq!(e.finish().pieces().len(), 2);
/// ```
///
/// After a refusal the encoder holds half a command: drop it.
#[derive(Clone, Debug)]
pub struct Encoder {
    name: &'static str,
    pieces: Vec<Piece>,
    text: Vec<u8>,
    utf8: bool,
    /// Whether the next argument needs a space before it.
    spaced: bool,
}

impl Encoder {
    /// A command of this name.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, pieces: Vec::new(), text: name.as_bytes().to_vec(), utf8: false, spaced: true }
    }

    /// Whether strings may be UTF-8 in quotes (UTF8=ACCEPT or IMAP4rev2 enabled); else they travel as literals.
    pub fn utf8(&mut self, on: bool) -> &mut Self {
        self.utf8 = on;
        self
    }

    /// A word of the protocol, known when this library was compiled.
    pub fn word(&mut self, word: &'static str) -> &mut Self {
        self.space();
        self.text.extend_from_slice(word.as_bytes());
        self
    }

    /// A number.
    pub fn number(&mut self, number: u64) -> &mut Self {
        self.space();
        self.text.extend_from_slice(number.to_string().as_bytes());
        self
    }

    /// Something that prints as atom characters only (a set, a date, a keyword); refused otherwise.
    pub fn atom(&mut self, atom: &str) -> Result<&mut Self> {
        if atom.is_empty() || !atom.bytes().all(is_atom_text) {
            return Err(refused("an atom", "ASCII letters, digits and signs, except ( ) { % \" \\ and space"));
        }
        self.space();
        self.text.extend_from_slice(atom.as_bytes());
        Ok(self)
    }

    /// A flag: an atom, with or without a backslash before it; refused otherwise.
    pub fn flag(&mut self, flag: &str) -> Result<&mut Self> {
        let name = flag.strip_prefix('\\').unwrap_or(flag);
        if name.is_empty() || !name.bytes().all(is_astring_char) {
            return Err(refused("a flag", "ASCII letters, digits and signs, except ( ) { % * \" \\ and space"));
        }
        self.space();
        self.text.extend_from_slice(flag.as_bytes());
        Ok(self)
    }

    /// A string where an atom would do as well (mailbox names): atom, quoted or literal by content.
    pub fn astring(&mut self, bytes: &[u8]) -> Result<&mut Self> {
        let plain = (1..=QUOTED).contains(&bytes.len()) && bytes.iter().all(|b| is_astring_char(*b));
        if plain && !bytes.eq_ignore_ascii_case(b"NIL") {
            self.space();
            self.text.extend_from_slice(bytes);
            return Ok(self);
        }
        self.string(bytes)
    }

    /// A string: quoted or literal by content. NUL is refused, since no literal of these commands may carry it.
    pub fn string(&mut self, bytes: &[u8]) -> Result<&mut Self> {
        if bytes.contains(&0) {
            return Err(refused("a string", "no NUL"));
        }
        if bytes.len() <= QUOTED && self.is_quotable(bytes) {
            self.space();
            self.quote(bytes);
            return Ok(self);
        }
        self.piece(Piece::Literal { bytes: Bytes::copy_from_slice(bytes), binary: false });
        Ok(self)
    }

    /// A string, or `NIL`.
    pub fn nstring(&mut self, bytes: Option<&[u8]>) -> Result<&mut Self> {
        match bytes {
            Some(bytes) => self.string(bytes),
            None => Ok(self.word("NIL")),
        }
    }

    /// A message that the sender has elsewhere. One that holds NUL must be `binary` (RFC 3516).
    pub fn stream(&mut self, len: u64, binary: bool) -> &mut Self {
        self.piece(Piece::Stream { len, binary });
        self
    }

    /// A message in hand. One that holds NUL must be `binary` (RFC 3516).
    pub fn body(&mut self, bytes: Bytes, binary: bool) -> &mut Self {
        self.piece(Piece::Literal { bytes, binary });
        self
    }

    /// A list in parentheses.
    pub fn list(&mut self, items: impl FnOnce(&mut Self) -> Result<()>) -> Result<&mut Self> {
        self.space();
        self.text.push(b'(');
        self.spaced = false;
        items(self)?;
        self.text.push(b')');
        self.spaced = true;
        Ok(self)
    }

    /// Text as the caller wrote it, for commands that this library does not know.
    ///
    /// Refused are CR, LF and NUL, a quoted string that does not end, and a `{` outside of quoted strings: after a
    /// literal's header the server would take what follows for data.
    pub fn raw(&mut self, text: &str) -> Result<&mut Self> {
        if !is_whole_text(text.as_bytes()) {
            return Err(refused("raw command text", "no CR, LF or NUL, no open quote, no { outside of quotes"));
        }
        self.space();
        self.text.extend_from_slice(text.as_bytes());
        Ok(self)
    }

    /// The finished command.
    #[must_use]
    pub fn finish(mut self) -> Command {
        if !self.text.is_empty() {
            self.pieces.push(Piece::Text(std::mem::take(&mut self.text)));
        }
        Command { name: self.name, pieces: self.pieces }
    }

    fn space(&mut self) {
        if self.spaced && !(self.text.is_empty() && self.pieces.is_empty()) {
            self.text.push(b' ');
        }
        self.spaced = true;
    }

    fn is_quotable(&self, bytes: &[u8]) -> bool {
        bytes.iter().all(|b| !matches!(b, b'\r' | b'\n') && (b.is_ascii() || self.utf8))
            && (bytes.is_ascii() || std::str::from_utf8(bytes).is_ok())
    }

    fn quote(&mut self, bytes: &[u8]) {
        self.text.push(b'"');
        for byte in bytes {
            if matches!(byte, b'"' | b'\\') {
                self.text.push(b'\\');
            }
            self.text.push(*byte);
        }
        self.text.push(b'"');
    }

    fn piece(&mut self, piece: Piece) {
        self.space();
        self.pieces.push(Piece::Text(std::mem::take(&mut self.text)));
        self.pieces.push(piece);
    }
}

/// Longest string that goes in quotes. Longer ones are literals, so that lines stay short (RFC 2683 section 3.2.1.5).
const QUOTED: usize = 1000;

/// ASTRING-CHAR, and `*` for sets (`5:*`). Atoms take a `]` too: keywords on real servers have one.
fn is_atom_text(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'"' | b'\\')
}

/// ASTRING-CHAR of RFC 9051: ATOM-CHAR and `]`.
fn is_astring_char(byte: u8) -> bool {
    is_atom_text(byte) && byte != b'*'
}

/// Whether a server that has read this is neither inside a string nor waiting for a literal.
fn is_whole_text(text: &[u8]) -> bool {
    let (mut open, mut escaped) = (false, false);
    for byte in text {
        match byte {
            b'\r' | b'\n' | 0 => return false,
            _ if escaped => escaped = false,
            b'\\' if open => escaped = true,
            b'"' => open = !open,
            b'{' if !open => return false,
            _ => {}
        }
    }
    !open
}

fn refused(what: &str, allowed: &str) -> MailError {
    MailError::new(Code::UsageArgument, format!("This cannot be sent as {what}")).hint(format!("Allowed: {allowed}"))
}

#[cfg(test)]
mod tests;
