//! Logging in: LOGIN and the SASL mechanisms (RFC 9051 section 6.2), as a conversation.

use super::access::{Login, Pass, Said};
use super::connection::Connection;
use super::reply::{Refusal, Reply};
use crate::auth::{Bearer, Mechanism, REFUSED, REFUSED_XOAUTH2, ScramBegun};
use crate::error::Result;
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

/// Most refused logins of one connection.
const MOST_REFUSED: u32 = 3;

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<'_, S> {
    /// AUTHENTICATE, with or without an initial response (RFC 4959); whether the conversation goes on.
    pub(super) async fn authenticate(
        &mut self,
        tag: &str,
        mechanism: Mechanism,
        initial: Option<Bytes>,
    ) -> Result<bool> {
        let first = match initial {
            Some(initial) => Some(initial),
            None => self.respond("").await?,
        };
        let Some(first) = first else { return Ok(false) };
        if first == "*" {
            return self.finish(tag, Err(Refusal::bad("The login was given up"))).await;
        }
        match mechanism {
            Mechanism::ScramSha256 | Mechanism::ScramSha256Plus => self.scram(tag, mechanism, &first).await,
            Mechanism::OAuthBearer | Mechanism::XOAuth2 => self.bearer(tag, mechanism, &first).await,
            _ => match read_plain(&first) {
                Some(login) => self.check(tag, login).await,
                None => self.finish(tag, Err(Refusal::bad("This is no response of PLAIN"))).await,
            },
        }
    }

    /// SCRAM-SHA-256 (RFC 7677): the password never comes here.
    async fn scram(&mut self, tag: &str, mechanism: Mechanism, first: &Bytes) -> Result<bool> {
        let plus = mechanism == Mechanism::ScramSha256Plus;
        let bindings = self.guest.bindings.clone();
        let message = STANDARD.decode(first).ok();
        let begun = message.and_then(|message| ScramBegun::read(&message, plus, &bindings));
        let Some(begun) = begun else {
            return self.finish(tag, Err(Refusal::bad("This is no beginning of SCRAM-SHA-256"))).await;
        };
        let exchange = self.shared.access.challenge(begun).await?;
        let challenge = STANDARD.encode(exchange.text());
        let Some(response) = self.respond(&challenge).await? else { return Ok(false) };
        let message = STANDARD.decode(&response).unwrap_or_default();
        let Some(proof) = self.shared.access.prove(&exchange, &message, self.guest.peer).await else {
            return self.refused(tag).await;
        };
        // The client looks at the proof, and says with an empty line that it believes it.
        let Some(response) = self.respond(&STANDARD.encode(proof)).await? else { return Ok(false) };
        if !response.is_empty() {
            return self.finish(tag, Err(Refusal::bad("The login was given up"))).await;
        }
        self.logged_in(tag, exchange.into_pass()).await
    }

    /// OAUTHBEARER (RFC 7628) and XOAUTH2: whoever runs this server says whether the token is good.
    async fn bearer(&mut self, tag: &str, mechanism: Mechanism, first: &Bytes) -> Result<bool> {
        let message = zeroize::Zeroizing::new(STANDARD.decode(first).unwrap_or_default());
        let (bearer, refused) = match mechanism {
            Mechanism::XOAuth2 => (Bearer::read_xoauth2(&message), REFUSED_XOAUTH2),
            _ => (Bearer::read(&message), REFUSED),
        };
        let Some(bearer) = bearer else {
            return self.finish(tag, Err(Refusal::bad("This is no user with a token"))).await;
        };
        let tokens = self.shared.options.tokens.clone();
        match self.shared.access.bearer(bearer, tokens.as_deref(), self.guest.peer).await? {
            Said::Yes(pass) => self.logged_in(tag, pass).await,
            Said::Unknown => {
                let refusal = Refusal::no("UNAVAILABLE", "Whether the token is good cannot be told now");
                self.finish(tag, Err(refusal)).await
            }
            Said::No => {
                // Whatever the client says to that, the login has failed.
                let Some(_) = self.respond(&STANDARD.encode(refused)).await? else { return Ok(false) };
                self.refused(tag).await
            }
        }
    }

    /// What a client says to a challenge; `None` where it is gone.
    async fn respond(&mut self, challenge: &str) -> Result<Option<Bytes>> {
        self.wire.put(format!("+ {challenge}\r\n").as_bytes());
        self.wire.flush().await?;
        let line = self.wire.line(self.shared.options.login).await?;
        Ok(line.map(|line| line.slice_ref(line.trim_ascii())))
    }

    /// A password, of LOGIN or PLAIN.
    pub(super) async fn check(&mut self, tag: &str, login: Login) -> Result<bool> {
        match self.shared.access.check(login, self.guest.peer).await? {
            Some(pass) => self.logged_in(tag, pass).await,
            None => self.refused(tag).await,
        }
    }

    async fn logged_in(&mut self, tag: &str, pass: Pass) -> Result<bool> {
        self.pass = Some(pass);
        self.session.log_in();
        let code = format!("CAPABILITY {}", self.session.capabilities());
        self.finish(tag, Ok(Reply::ok("Logged in").code(code))).await
    }

    async fn refused(&mut self, tag: &str) -> Result<bool> {
        self.refused += 1;
        let refusal = Refusal::no("AUTHENTICATIONFAILED", "The user name or password is wrong");
        self.finish(tag, Err(refusal)).await?;
        if self.refused >= MOST_REFUSED {
            self.wire.put(b"* BYE Too many refused logins\r\n");
        }
        Ok(self.refused < MOST_REFUSED)
    }
}

/// `authzid NUL authcid NUL password` (RFC 4616). Nobody may act for somebody else.
fn read_plain(response: &[u8]) -> Option<Login> {
    let decoded = zeroize::Zeroizing::new(STANDARD.decode(response).ok()?);
    let text = std::str::from_utf8(&decoded).ok()?;
    let mut fields = text.split('\0');
    let (authorize, user, password) = (fields.next()?, fields.next()?, fields.next()?);
    let is_own = authorize.is_empty() || authorize == user;
    let is_whole = fields.next().is_none() && is_own && !user.is_empty();
    is_whole.then(|| Login { user: user.to_owned(), password: Secret::from(password) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_of_plain_is_taken_apart() {
        let read = |text: &str| read_plain(STANDARD.encode(text).as_bytes()).map(|login| login.user);
        assert_eq!(read("\0ada\0secret").as_deref(), Some("ada"));
        assert_eq!(read("ada\0ada\0secret").as_deref(), Some("ada"));
        for wrong in ["", "ada", "\0ada", "eve\0ada\0secret", "\0\0secret", "\0ada\0a\0b"] {
            assert!(read(wrong).is_none(), "{wrong:?}");
        }
        assert!(read_plain(b"no base64!").is_none());
    }
}
