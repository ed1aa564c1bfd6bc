//! Addresses that are written to: one strict parser (RFC 5322 section 3.4), for header and envelope alike.
//!
//! What is read from strangers goes through the lenient `parse_addresses`. Here a doubt is an error: two programs that
//! read `"x@evil.example"@good.example` differently send it to two places (CVE-2025-13033).

use crate::error::{Code, MailError, Result};
use crate::message::EmailAddress;
use core::net::{Ipv4Addr, Ipv6Addr};
use std::fmt;

/// Longest list that is taken, in bytes.
const LONGEST: usize = 512 * 1024;
/// Deepest nesting of comments (CVE-2025-14874).
const DEPTH: usize = 16;
/// RFC 5321 section 4.5.3.1, in octets.
const LONGEST_LOCAL: usize = 64;
const LONGEST_DOMAIN: usize = 255;

/// Where a message goes: local part and domain, apart.
///
/// ```
/// use mailtide::message::AddrSpec;
///
/// let odd = AddrSpec::parse("\"x@evil.example\"@good.example")?;
/// assert_eq!((odd.local(), odd.domain()), ("x@evil.example", "good.example"));
/// assert_eq!(odd.to_string(), "\"x@evil.example\"@good.example");
/// assert_eq!(AddrSpec::parse("ada@bücher.example")?.domain(), "xn--bcher-kva.example");
/// # Ok::<(), mailtide::MailError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AddrSpec {
    local: String,
    domain: String,
}

impl AddrSpec {
    /// Reads one address without a name.
    ///
    /// # Errors
    ///
    /// [`Code::UsageAddress`] where it is none.
    pub fn parse(text: &str) -> Result<Self> {
        let tokens = tokens(text)?;
        let mut rest = Tokens { tokens: &tokens, text };
        let address = rest.addr_spec()?;
        if rest.tokens.is_empty() { Ok(address) } else { Err(unusable(text, "something follows it")) }
    }

    /// The part before the `@`, as it is meant: without the quotes that it may need.
    #[must_use]
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The domain in ASCII (`xn--…` where it is an IDN), or an address literal in brackets.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether a server without SMTPUTF8 (RFC 6531) can take it; the domain always can.
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.local.is_ascii()
    }

    fn new(local: String, domain: &str, text: &str) -> Result<Self> {
        if local.is_empty() || local.len() > LONGEST_LOCAL {
            return Err(unusable(text, "the part before the @ has to have 1 to 64 bytes"));
        }
        Ok(Self { local, domain: ascii_domain(domain).ok_or_else(|| unusable(text, "its domain is none"))? })
    }
}

/// As the envelope and the header have it: quoted where it must be.
impl fmt::Display for AddrSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_dot_atom = self.local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext));
        if is_dot_atom {
            return write!(f, "{}@{}", self.local, self.domain);
        }
        write!(f, "\"{}\"@{}", self.local.replace('\\', "\\\\").replace('"', "\\\""), self.domain)
    }
}

/// Reads a list of recipients as a header has it: `Ada <ada@example.org>, team: b@example.org, c@example.org;`.
///
/// Groups are kept as the `group` of their members. Comments are dropped, also a name that stands in one.
///
/// ```
/// let to = mailtide::message::parse_recipients("\"Byron, Ada\" <ada@example.org>, grace@example.org")?;
/// assert_eq!(to[0].name.as_deref(), Some("Byron, Ada"));
/// assert_eq!(to[1].email, "grace@example.org");
/// assert!(mailtide::message::parse_recipients("ada").is_err());
/// # Ok::<(), mailtide::MailError>(())
/// ```
///
/// # Errors
///
/// [`Code::UsageAddress`] with the text and the reason where something in it is not an address: no domain, white space
/// within, a source route, a control character, nested comments beyond 16.
pub fn parse_recipients(text: &str) -> Result<Vec<EmailAddress>> {
    let tokens = tokens(text)?;
    let mut rest = Tokens { tokens: &tokens, text };
    let (mut found, mut group) = (Vec::new(), None);
    while let Some(first) = rest.tokens.first() {
        match first {
            Token::Special(',') => rest.skip(),
            Token::Special(';') if group.is_some() => {
                group = None;
                rest.skip();
            }
            _ => match rest.item()? {
                Item::Group(name) if group.is_none() => group = Some(name),
                Item::Group(_) => return Err(unusable(text, "a group holds another one")),
                Item::Mailbox(name, address) => {
                    found.push(EmailAddress { name, email: address.to_string(), group: group.clone() });
                }
            },
        }
    }
    if group.is_some() { Err(unusable(text, "its group has no end")) } else { Ok(found) }
}

