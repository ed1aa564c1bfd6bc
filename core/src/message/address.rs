//! E-mail addresses, decoded, from an ENVELOPE or from a header field.

use super::charset::one_line;
use super::words::{decode_header, decode_value, joined_words};
use crate::imap;
use mail_parser::parsers::MessageStream;
use mail_parser::{Addr, HeaderValue};
use std::borrow::Cow;
use std::fmt;

/// Longest address field that is parsed, in bytes: room for some 10,000 addresses (CVE-2024-23184).
const LONGEST_FIELD: usize = 512 * 1024;

/// An address with its display name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct EmailAddress {
    /// Display name, decoded; `None` where there is none.
    pub name: Option<String>,
    /// `local@domain`; only the local part where the message gives no domain; empty where it gives neither.
    pub email: String,
    /// The group (`To: Friends: a@example.org;`) that it stands in.
    pub group: Option<String>,
}

impl EmailAddress {
    /// The part after the last `@`.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        self.email.rsplit_once('@').map(|(_, domain)| domain)
    }
}

/// As a header has it: `Ada <ada@example.org>`, with the name quoted where it must be.
impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(name) = &self.name else { return f.write_str(&self.email) };
        if name.contains(|c: char| "()<>[]:;@\\,.\"".contains(c)) {
            write!(f, "\"{}\" <{}>", name.replace('\\', "\\\\").replace('"', "\\\""), self.email)
        } else {
            write!(f, "{name} <{}>", self.email)
        }
    }
}

/// Decodes the addresses of an ENVELOPE.
///
/// A group without members leaves nothing. Placeholders that servers put where a part is missing (`MISSING_DOMAIN` of
/// Dovecot, `.MISSING-HOST-NAME.` of UW and Cyrus) are taken out again.
///
/// ```
/// use mailtide::imap::Address;
/// use mailtide::message::decode_addresses;
///
/// let ada = Address {
///     name: Some(b"=?utf-8?Q?Ad=C3=A4?="),
///     mailbox: Some(b"ada"),
///     host: Some(b"example.org"),
///     ..Address::default()
/// };
/// assert_eq!(decode_addresses([ada].into_iter())[0].to_string(), "Adä <ada@example.org>");
/// ```
#[must_use]
pub fn decode_addresses<'a, I>(addresses: I) -> Vec<EmailAddress>
where
    I: DoubleEndedIterator<Item = imap::Address<'a>> + ExactSizeIterator + Clone,
{
    let mut group = None;
    let mut out = Vec::with_capacity(addresses.len());
    // A NIL host begins a group only where something ends it: some servers send it for a lone local part.
    let last_end = addresses.clone().rposition(|a| a.host.is_none() && a.mailbox.is_none());
    for (index, address) in addresses.enumerate() {
        match (address.mailbox, address.host) {
            (None, None) if address.name.is_none() => group = None,
            (Some(name), None) if last_end > Some(index) && !name.contains(&b'@') => group = Some(decode_header(name)),
            _ => out.push(decode_address(address, group.clone())),
        }
    }
    out
}

/// An address that stands in no group, decoded and not yet put together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SingleAddress<'a> {
    /// Display name; `None` where there is none.
    pub name: Option<Cow<'a, str>>,
    /// The part before the `@`; empty where the message gives none.
    pub local: Cow<'a, str>,
    /// The part after the `@`; empty where the message gives none.
    pub domain: Cow<'a, str>,
}

impl<'a> From<imap::Address<'a>> for SingleAddress<'a> {
    fn from(address: imap::Address<'a>) -> Self {
        Self {
            name: address.name.map(decode_value).filter(|name| !name.is_empty()),
            local: address.mailbox.map(part).unwrap_or_default(),
            domain: address.host.map(part).unwrap_or_default(),
        }
    }
}

