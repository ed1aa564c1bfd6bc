//! From an account to a connection that is logged in.

use super::account::Account;
use super::credentials::{Credentials, Refused};
use super::guard;
use super::guard_script::Script;
use super::link::{Answer, LineLog, Link};
use super::redact;
use super::refusal;
use super::starttls::Plain;
use crate::auth::{self, Binding, Choice, CredentialKind, Identity, Mechanism, Offer, Refusal};
use crate::error::{Code, MailError, Result};
use crate::imap::{Capabilities, Response, ResponseCode, Status, StatusKind, Untagged};
use crate::net::{self, Handshake, Security, Stream, within};
use crate::secret::Secret;
use bytes::BytesMut;
use ring::rand::{SecureRandom, SystemRandom};
use std::time::SystemTime;

/// A connection ready for commands.
#[derive(Debug)]
pub(crate) struct Opened {
    pub stream: Stream,
    /// What the server has sent after its answer to the login.
    pub buffer: BytesMut,
    /// What it can do for this user.
    pub capabilities: Capabilities,
    /// The text of its greeting; empty after STARTTLS.
    pub greeting: String,
    /// Data that came with the login, unasked.
    pub untagged: Vec<Response>,
    /// Whether it took us for logged in from the start.
    #[cfg_attr(not(test), expect(dead_code, reason = "only tests ask"))]
    pub preauth: bool,
    /// Begins every tag of this connection; no tag sent so far was this followed by a digit.
    pub tag_prefix: String,
}

/// Connects and logs in. A token that is refused is asked for anew, once.
pub(crate) async fn open(account: &Account, log: Option<LineLog>) -> Result<Opened> {
    let opened = open_with_credentials(account, log).await;
    opened.map_err(|error| match error.context().host {
        Some(_) => error,
        None => error.with(|context| context.host = Some(account.host.clone())),
    })
}

async fn open_with_credentials(account: &Account, log: Option<LineLog>) -> Result<Opened> {
    let mut refused: Option<Refused> = None;
    loop {
        let secret = secret(account, refused.as_ref()).await?;
        let failure = match attempt(account, secret.as_ref(), log.clone()).await {
            Ok(opened) => return Ok(opened),
            Err(failure) => failure,
        };
        let (Some(refusal), Some(secret)) = (failure.refusal, secret) else { return Err(failure.error) };
        if account.credentials.kind() == CredentialKind::Password {
            account.vault.forget(&secret).await;
            return Err(failure.error);
        }
        match refused.replace(Refused::new(secret.clone(), refusal)) {
            None => {}
            // The callback had nothing newer.
            Some(before) if before.secret == secret && refusal == Refusal::Expired => return Err(expired()),
            Some(_) => return Err(failure.error),
        }
    }
}

/// What to log in with, asked for before there is a connection that would wait for the answer.
async fn secret(account: &Account, refused: Option<&Refused>) -> Result<Option<Secret>> {
    if matches!(account.credentials, Credentials::None) && account.net.client_certificate.is_some() {
        return Ok(None);
    }
    let who = (account.user.as_str(), account.host.as_str());
    account.vault.secret(&account.credentials, who, refused, SystemTime::now()).await.map(Some)
}

/// An attempt that failed, and what the server has said about the secret if it was that.
struct Failure {
    error: MailError,
    refusal: Option<Refusal>,
}

impl From<MailError> for Failure {
    fn from(error: MailError) -> Self {
        Self { error, refusal: None }
    }
}

async fn attempt(account: &Account, secret: Option<&Secret>, log: Option<LineLog>) -> Result<Opened, Failure> {
    let stream = connect(account, log.clone()).await?;
    let mut opening = Opening::new(account, Link::new(stream, &account.limits, log), random_letters(PREFIX)?);
    if account.security != Security::StartTls {
        within(account.limits.greeting, "Waiting for the server's greeting", opening.greet()).await?;
    }
    within(account.limits.progress, "Asking what the server can do", opening.learn()).await?;
    if !opening.preauth {
        let secret = secret.ok_or_else(|| MailError::from(Code::AuthMissing))?;
        let login = Box::pin(opening.log_in(secret));
        match tokio::time::timeout(account.limits.progress, login).await {
            Ok(result) => result?,
            Err(_) => return Err(MailError::new(Code::NetTimeout, "The server does not answer the login").into()),
        }
        within(account.limits.progress, "Asking what the server can do", opening.learn()).await?;
    }
    Ok(opening.done())
}