enum Item {
    Group(String),
    Mailbox(Option<String>, AddrSpec),
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Atom(String),
    Quoted(String),
    Literal(String),
    /// White space or a comment.
    Space,
    Special(char),
}

struct Tokens<'a> {
    tokens: &'a [Token],
    text: &'a str,
}

impl<'a> Tokens<'a> {
    fn skip(&mut self) {
        self.tokens = self.tokens.get(1..).unwrap_or_default();
        self.skip_space();
    }

    fn skip_space(&mut self) {
        while let Some((Token::Space, rest)) = self.tokens.split_first() {
            self.tokens = rest;
        }
    }

    fn is_next(&self, special: char) -> bool {
        self.tokens.first() == Some(&Token::Special(special))
    }

    /// A mailbox, or the beginning of a group; then what may follow it.
    fn item(&mut self) -> Result<Item> {
        let before = self.tokens;
        let name = self.phrase();
        let item = match self.tokens.first() {
            Some(Token::Special(':')) => {
                self.skip();
                return Ok(Item::Group(name));
            }
            Some(Token::Special('<')) => {
                self.skip();
                let address = self.addr_spec()?;
                if !self.is_next('>') {
                    return Err(unusable(self.text, "what < begins is not ended by >"));
                }
                self.skip();
                Item::Mailbox(Some(name).filter(|n| !n.is_empty()), address)
            }
            _ => {
                self.tokens = before;
                Item::Mailbox(None, self.addr_spec()?)
            }
        };
        match self.tokens.first() {
            None | Some(Token::Special(',' | ';')) => Ok(item),
            Some(_) => Err(unusable(self.text, "two addresses need a comma between them")),
        }
    }

    /// Words up to what is none (RFC 5322 `phrase`, with the dots of `obs-phrase`).
    fn phrase(&mut self) -> String {
        let mut out = String::new();
        while let Some((first, rest)) = self.tokens.split_first() {
            match first {
                Token::Atom(word) | Token::Quoted(word) => out.push_str(word),
                Token::Special('.') => out.push('.'),
                Token::Space => out.push(' '),
                Token::Literal(_) | Token::Special(_) => break,
            }
            self.tokens = rest;
        }
        out.trim().to_owned()
    }

    /// `word *("." word) "@" domain`, with no white space within.
    fn addr_spec(&mut self) -> Result<AddrSpec> {
        self.skip_space();
        let mut local = String::new();
        loop {
            match self.take() {
                Some(Token::Atom(word) | Token::Quoted(word)) => local.push_str(word),
                _ => return Err(unusable(self.text, "it has to be local@domain")),
            }
            match self.take() {
                Some(Token::Special('.')) => local.push('.'),
                Some(Token::Special('@')) => break,
                _ => return Err(unusable(self.text, "it has to be local@domain")),
            }
        }
        let domain = self.domain()?;
        self.skip_space();
        AddrSpec::new(local, &domain, self.text)
    }

    fn domain(&mut self) -> Result<String> {
        let mut domain = match self.take() {
            Some(Token::Literal(literal)) => return Ok(format!("[{literal}]")),
            Some(Token::Atom(label)) => label.clone(),
            _ => return Err(unusable(self.text, "it has no domain")),
        };
        while self.is_next('.') {
            self.take();
            let Some(Token::Atom(label)) = self.take() else { return Err(unusable(self.text, "its domain is none")) };
            domain.push('.');
            domain.push_str(label);
        }
        Ok(domain)
    }

    fn take(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }
}