impl From<SingleAddress<'_>> for EmailAddress {
    fn from(SingleAddress { name, local, domain }: SingleAddress<'_>) -> Self {
        let email = if domain.is_empty() { local.into_owned() } else { [&local, "@", &domain].concat() };
        Self { name: name.map(Cow::into_owned), email, group: None }
    }
}

/// Whether a list of an ENVELOPE has no groups, so that each of its addresses can be decoded by itself.
#[must_use]
pub fn is_plain<'a>(mut addresses: impl Iterator<Item = imap::Address<'a>>) -> bool {
    addresses.all(|address| address.host.is_some())
}

fn decode_address(address: imap::Address<'_>, group: Option<String>) -> EmailAddress {
    EmailAddress { group, ..SingleAddress::from(address).into() }
}

/// Neither part may carry an encoded word (RFC 2047 section 5); raw UTF-8 it may (RFC 6532).
fn part(bytes: &[u8]) -> Cow<'_, str> {
    const MISSING: [&[u8]; 8] = [
        b".MISSING-HOST-NAME.",
        b".MISSING-MAILBOX-NAME.",
        b".SYNTAX-ERROR.",
        b"INVALID_ADDRESS",
        b"MISSING_DOMAIN",
        b"MISSING_MAILBOX",
        b"unspecified-domain",
        b"missing_mailbox",
    ];
    if MISSING.contains(&bytes) {
        return Cow::Borrowed("");
    }
    if bytes.iter().all(u8::is_ascii_graphic) {
        return std::str::from_utf8(bytes).map(Cow::Borrowed).unwrap_or_default();
    }
    Cow::Owned(one_line(&super::charset::decode_charset(bytes, None).text).trim().to_owned())
}