/// A stream that is as safe as the account wants it.
async fn connect(account: &Account, log: Option<LineLog>) -> Result<Stream> {
    let Account { host, port, net: options, limits, .. } = account;
    let direct = options.proxy.is_none() && net::is_loopback(host);
    #[cfg(feature = "test-support")]
    let direct = direct || options.dialer.is_some();
    if account.security == Security::Cleartext && !direct && !options.allow_cleartext {
        return Err(cleartext());
    }
    let connecting = async {
        let stream = net::connect(host, *port, options).await?;
        if account.security != Security::Tls {
            return Ok(stream);
        }
        stream.secure(host, options, Handshake::Implicit).await
    };
    let stream = within(limits.connect, "Connecting", connecting).await?;
    if account.security != Security::StartTls {
        return Ok(stream);
    }
    let link = Link::new(stream, limits, log);
    let greeting = Plain::greet(link, random_letters(PREFIX)?);
    let plain = within(limits.greeting, "Waiting for the server's greeting", greeting).await?;
    let stream = within(limits.progress, "STARTTLS", plain.starttls()).await?;
    within(limits.connect, "The TLS handshake", stream.secure(host, options, Handshake::AfterStartTls)).await
}

/// A connection on its way, all of it after TLS where there is TLS.
struct Opening<'a> {
    account: &'a Account,
    link: Link,
    prefix: String,
    commands: u32,
    capabilities: Option<Capabilities>,
    greeting: String,
    untagged: Vec<Response>,
    preauth: bool,
}

impl<'a> Opening<'a> {
    fn new(account: &'a Account, link: Link, prefix: String) -> Self {
        Self {
            account,
            link,
            prefix,
            commands: 0,
            capabilities: None,
            greeting: String::new(),
            untagged: Vec::new(),
            preauth: false,
        }
    }

    async fn greet(&mut self) -> Result<()> {
        let frame = self.link.frame().await?;
        self.link.note(false, || redact::received(&frame));
        let greeting = self.link.read(&frame).map_err(|_| not_imap())?;
        let Some(Response::Status { kind, code, text }) = greeting else { return Err(not_imap()) };
        match kind {
            StatusKind::Ok => {}
            StatusKind::Preauth => self.preauth = true,
            StatusKind::Bye => return Err(refusal::farewell(code.as_ref(), &text)),
            StatusKind::No | StatusKind::Bad => return Err(not_imap()),
        }
        self.greeting = text;
        self.capabilities = announced(code);
        Ok(())
    }

    /// Asks for the capabilities where they are not known.
    async fn learn(&mut self) -> Result<()> {
        if self.capabilities.is_some() {
            return Ok(());
        }
        let tag = self.tag();
        let (mut found, mut kept) = (Capabilities::default(), Vec::new());
        let keep = |_: &_, response| {
            match response {
                Some(Response::Data(Untagged::Capability(capabilities))) => found = capabilities,
                Some(other) => kept.push(other),
                None => {}
            }
            Ok(())
        };
        let answer = self.link.run(&tag, "CAPABILITY", keep).await?;
        if answer.status != Status::Ok {
            return Err(refusal::refused("CAPABILITY", answer.status, answer.code.as_ref(), &answer.text));
        }
        self.untagged.append(&mut kept);
        self.capabilities = Some(found);
        Ok(())
    }

    async fn log_in(&mut self, secret: &Secret) -> Result<(), Failure> {
        self.link.hide(secret);
        let capabilities = self.capabilities.take().unwrap_or_default();
        let choice = self.choose(&capabilities)?;
        let (script, mechanism) = self.script(choice, &capabilities, secret)?;
        let tag = self.tag();
        let login = guard::log_in(&mut self.link, tag, script, mechanism).await?;
        if login.answer.status != Status::Ok {
            return Err(self.refused(&login.answer, login.refusal));
        }
        // What was said before the login was said to anybody.
        let (mut announced, code) = (None, announced(login.answer.code));
        for response in login.untagged {
            match response {
                Response::Data(Untagged::Capability(capabilities)) => announced = Some(capabilities),
                other => self.untagged.push(other),
            }
        }
        self.capabilities = code.or(announced);
        Ok(())
    }

    fn choose(&self, capabilities: &Capabilities) -> Result<Choice> {
        let account = self.account;
        let login_disabled = capabilities.login_disabled();
        // Exchange takes domain\user\mailbox in LOGIN, and not in PLAIN.
        let odd_user = account.user.contains('\\') && !login_disabled && account.mechanism.is_none();
        let mechanisms: Vec<&str> =
            capabilities.auth_mechanisms().filter(|m| !(odd_user && m.eq_ignore_ascii_case("PLAIN"))).collect();
        auth::choose(&Offer {
            mechanisms: &mechanisms,
            login_disabled,
            binding: self.link.stream().tls_exporter().is_some(),
            credential: account.credentials.kind(),
            wanted: account.mechanism,
        })
    }