fn tokens(text: &str) -> Result<Vec<Token>> {
    if text.len() > LONGEST {
        return Err(MailError::new(Code::LimitExceeded, "The list of addresses is too long"));
    }
    if let Some(at) = text.chars().position(|c| c.is_control() && c != '\t') {
        return Err(unusable(text, "it holds a control character").at(at));
    }
    let mut chars = text.chars().peekable();
    let mut out = Vec::new();
    while let Some(c) = chars.next() {
        out.push(match c {
            ' ' | '\t' => Token::Space,
            '(' => comment(&mut chars).map_err(|why| unusable(text, why))?,
            '"' => Token::Quoted(delimited(&mut chars, '"').ok_or_else(|| unusable(text, "a quote has no end"))?),
            '[' => Token::Literal(delimited(&mut chars, ']').ok_or_else(|| unusable(text, "a bracket has no end"))?),
            c if is_atext(c) => {
                let mut atom = String::from(c);
                while let Some(c) = chars.next_if(|c| is_atext(*c)) {
                    atom.push(c);
                }
                Token::Atom(atom)
            }
            '<' | '>' | '@' | ',' | ';' | ':' | '.' => Token::Special(c),
            _ => return Err(unusable(text, "a character in it has to be quoted")),
        });
    }
    // White space at the ends says nothing.
    out.reverse();
    while out.last() == Some(&Token::Space) {
        out.pop();
    }
    out.reverse();
    Ok(out)
}

fn comment(chars: &mut impl Iterator<Item = char>) -> std::result::Result<Token, &'static str> {
    let mut depth = 1;
    while let Some(c) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '(' if depth == DEPTH => return Err("its comments are nested too deep"),
            '(' => depth += 1,
            ')' if depth == 1 => return Ok(Token::Space),
            ')' => depth -= 1,
            _ => {}
        }
    }
    Err("a comment has no end")
}

/// Up to the delimiter, without the backslashes.
fn delimited(chars: &mut impl Iterator<Item = char>, end: char) -> Option<String> {
    let mut out = String::new();
    loop {
        match chars.next()? {
            '\\' => out.push(chars.next()?),
            c if c == end => return Some(out),
            c => out.push(c),
        }
    }
}

/// RFC 5322 section 3.2.3 and RFC 6532 section 3.2; format characters that nobody sees are not taken.
fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || (!c.is_ascii() && is_visible(c))
}

fn is_visible(c: char) -> bool {
    let hidden = matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFF}');
    !(c.is_control() || c.is_whitespace() || hidden)
}

/// In ASCII and of letters, digits and hyphens only; or a literal that is one (RFC 5321 section 4.1.3).
fn ascii_domain(domain: &str) -> Option<String> {
    if let Some(literal) = domain.strip_prefix('[').and_then(|d| d.strip_suffix(']')) {
        let v6 = literal.get(..5).filter(|tag| tag.eq_ignore_ascii_case("IPv6:")).and_then(|_| literal.get(5..));
        let is_one = v6.map_or_else(|| literal.parse::<Ipv4Addr>().is_ok(), |v6| v6.parse::<Ipv6Addr>().is_ok());
        return is_one.then(|| domain.to_owned());
    }
    let ascii = if domain.is_ascii() { domain.to_owned() } else { idna::domain_to_ascii_strict(domain).ok()? };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    (ascii.len() <= LONGEST_DOMAIN && ascii.split('.').all(is_label)).then_some(ascii)
}

