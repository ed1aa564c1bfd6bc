//! What a server can do (RFC 9051 section 7.2.2).

use std::fmt;

/// The capabilities that a server has announced.
///
/// ```
/// use mailtide::imap::Capabilities;
///
/// let caps: Capabilities = "IMAP4rev2 AUTH=PLAIN APPENDLIMIT=1000".split(' ').collect();
/// assert!(caps.has("move")); // part of IMAP4rev2
/// assert_eq!(caps.auth_mechanisms().collect::<Vec<_>>(), ["PLAIN"]);
/// assert_eq!(caps.append_limit(), Some(1000));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Upper-cased, in the server's order, each once.
    names: Vec<String>,
    /// Whether IMAP4rev2 is among them and is to be believed.
    rev2: bool,
    /// Upper-cased: what is not to be believed, nor of IMAP4rev2.
    hidden: Vec<String>,
}

/// When a literal may follow without waiting for the server's `+` (RFC 7888).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LiteralMode {
    /// Never.
    #[default]
    Sync,
    /// LITERAL-: up to 4,096 bytes.
    Minus,
    /// LITERAL+: any size. Above 100 KB it is better to wait all the same, lest a refused APPEND be sent for nothing.
    Plus,
}

impl LiteralMode {
    /// Whether a literal of `size` bytes is sent without waiting.
    #[must_use]
    pub fn is_non_sync(self, size: u64) -> bool {
        match self {
            Self::Sync => false,
            Self::Minus => size <= 4096,
            Self::Plus => size <= 100_000,
        }
    }
}

impl Capabilities {
    /// Whether the server offers `name`, in any case: by saying so, or by being an IMAP4rev2 server.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|n| n.eq_ignore_ascii_case(name))
            || self.rev2 && is_in_rev2(name) && !self.hidden.iter().any(|n| n.eq_ignore_ascii_case(name))
    }

    /// Whether the server has said `name` itself.
    #[must_use]
    pub fn announces(&self, name: &str) -> bool {
        self.names.iter().any(|n| n.eq_ignore_ascii_case(name))
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// All of them, upper-cased, in the server's order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// What follows `AUTH=`: SASL mechanisms.
    pub fn auth_mechanisms(&self) -> impl Iterator<Item = &str> {
        self.values("AUTH=")
    }

    /// Whether LOGIN must not be tried (`LOGINDISABLED`).
    #[must_use]
    pub fn login_disabled(&self) -> bool {
        self.announces("LOGINDISABLED")
    }

    /// The largest message that APPEND takes, in bytes, where it is the same for all mailboxes (RFC 7889).
    #[must_use]
    pub fn append_limit(&self) -> Option<u64> {
        self.values("APPENDLIMIT=").next()?.parse().ok()
    }

    /// The most messages that one command may be about (MESSAGELIMIT, RFC 9738).
    #[must_use]
    pub fn message_limit(&self) -> Option<u64> {
        self.values("MESSAGELIMIT=").find_map(|limit| limit.parse().ok().filter(|limit| *limit > 0))
    }

    /// The most messages that a search can save as `$` (SAVELIMIT, RFC 9738).
    #[must_use]
    pub fn save_limit(&self) -> Option<u64> {
        self.values("SAVELIMIT=").find_map(|limit| limit.parse().ok().filter(|limit| *limit > 0))
    }

    /// How literals may be sent.
    #[must_use]
    pub fn literals(&self) -> LiteralMode {
        match (self.announces("LITERAL+"), self.has("LITERAL-")) {
            (true, _) => LiteralMode::Plus,
            (false, true) => LiteralMode::Minus,
            (false, false) => LiteralMode::Sync,
        }
    }

    /// Whether the older protocol is left out: an IMAP4rev2-only server speaks it from the start.
    #[must_use]
    pub fn is_rev2_only(&self) -> bool {
        self.rev2 && !self.announces("IMAP4REV1")
    }

    /// The same without some: what a quirk or a user says not to believe, also where IMAP4rev2 implies it.
    #[must_use]
    pub fn without<S: AsRef<str>>(mut self, names: &[S]) -> Self {
        self.names.retain(|n| !names.iter().any(|without| without.as_ref().eq_ignore_ascii_case(n)));
        self.rev2 = self.announces("IMAP4REV2");
        self.hidden.extend(names.iter().map(|name| name.as_ref().to_ascii_uppercase()));
        self
    }

    fn values<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.names.iter().filter_map(move |name| name.strip_prefix(prefix))
    }
}

