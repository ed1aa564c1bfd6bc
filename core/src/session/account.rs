//! Where a person's mail is and how to log in.

use super::credentials::{Credentials, Vault};
use crate::auth::Mechanism;
use crate::error::{Code, MailError, Result};
use crate::imap::quirk::{Quirks, quirks_for};
use crate::limits::Limits;
use crate::net::{NetOptions, Security, Url};
use std::sync::Arc;

/// An account on a server.
///
/// Clones share what is remembered of the credentials: a token asked for once serves all connections.
///
/// ```
/// use mailtide::{Account, Credentials, Security};
///
/// let mut account = Account::from_url("imaps://ada@imap.example.org")?;
/// account.credentials = Credentials::Password("lovelace".into());
/// assert_eq!((account.port, account.security), (993, Security::Tls));
/// # Ok::<(), mailtide::MailError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Account {
    /// The server's name or address.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// The user name, as the server wants it.
    pub user: String,
    /// What proves that the user is who he says.
    pub credentials: Credentials,
    /// Whether and how the connection is encrypted.
    pub security: Security,
    /// The mechanism to log in with, and no other; `None` for the strongest that is offered.
    pub mechanism: Option<Mechanism>,
    /// How the server is reached and whom we trust to be it.
    pub net: NetOptions,
    /// What the server may cost us.
    pub limits: Limits,
    /// What to do differently with this server; `None` for what is known of it. Start from
    /// [`quirks_for`](crate::imap::quirk::quirks_for) to add to that, for example a capability that does not work.
    pub quirks: Option<Quirks>,
    /// Open mailboxes with EXAMINE only, and refuse every write.
    pub read_only: bool,
    /// What callbacks have answered.
    pub(super) vault: Arc<Vault>,
}

impl Account {
    /// An account reached over TLS on port 993.
    #[must_use]
    pub fn new(host: impl Into<String>, user: impl Into<String>, credentials: Credentials) -> Self {
        Self {
            host: host.into(),
            port: Security::Tls.default_port(),
            user: user.into(),
            credentials,
            security: Security::Tls,
            mechanism: None,
            net: NetOptions::default(),
            limits: Limits::default(),
            quirks: None,
            read_only: false,
            vault: Arc::default(),
        }
    }

    /// An account from `imaps://user@host`, `imap+starttls://user@host` or, on this machine or with
    /// [`NetOptions::allow_cleartext`], `imap://user@host`.
    ///
    /// `user:password@` is taken as well, each percent-encoded where it holds `/`, `:`, `%` or `@`.
    ///
    /// # Errors
    ///
    /// [`Code::UsageAddress`] where it is not such a URL. The error never quotes it.
    pub fn from_url(url: &str) -> Result<Self> {
        let url = Url::parse(url)?;
        let security = match url.scheme.as_str() {
            "imaps" => Security::Tls,
            "imap+starttls" => Security::StartTls,
            "imap" => Security::Cleartext,
            _ => return Err(unusable("its scheme is not one that we know", SCHEMES)),
        };
        if !url.path.is_empty() {
            return Err(unusable("it names more than a server", "Leave out what follows the host and port"));
        }
        let user = url.user.ok_or_else(|| unusable("it names no user", "Write it as imaps://user@host"))?;
        let credentials = url.password.map_or(Credentials::None, Credentials::Password);
        let port = url.port.unwrap_or(security.default_port());
        Ok(Self { port, security, ..Self::new(url.host, user, credentials) })
    }

    /// What to do differently with its server, of which the text of its greeting and its answer to ID are known so far.
    pub(super) fn quirks(&self, greeting: &str, id: &[(String, Option<String>)]) -> Quirks {
        self.quirks.clone().unwrap_or_else(|| quirks_for(&self.host, greeting, id))
    }

    /// `user@host`, the account's name in a [`MessageRef`](crate::MessageRef).
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}@{}", self.user, self.host)
    }
}

const SCHEMES: &str = "Use imaps://, imap+starttls://, or imap:// on this machine";

fn unusable(why: &str, hint: &str) -> MailError {
    MailError::new(Code::UsageAddress, format!("This URL cannot be used: {why}")).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn urls_say_where_and_how() {
        let table = [
            ("imaps://ada@imap.example.org", Security::Tls, 993),
            ("imaps://ada@imap.example.org:1993/", Security::Tls, 1993),
            ("imap+starttls://ada@imap.example.org", Security::StartTls, 143),
            ("imap://ada@imap.example.org:10143", Security::Cleartext, 10143),
        ];
        for (url, security, port) in table {
            let account = Account::from_url(url).unwrap();
            assert_eq!((account.security, account.port), (security, port), "{url}");
            assert_eq!(account.label(), "ada@imap.example.org");
        }
    }

    #[test]
    fn a_password_in_the_url_is_taken_and_never_shown() {
        let account = Account::from_url("imaps://ada%40x:planted%2Fsecret@h").unwrap();
        assert_eq!(account.user, "ada@x");
        assert!(matches!(&account.credentials, Credentials::Password(p) if *p == Secret::from("planted/secret")));
        assert!(!format!("{account:?}").contains("planted"));
    }

    #[test]
    fn other_urls_are_refused_without_quoting_them() {
        for url in ["https://a:planted@h", "imaps://h", "imaps://a:planted@h/INBOX", "imaps://a:planted@h:x", "ada"] {
            let error = Account::from_url(url).unwrap_err();
            assert_eq!(error.code(), Code::UsageAddress, "{url}");
            assert!(!format!("{error} {error:?}").contains("planted"), "{url}");
        }
    }
}
