//! Where messages are handed in, and how to log in there.

use crate::auth::Mechanism;
use crate::error::{Code, MailError, Result};
use crate::limits::Limits;
use crate::net::{NetOptions, Security, Url};
use crate::session::{Account, Credentials, Vault};
use std::sync::Arc;

/// The submission server of an account (RFC 6409, RFC 8314).
///
/// ```
/// use mailtide::{Account, Security, SmtpAccount};
///
/// let account = Account::from_url("imaps://ada@imap.example.org")?;
/// let smtp = SmtpAccount::of(&account, "smtp.example.org");
/// assert_eq!((smtp.port, smtp.security, smtp.user.as_str()), (465, Security::Tls, "ada"));
/// # Ok::<(), mailtide::MailError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SmtpAccount {
    /// The server's name or address.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// The user name, as the server wants it.
    pub user: String,
    /// What proves that the user is who he says; with [`Credentials::None`] nobody logs in.
    pub credentials: Credentials,
    /// Whether and how the connection is encrypted. STARTTLS is required where it is chosen, and [`Security::Cleartext`]
    /// goes to this machine only, whatever the options say.
    pub security: Security,
    /// The mechanism to log in with, and no other; `None` for the strongest that is offered.
    pub mechanism: Option<Mechanism>,
    /// How the server is reached and whom we trust to be it.
    pub net: NetOptions,
    /// What the server may cost us.
    pub limits: Limits,
    /// What callbacks have answered.
    pub(super) vault: Arc<Vault>,
}

/// Ports that IANA assigns: submissions, submission.
const TLS_PORT: u16 = 465;
const PLAIN_PORT: u16 = 587;

impl SmtpAccount {
    /// The submission server of an account, over TLS on port 465, with the account's user, credentials, trust and limits.
    /// A token asked for once serves both.
    #[must_use]
    pub fn of(account: &Account, host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port: TLS_PORT,
            user: account.user.clone(),
            credentials: account.credentials.clone(),
            security: Security::Tls,
            mechanism: None,
            // The name that the other server's certificate carries is not this one's.
            net: NetOptions { server_name: None, ..account.net.clone() },
            limits: account.limits.clone(),
            vault: account.vault(),
        }
    }

    /// The server that an account's messages are handed in at, as a person names it: a host, which is reached [as the
    /// account is](Self::of); or a [URL](Self::from_url), of which a user without a password logs in with what the account
    /// has, and without a user nobody does. The account's trust and limits hold for all of them.
    ///
    /// ```
    /// use mailtide::{Account, SmtpAccount};
    ///
    /// let account = Account::from_url("imaps://ada:lovelace@imap.example.org")?;
    /// let smtp = SmtpAccount::named("smtp+starttls://ada@smtp.example.org", Some(&account))?;
    /// assert_eq!((smtp.host.as_str(), smtp.port), ("smtp.example.org", 587));
    /// # Ok::<(), mailtide::MailError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Code::UsageAddress`] for a URL that is none of a submission server, and for a bare host without an account.
    pub fn named(server: &str, account: Option<&Account>) -> Result<Self> {
        let Some(account) = account else { return Self::from_url(server) };
        if !server.contains("://") {
            return Ok(Self::of(account, server));
        }
        let given = Self::from_url(server)?;
        let shared = Self::of(account, given.host.clone());
        if given.user.is_empty() || !matches!(given.credentials, Credentials::None) {
            return Ok(Self { net: shared.net, limits: shared.limits, ..given });
        }
        Ok(Self { port: given.port, security: given.security, user: given.user, ..shared })
    }

    /// A server from `smtps://user@host`, `smtp+starttls://user@host` or, on this machine only, `smtp://user@host`. The
    /// user may be left out where nobody has to log in; `user:password@` is taken as well, percent-encoded.
    ///
    /// # Errors
    ///
    /// [`Code::UsageAddress`] where it is not such a URL. The error never quotes it.
    pub fn from_url(url: &str) -> Result<Self> {
        let url = Url::parse(url)?;
        let (security, port) = match url.scheme.as_str() {
            "smtps" => (Security::Tls, TLS_PORT),
            "smtp+starttls" => (Security::StartTls, PLAIN_PORT),
            "smtp" => (Security::Cleartext, PLAIN_PORT),
            _ => return Err(unusable("its scheme is not one that we know")),
        };
        if !url.path.is_empty() {
            return Err(unusable("it names more than a server"));
        }
        let credentials = url.password.map_or(Credentials::None, Credentials::Password);
        let account = Account::new(url.host.clone(), url.user.unwrap_or_default(), credentials);
        Ok(Self { security, port: url.port.unwrap_or(port), ..Self::of(&account, url.host) })
    }
}

fn unusable(why: &str) -> MailError {
    MailError::new(Code::UsageAddress, format!("This URL cannot be used: {why}"))
        .hint("Use smtps://, smtp+starttls://, or smtp:// on this machine")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_say_where_and_how() {
        for (url, security, port) in [
            ("smtps://ada@smtp.example.org", Security::Tls, 465),
            ("smtp+starttls://ada@smtp.example.org", Security::StartTls, 587),
            ("smtp://ada@localhost:2525", Security::Cleartext, 2525),
        ] {
            let account = SmtpAccount::from_url(url).unwrap();
            assert_eq!((account.security, account.port, account.user.as_str()), (security, port, "ada"), "{url}");
        }
        assert!(SmtpAccount::from_url("smtp://localhost").unwrap().user.is_empty());
    }

    #[test]
    fn a_server_is_named_by_its_host_or_by_a_url() {
        let mut account = Account::new("imap.example.org", "ada", Credentials::Password("lovelace".into()));
        account.limits.connect = std::time::Duration::from_secs(7);
        let named = |server: &str| SmtpAccount::named(server, Some(&account)).unwrap();
        for (server, user, logs_in, port) in [
            ("smtp.example.org", "ada", true, 465),
            ("smtp+starttls://ada@smtp.example.org", "ada", true, 587),
            ("smtps://grace@smtp.example.org:1465", "grace", true, 1465),
            ("smtps://smtp.example.org", "", false, 465),
            ("smtps://grace:hopper@smtp.example.org", "grace", true, 465),
        ] {
            let smtp = named(server);
            let shown = (smtp.host.as_str(), smtp.user.as_str(), smtp.port, smtp.limits.connect.as_secs());
            assert_eq!(shown, ("smtp.example.org", user, port, 7), "{server}");
            assert_eq!(!matches!(smtp.credentials, Credentials::None), logs_in, "{server}");
        }
        assert_eq!(SmtpAccount::named("smtp.example.org", None).unwrap_err().code(), Code::UsageAddress);
        assert_eq!(SmtpAccount::named("imaps://h", Some(&account)).unwrap_err().code(), Code::UsageAddress);
    }

    #[test]
    fn a_password_in_the_url_is_never_shown() {
        let account = SmtpAccount::from_url("smtps://a:planted@h").unwrap();
        assert!(matches!(account.credentials, Credentials::Password(_)) && !format!("{account:?}").contains("planted"));
        for url in ["imaps://a:planted@h", "smtps://a:planted@h/x", "smtps://a:planted@h:x"] {
            let error = SmtpAccount::from_url(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("planted"), "{url}");
        }
    }
}