    fn script(&self, choice: Choice, offered: &Capabilities, secret: &Secret) -> Result<(Script, Option<Mechanism>)> {
        let Account { user, host, port, .. } = self.account;
        let mechanism = match choice {
            Choice::LoginCommand => return Ok((Script::login(user, secret, offered.literals())?, None)),
            Choice::Sasl(mechanism) => mechanism,
        };
        let (nonce, binding) = (random_letters(24)?, self.binding(mechanism));
        let identity = Identity { user, secret, host, port: *port, nonce: &nonce, binding };
        // Coremail offers SASL-IR and answers it with BAD.
        let inline = self.account.quirks_of(&self.greeting, &[]).believe(offered.clone()).has("SASL-IR");
        Ok((Script::sasl(mechanism, auth::start(mechanism, &identity)?, inline), Some(mechanism)))
    }

    fn binding(&self, mechanism: Mechanism) -> Binding {
        match (mechanism, self.link.stream().tls_exporter()) {
            (Mechanism::ScramSha256Plus, Some(value)) => Binding::TlsExporter(value),
            (_, Some(_)) if self.account.mechanism.is_none() => Binding::NotOffered,
            _ => Binding::None,
        }
    }

    /// What a NO or BAD to the login means.
    fn refused(&self, answer: &Answer, said: Option<Refusal>) -> Failure {
        if answer.code == Some(ResponseCode::PrivacyRequired) {
            let message = "The server takes this login only over an encrypted connection";
            return MailError::new(Code::AuthNoMechanism, message).hint("Use imaps:// or imap+starttls://").into();
        }
        let token = self.account.credentials.kind() == CredentialKind::Token;
        let text = self.link.concealed(&answer.text);
        let error = refusal::refused("the login", answer.status, answer.code.as_ref(), &text);
        // A NO to a login says that the secret will not do, unless it says something else.
        let by_code = match error.code() {
            Code::AuthTokenExpired if token => Some(Refusal::Expired),
            Code::AuthRejected | Code::AuthTokenExpired | Code::ServerRefused => Some(Refusal::Rejected),
            _ => None,
        };
        let Some(refusal) = said.or(by_code) else { return error.into() };
        let message =
            if token { "The server refused the token" } else { "The server refused the user name or password" };
        let context = error.context().clone();
        let error = MailError::new(Code::AuthRejected, message).with(|c| *c = context);
        let error = match refusal {
            Refusal::Scope => error.hint("The token does not allow reading mail: ask for the scope that IMAP needs"),
            _ => error,
        };
        Failure { error, refusal: Some(refusal) }
    }

    /// Tags of the opening have a letter where those of the session have a digit.
    fn tag(&mut self) -> String {
        self.commands += 1;
        format!("{}L{}", self.prefix, self.commands)
    }

    fn done(self) -> Opened {
        let (stream, buffer) = self.link.into_parts();
        Opened {
            stream,
            buffer,
            capabilities: self.capabilities.unwrap_or_default(),
            greeting: self.greeting,
            untagged: self.untagged,
            preauth: self.preauth,
            tag_prefix: self.prefix,
        }
    }
}

fn announced(code: Option<ResponseCode>) -> Option<Capabilities> {
    if let Some(ResponseCode::Capability(capabilities)) = code { Some(capabilities) } else { None }
}

/// Letters before the number of a tag: a guess hits one time in 300 million.
const PREFIX: usize = 6;

/// Letters that nobody can guess: for tags, so that answers cannot be sent ahead of the command, and for SCRAM.
fn random_letters(count: usize) -> Result<String> {
    let mut bytes = vec![0; count];
    let failed = |_| MailError::new(Code::Internal, "The system gives no random numbers");
    SystemRandom::new().fill(&mut bytes).map_err(failed)?;
    Ok(bytes.iter().map(|b| char::from(b'a' + b % 26)).collect())
}

fn not_imap() -> MailError {
    MailError::new(Code::ServerProtocol, "What answered is not an IMAP server").hint("Check host and port")
}

fn expired() -> MailError {
    MailError::new(Code::AuthTokenExpired, "The token is no longer valid, and the callback gave no newer one")
}

fn cleartext() -> MailError {
    MailError::new(Code::UsageAddress, "Without encryption everybody on the way could read password and mail")
        .hint("Use imaps:// or imap+starttls://, or say allow_cleartext")
}

#[cfg(test)]
mod tests;
