//! Flags and keywords (RFC 9051 section 2.3.2).

use crate::error::{Code, MailError, Result};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// A flag as the server writes it: a system flag with its backslash, or a keyword.
///
/// Those with a name here are kept in its spelling, whatever case they came in (flags have none).
///
/// ```
/// use mailtide::imap::Flag;
///
/// assert_eq!(Flag::parse("\\seen").unwrap(), Flag::SEEN);
/// assert!(Flag::parse("Seen").is_err());
/// assert_eq!(Flag::parse("$Invoice").unwrap().as_str(), "$Invoice");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flag(pub(super) Cow<'static, str>);

impl Flag {
    /// `\Seen`: it was read.
    pub const SEEN: Flag = Flag(Cow::Borrowed("\\Seen"));
    /// `\Answered`: it was replied to.
    pub const ANSWERED: Flag = Flag(Cow::Borrowed("\\Answered"));
    /// `\Flagged`: it wants attention.
    pub const FLAGGED: Flag = Flag(Cow::Borrowed("\\Flagged"));
    /// `\Deleted`: it goes at the next expunge.
    pub const DELETED: Flag = Flag(Cow::Borrowed("\\Deleted"));
    /// `\Draft`: it is not finished.
    pub const DRAFT: Flag = Flag(Cow::Borrowed("\\Draft"));
    /// `\Recent`: this session is the first to see it. Set by servers only; gone from IMAP4rev2.
    pub const RECENT: Flag = Flag(Cow::Borrowed("\\Recent"));
    /// `$Forwarded` (RFC 5788).
    pub const FORWARDED: Flag = Flag(Cow::Borrowed("$Forwarded"));
    /// `$MDNSent`: a read receipt was sent (RFC 3503).
    pub const MDN_SENT: Flag = Flag(Cow::Borrowed("$MDNSent"));
    /// `$Junk`.
    pub const JUNK: Flag = Flag(Cow::Borrowed("$Junk"));
    /// `$NotJunk`.
    pub const NOT_JUNK: Flag = Flag(Cow::Borrowed("$NotJunk"));
    /// `$Phishing`.
    pub const PHISHING: Flag = Flag(Cow::Borrowed("$Phishing"));
    /// `$Important` (RFC 8457).
    pub const IMPORTANT: Flag = Flag(Cow::Borrowed("$Important"));
    /// `\*` in PERMANENTFLAGS: new keywords may be made. No flag of a message.
    pub const ANY: Flag = Flag(Cow::Borrowed("\\*"));

    /// What a user wrote. A system flag needs its backslash, a keyword must be an atom (RFC 9051 section 9,
    /// `flag-keyword`); anything else is [`Code::UsageFlag`].
    pub fn parse(text: &str) -> Result<Self> {
        if let Some(flag) = known(text.as_bytes()) {
            return if flag.is_settable() { Ok(flag) } else { Err(unsettable(&flag)) };
        }
        if let Some(flag) = system(text) {
            if !flag.is_settable() {
                return Err(unsettable(flag));
            }
            return Err(refused(text).hint(format!("Use {:?} (Flag.{})", flag.as_str(), text.to_ascii_uppercase())));
        }
        let flag = Self(Cow::Owned(text.to_owned()));
        if flag.is_writable() {
            Ok(flag)
        } else {
            Err(refused(text)
                .hint("A keyword is one word of ASCII letters, digits and signs other than ( ) { % * \" \\ ]"))
        }
    }

    /// What a server sent. Takes anything, and no memory for the flags that have a name here.
    #[must_use]
    pub fn from_server(text: &[u8]) -> Self {
        known(text).unwrap_or_else(|| Self(Cow::Owned(String::from_utf8_lossy(text).into_owned())))
    }

    /// The flag as it travels.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a system flag rather than a keyword.
    #[must_use]
    pub fn is_system(&self) -> bool {
        self.0.starts_with('\\')
    }

    /// Whether a client can set it and take it away: not `\Recent`, which servers set, and not [`Flag::ANY`].
    #[must_use]
    pub fn is_settable(&self) -> bool {
        *self != Self::RECENT && *self != Self::ANY && self.is_writable()
    }

    /// Whether it can be sent: an atom, after the backslash of a system flag. What a server sent need not be.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        let word = self.0.strip_prefix('\\').unwrap_or(&self.0);
        !word.is_empty() && word.bytes().all(is_atom_char)
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Flag {
    type Err = MailError;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

const KNOWN: &[Flag] = &[
    Flag::SEEN,
    Flag::RECENT,
    Flag::ANSWERED,
    Flag::FLAGGED,
    Flag::DELETED,
    Flag::DRAFT,
    Flag::ANY,
    Flag::FORWARDED,
    Flag::MDN_SENT,
    Flag::JUNK,
    Flag::NOT_JUNK,
    Flag::PHISHING,
    Flag::IMPORTANT,
];

fn known(text: &[u8]) -> Option<Flag> {
    KNOWN.iter().find(|flag| flag.0.as_bytes().eq_ignore_ascii_case(text)).cloned()
}

/// The system flag that somebody meant who left out the backslash.
fn system(text: &str) -> Option<&'static Flag> {
    let named = |flag: &&Flag| flag.0.strip_prefix('\\').is_some_and(|name| name.eq_ignore_ascii_case(text));
    KNOWN.iter().filter(|flag| **flag != Flag::ANY).find(named)
}

/// ATOM-CHAR of RFC 9051.
fn is_atom_char(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
}

fn refused(text: &str) -> MailError {
    let shown: String = text.chars().take(40).collect();
    MailError::new(Code::UsageFlag, format!("{shown:?} is not a flag"))
}

fn unsettable(flag: &Flag) -> MailError {
    MailError::new(Code::UsageFlag, format!("{:?} can be neither set nor taken away", flag.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_flags_have_no_case() {
        assert_eq!(Flag::parse("\\SEEN").unwrap(), Flag::SEEN);
        assert_eq!(Flag::from_server(b"\\fLaGgEd"), Flag::FLAGGED);
        assert!(matches!(Flag::from_server(b"\\Seen").0, Cow::Borrowed(_)));
    }

    #[test]
    fn a_system_flag_without_its_backslash_is_refused_with_the_right_one() {
        let error = Flag::parse("Seen").unwrap_err();
        assert_eq!(error.code(), Code::UsageFlag);
        assert_eq!(error.context().hint.as_deref(), Some("Use \"\\\\Seen\" (Flag.SEEN)"));
        assert!(Flag::parse("deleted").is_err());
    }

    #[test]
    fn keywords_are_atoms() {
        for good in ["$Invoice", "todo", "a[b", "x/y", "2024:Q1"] {
            assert_eq!(Flag::parse(good).unwrap().as_str(), good);
        }
        for bad in
            ["", "\\", "a b", "a\r\nb", "été", "a)", "a\"", "\\*", "\\Recent", "recent", "*", "a]", "\\\\Seen", "a%"]
        {
            assert_eq!(Flag::parse(bad).unwrap_err().code(), Code::UsageFlag, "{bad:?}");
        }
    }

    #[test]
    fn anything_from_a_server_is_kept_but_not_everything_can_be_sent() {
        assert_eq!(Flag::from_server("été".as_bytes()).as_str(), "été");
        assert!(!Flag::from_server("été".as_bytes()).is_writable());
        assert!(Flag::from_server(b"\\Custom").is_writable());
        assert!(Flag::from_server(b"\\Custom").is_system());
    }
}