impl<S: AsRef<str>> FromIterator<S> for Capabilities {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        let mut all = Self::default();
        let names = names.into_iter().take(MAX_NAMES).map(|n| n.as_ref().to_ascii_uppercase());
        for name in names.filter(|n| !n.is_empty()) {
            if !all.names.contains(&name) {
                all.names.push(name);
            }
        }
        all.rev2 = all.announces("IMAP4REV2");
        all
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.join(" "))
    }
}

/// Most names that are looked at. No server has more than a hundred.
const MAX_NAMES: usize = 1000;

/// What IMAP4rev2 has taken in (RFC 9051 appendix E), and LITERAL- besides (section 4.3).
const IN_REV2: &[&str] = &[
    "ENABLE",
    "IDLE",
    "NAMESPACE",
    "UNSELECT",
    "UIDPLUS",
    "ESEARCH",
    "SEARCHRES",
    "MOVE",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "SASL-IR",
    "LITERAL-",
    "SPECIAL-USE",
    "STATUS=SIZE",
    "CHILDREN",
];

/// Whether IMAP4rev2 holds what that capability stands for.
pub(crate) fn is_in_rev2(name: &str) -> bool {
    IN_REV2.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(text: &str) -> Capabilities {
        text.split(' ').collect()
    }

    #[test]
    fn names_have_no_case_and_stand_once() {
        let caps = caps("imap4rev1 Idle IDLE  AUTH=plain auth=XOAUTH2");
        assert!(caps.has("IDLE") && caps.has("idle") && !caps.has("MOVE"));
        assert_eq!(caps.to_string(), "IMAP4REV1 IDLE AUTH=PLAIN AUTH=XOAUTH2");
        assert_eq!(caps.auth_mechanisms().collect::<Vec<_>>(), ["PLAIN", "XOAUTH2"]);
    }

    #[test]
    fn rev2_has_what_it_took_in() {
        let both = caps("IMAP4rev1 IMAP4rev2");
        assert!(both.has("UIDPLUS") && !both.announces("UIDPLUS") && !both.has("CONDSTORE"));
        assert!(!both.is_rev2_only() && caps("IMAP4rev2").is_rev2_only());
        assert!(!both.without(&["imap4rev2"]).has("UIDPLUS"));
    }

    #[test]
    fn what_is_not_to_be_believed_is_not_implied_either() {
        let hidden = caps("IMAP4rev2 IDLE").without(&["move"]).without(&["LITERAL-"]);
        assert!(!hidden.has("MOVE") && hidden.has("UIDPLUS") && hidden.has("IDLE"));
        assert_eq!(hidden.literals(), LiteralMode::Sync);
    }

    #[test]
    fn literals_are_sent_as_far_as_the_server_allows() {
        assert_eq!(caps("LITERAL+ LITERAL-").literals(), LiteralMode::Plus);
        assert_eq!(caps("IMAP4rev2").literals(), LiteralMode::Minus);
        assert_eq!(caps("IMAP4rev1").literals(), LiteralMode::Sync);
        assert!(LiteralMode::Minus.is_non_sync(4096) && !LiteralMode::Minus.is_non_sync(4097));
        assert!(!LiteralMode::Plus.is_non_sync(100_001) && !LiteralMode::Sync.is_non_sync(0));
    }

    #[test]
    fn an_append_limit_without_a_number_is_one_for_each_mailbox() {
        assert_eq!(caps("APPENDLIMIT").append_limit(), None);
        assert_eq!(caps("APPENDLIMIT=35651584").append_limit(), Some(35_651_584));
    }
}