fn unusable(text: &str, why: &str) -> MailError {
    let shown: String = text.chars().filter(|c| !c.is_control()).take(100).collect();
    MailError::new(Code::UsageAddress, format!("{shown:?} cannot be written to: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emails(text: &str) -> Vec<String> {
        parse_recipients(text).unwrap_or_else(|e| panic!("{text}: {e}")).into_iter().map(|a| a.email).collect()
    }

    #[test]
    fn lists_are_read_as_a_header_has_them() {
        assert_eq!(emails("ada@example.org"), ["ada@example.org"]);
        assert_eq!(
            emails(" Ada <ada@x.org> ,, \"B, C\" <b@x.org>, d.e+f@x.org "),
            ["ada@x.org", "b@x.org", "d.e+f@x.org"]
        );
        assert_eq!(emails("(a (nested) comment) ada@x.org (Ada)"), ["ada@x.org"]);
        assert_eq!(emails("a@[127.0.0.1], b@[IPv6:::1]"), ["a@[127.0.0.1]", "b@[IPv6:::1]"]);
        assert_eq!(emails("undisclosed-recipients:;"), [""; 0]);
        assert_eq!(emails(""), [""; 0]);
        let group = parse_recipients("Team: a@x.org, B <b@x.org>; c@x.org").unwrap();
        assert_eq!(group.iter().map(|a| a.group.as_deref()).collect::<Vec<_>>(), [Some("Team"), Some("Team"), None]);
        let named = parse_recipients("J. R. \"Bob\" Dobbs <b@x.org>, \"a\\\"b\" <c@x.org>, Ada <d@x.org>").unwrap();
        let names: Vec<_> = named.iter().map(|a| a.name.as_deref().unwrap()).collect();
        assert_eq!(names, ["J. R. Bob Dobbs", "a\"b", "Ada"]);
    }

    #[test]
    fn an_address_goes_to_its_own_domain_only() {
        for (text, local, domain) in [
            ("\"x@evil.example\"@good.example", "x@evil.example", "good.example"),
            ("\"x@evil.example>, <y\"@good.example", "x@evil.example>, <y", "good.example"),
            ("\"a b\"@good.example", "a b", "good.example"),
            ("\"a\"@good.example", "a", "good.example"),
            ("\"a\\\\\\\"\"@good.example", "a\\\"", "good.example"),
            ("用户@例子.广告", "用户", "xn--fsqu00a.xn--4rr70v"),
            ("ada@BÜCHER.example", "ada", "xn--bcher-kva.example"),
        ] {
            let address = AddrSpec::parse(text).unwrap();
            assert_eq!((address.local(), address.domain()), (local, domain), "{text}");
            assert_eq!(AddrSpec::parse(&address.to_string()).unwrap(), address, "{text}");
        }
        assert!(!AddrSpec::parse("用户@example.org").unwrap().is_ascii());
        assert!(AddrSpec::parse("ada@bücher.example").unwrap().is_ascii());
    }

    #[test]
    fn a_doubt_is_an_error() {
        for text in [
            "ada",
            "@x.org",
            "ada@",
            "ada@@x.org",
            "a b@x.org",
            "ada@x org",
            "ada@x.org b@x.org",
            "a@b@c.org",
            "<@a.org,@b.org:ada@x.org>",
            "Ada <ada@x.org",
            "ada@x.org>",
            "Ada ada@x.org",
            "\"a@x.org",
            "(ada@x.org",
            "a@x.org; b@x.org",
            "team: a@x.org",
            "a: b: c@x.org;;",
            "a..b@x.org",
            ".a@x.org",
            "a.@x.org",
            "a@x..org",
            "a@-x.org",
            "a@.org",
            "a@[1.2.3]",
            "a@[evil]",
            "a\\b@x.org",
            "a@x.org\r\nBcc: b@x.org",
            "a\0@x.org",
            "a\u{202e}b@x.org",
            "a\u{200b}@x.org",
            "a@x\u{ff0f}y.org",
            "\"\"@x.org",
            "a@[IPv6:127.0.0.1]",
        ] {
            assert_eq!(parse_recipients(text).map_err(|e| e.code()), Err(Code::UsageAddress), "{text:?}");
        }
        assert!(AddrSpec::parse("Ada <ada@x.org>").is_err());
        assert!(AddrSpec::parse(&format!("{}@x.org", "a".repeat(65))).is_err());
        assert!(AddrSpec::parse(&format!("a@{}", vec!["b".repeat(60); 5].join("."))).is_err());
    }

    #[test]
    fn floods_end() {
        for unit in ["a@b.c, ", "<", "(", "\"", "a:", ";", "\\", "[", "a.", "((", "@"] {
            let _ = parse_recipients(&unit.repeat(1 << 15));
        }
        assert!(parse_recipients(&format!("{}{} a@b.c", "(".repeat(16), ")".repeat(16))).is_ok());
        assert!(parse_recipients(&format!("{}{} a@b.c", "(".repeat(17), ")".repeat(17))).is_err());
        let many = "a@b.c, ".repeat(1 << 16);
        assert_eq!(parse_recipients(&many).unwrap().len(), 1 << 16);
    }
}