/// Parses the value of an address field (`From`, `To`, …) of a raw header.
///
/// ```
/// use mailtide::message::parse_addresses;
///
/// let to = parse_addresses(b"Ada <ada@example.org>, Team: \"B. B.\" <b@example.org>;");
/// assert_eq!(to[0].email, "ada@example.org");
/// assert_eq!(to[1].name.as_deref(), Some("B. B."));
/// assert_eq!(to[1].group.as_deref(), Some("Team"));
/// ```
#[must_use]
pub fn parse_addresses(value: &[u8]) -> Vec<EmailAddress> {
    let value = value.get(..value.len().min(LONGEST_FIELD)).unwrap_or(value);
    let mut value = joined_words(value);
    value.push(b'\n');
    let parsed = MessageStream::new(&value).parse_address();
    match parsed {
        HeaderValue::Address(mail_parser::Address::List(list)) => {
            list.iter().filter_map(|a| parsed_address(a, None)).collect()
        }
        HeaderValue::Address(mail_parser::Address::Group(groups)) => groups
            .iter()
            .flat_map(|group| {
                let name = group.name.as_deref().map(|name| one_line(name).trim().to_owned());
                group.addresses.iter().filter_map(move |a| parsed_address(a, name.as_deref()))
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn parsed_address(address: &Addr<'_>, group: Option<&str>) -> Option<EmailAddress> {
    let clean = |text: &str| one_line(text).trim().to_owned();
    let name = address.name.as_deref().map(clean).filter(|name| !name.is_empty());
    let email = address.address.as_deref().map(|text| tidy(&clean(text))).unwrap_or_default();
    let is_something = name.is_some() || !email.is_empty();
    is_something.then(|| EmailAddress { name, email, group: group.map(str::to_owned) })
}

/// Without the source route (`@a,@b:user@host`) and the white space round dots that RFC 5322 section 4.4 still allows to
/// be read.
fn tidy(email: &str) -> String {
    let email = if email.starts_with('@') { email.rsplit_once(':').map_or(email, |(_, email)| email) } else { email };
    let mut out = String::with_capacity(email.len());
    for c in email.chars() {
        if matches!(c, '.' | '@') {
            out.truncate(out.trim_end().len());
        }
        if !(c.is_whitespace() && out.ends_with(['.', '@'])) {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address<'a>(name: Option<&'a str>, mailbox: Option<&'a str>, host: Option<&'a str>) -> imap::Address<'a> {
        let [name, mailbox, host] = [name, mailbox, host].map(|part| part.map(str::as_bytes));
        imap::Address { name, route: None, mailbox, host }
    }

    fn emails(addresses: &[imap::Address<'_>]) -> Vec<String> {
        decode_addresses(addresses.iter().copied()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_missing_part_never_becomes_a_lone_at_sign() {
        assert_eq!(emails(&[address(None, Some("root"), None)]), ["root"]);
        assert_eq!(emails(&[address(None, Some("root"), Some(".MISSING-HOST-NAME."))]), ["root"]);
        assert_eq!(emails(&[address(Some("Ada"), Some("MISSING_MAILBOX"), Some("MISSING_DOMAIN"))]), ["Ada <>"]);
        assert_eq!(emails(&[address(None, Some("a@b.c"), None)]), ["a@b.c"]);
        assert_eq!(emails(&[address(None, Some(""), Some("b.c"))]), ["@b.c"]);
    }

    #[test]
    fn groups_are_named_on_their_members() {
        let list = [
            address(None, Some("Friends"), None),
            address(None, Some("a"), Some("b.c")),
            address(None, None, None),
            address(None, Some("x"), Some("y.z")),
            address(None, Some("undisclosed-recipients"), None),
            address(None, None, None),
        ];
        let decoded = decode_addresses(list.into_iter());
        assert_eq!(decoded.len(), 2);
        assert_eq!((decoded[0].email.as_str(), decoded[0].group.as_deref()), ("a@b.c", Some("Friends")));
        assert_eq!((decoded[1].email.as_str(), decoded[1].group.as_deref()), ("x@y.z", None));
    }

    #[test]
    fn names_are_decoded_and_quoted_where_they_must_be() {
        assert_eq!(
            emails(&[address(Some("=?utf-8?q?M=C3=BCller=2C_A=2E?="), Some("m"), Some("x.de"))]),
            ["\"Müller, A.\" <m@x.de>"]
        );
        assert_eq!(emails(&[address(Some(""), Some("m"), Some("x.de"))]), ["m@x.de"]);
        assert_eq!(emails(&[address(Some("a\r\nBcc: b"), Some("m\r\nx"), Some("x.de"))]), ["\"a Bcc: b\" <m x@x.de>"]);
    }

    #[test]
    fn raw_fields_are_parsed() {
        let parsed = |value: &[u8]| parse_addresses(value).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(parsed(b"ada@example.org (Ada)"), ["Ada <ada@example.org>"]);
        assert_eq!(parsed(b"\"A, B\" <a@b.c>,\r\n c@d.e"), ["\"A, B\" <a@b.c>", "c@d.e"]);
        assert_eq!(parsed(b"=?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?= <a@b.c>"), ["café <a@b.c>"]);
        assert_eq!(parsed(b"caf\xe9 <a@b.c>"), ["café <a@b.c>"]);
        assert_eq!(parsed(b"undisclosed-recipients:;"), [""; 0]);
        assert_eq!(parsed(b""), [""; 0]);
        assert_eq!(
            parsed(b"Mary <@a.tld,@b.tld:mary@example.net>, j   . doe @ x.y"),
            ["Mary <mary@example.net>", "j.doe@x.y"]
        );
        assert_eq!(parsed("用户@例子.广告".as_bytes()), ["用户@例子.广告"]);
    }

    #[test]
    fn floods_of_addresses_and_brackets_end() {
        for unit in ["a@b.c, ", "<", "(", "\"", "a:", ";", "=?", "=?a?q?", "\\"] {
            assert!(parse_addresses(unit.repeat(1 << 17).as_bytes()).len() <= 1 << 17, "{unit}");
        }
    }
}
