//! From an account to a connection that takes messages, and one message over it.

use super::account::SmtpAccount;
use super::smtp::{
    Capabilities, Envelope, Fate, Login, Machine, Opening, Stage, Step, Stuffed, Transaction, Upgrade, mechanism,
};
use super::wire::{Io, Wire};
use crate::auth::{self, Binding, CredentialKind, Identity, Mechanism, Refusal};
use crate::error::{Code, MailError, Result};
use crate::limits::Limits;
use crate::net::{self, Handshake, Security, Stream, within};
use crate::secret::Secret;
use crate::session::{Credentials, Refused};
use futures_util::future::BoxFuture;
use ring::rand::{SecureRandom, SystemRandom};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A connection that is logged in.
pub(crate) struct Connection {
    wire: Wire<Box<dyn Io>>,
    capabilities: Capabilities,
    /// What the server has said of itself; it tells providers apart.
    pub greeting: String,
    /// After a failure nothing more can be said on it.
    usable: bool,
}

/// What has come of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Submitted {
    /// Of each recipient, in order. [`Fate::Open`] is left where an error came first.
    pub fates: Vec<Fate>,
    /// How far it had come; with [`Stage::DotSent`] an open fate is uncertain.
    pub reached: Option<Stage>,
}

/// Where connections come from; tests and the simulation have their own.
pub(crate) trait Connect: Send + Sync {
    fn connect(&self) -> BoxFuture<'_, Result<Connection>>;
}

impl Connect for SmtpAccount {
    fn connect(&self) -> BoxFuture<'_, Result<Connection>> {
        Box::pin(open(self))
    }
}

/// Makes streams, for tests and the simulation.
pub type Dial = Arc<dyn Fn() -> BoxFuture<'static, Result<Box<dyn Io>>> + Send + Sync>;

/// Connections from streams that somebody makes.
pub(super) struct Dialled(pub Dial);

impl Connect for Dialled {
    fn connect(&self) -> BoxFuture<'_, Result<Connection>> {
        Box::pin(async { Connection::over((self.0)().await?, &Limits::default()).await })
    }
}

/// Makes a stage durable before it begins.
pub(crate) trait Commits: Send {
    fn commit<'a>(&'a mut self, stage: Stage, fates: &'a [Fate]) -> BoxFuture<'a, Result<()>>;
}

impl Connection {
    /// A connection over a stream that is as safe as it will be and needs no login.
    async fn over(stream: Box<dyn Io>, limits: &Limits) -> Result<Self> {
        let mut wire = Wire::new(stream, limits);
        let (capabilities, greeting) = greet(&mut wire, Opening::new()).await?;
        Ok(Self { wire, capabilities, greeting, usable: true })
    }

    /// Whether another message may follow.
    pub fn is_usable(&self) -> bool {
        self.usable
    }

    /// Sends one message. The error comes beside what was reached before it.
    pub async fn submit(
        &mut self,
        envelope: Envelope,
        content: &mut Stuffed<'_>,
        commits: &mut dyn Commits,
    ) -> (Submitted, Option<MailError>) {
        let count = envelope.recipients.len();
        self.usable = false;
        let mut transaction = match Transaction::new(envelope, self.capabilities.clone()) {
            Ok(transaction) => transaction,
            Err(error) => return (Submitted { fates: vec![Fate::Open; count], reached: None }, Some(error)),
        };
        let error = self.drive(&mut transaction, content, commits).await.err();
        self.usable = error.is_none();
        (Submitted { fates: transaction.fates().to_vec(), reached: transaction.reached() }, error)
    }

    async fn drive(
        &mut self,
        transaction: &mut Transaction,
        content: &mut Stuffed<'_>,
        commits: &mut dyn Commits,
    ) -> Result<()> {
        let mut heard = None;
        loop {
            heard = match transaction.step(heard.take())? {
                Step::Done => return Ok(()),
                Step::Commit(stage) => {
                    commits.commit(stage, transaction.fates()).await?;
                    None
                }
                Step::Body(count) => {
                    let piece = zeroize::Zeroizing::new(content.next(count).await?);
                    self.wire.perform(Step::Send(piece)).await?
                }
                step => self.wire.perform(step).await?,
            };
        }
    }

    /// Says goodbye. Whatever was accepted is accepted, so nobody waits for the answer.
    pub async fn quit(mut self) {
        const GOODBYE: Duration = Duration::from_secs(1);
        if self.usable {
            let bytes = zeroize::Zeroizing::new(b"QUIT\r\n".to_vec());
            let _ = tokio::time::timeout(GOODBYE, self.wire.perform(Step::Send(bytes))).await;
        }
    }
}

/// Connects and logs in. A token that is refused is asked for anew, once.
async fn open(account: &SmtpAccount) -> Result<Connection> {
    let named = |error: MailError| match error.context().host {
        Some(_) => error,
        None => error.with(|context| context.host = Some(account.host.clone())),
    };
    let mut refused: Option<Refused> = None;
    loop {
        let secret = secret(account, refused.as_ref()).await?;
        let (error, refusal) = match attempt(account, secret.as_ref()).await {
            Ok(connection) => return Ok(connection),
            Err(failure) => failure,
        };
        let (Some(refusal), Some(secret)) = (refusal, secret) else { return Err(named(error)) };
        if account.credentials.kind() == CredentialKind::Password {
            account.vault.forget(&secret).await;
            return Err(named(error));
        }
        match refused.replace(Refused::new(secret.clone(), refusal)) {
            None => {}
            // The callback had nothing newer.
            Some(before) if before.secret == secret && refusal == Refusal::Expired => return Err(named(expired())),
            Some(_) => return Err(named(error)),
        }
    }
}

async fn secret(account: &SmtpAccount, refused: Option<&Refused>) -> Result<Option<Secret>> {
    if matches!(account.credentials, Credentials::None) {
        return Ok(None);
    }
    let who = (account.user.as_str(), account.host.as_str());
    account.vault.secret(&account.credentials, who, refused, SystemTime::now()).await.map(Some)
}

/// An error, and what the server has said about the secret if it was that.
type Failure = (MailError, Option<Refusal>);

async fn attempt(account: &SmtpAccount, secret: Option<&Secret>) -> Result<Connection, Failure> {
    let plain = |error| (error, None);
    let (stream, opening) = connect(account).await.map_err(plain)?;
    let exporter = stream.tls_exporter();
    let mut wire = Wire::new(Box::new(stream) as Box<dyn Io>, &account.limits);
    let (capabilities, greeting) = greet(&mut wire, opening).await.map_err(plain)?;
    if let Some(secret) = secret {
        log_in(account, &mut wire, &capabilities, (secret, exporter)).await?;
    }
    Ok(Connection { wire, capabilities, greeting, usable: true })
}

async fn greet<S: Io>(wire: &mut Wire<S>, mut opening: Opening) -> Result<(Capabilities, String)> {
    wire.run(&mut opening).await?;
    Ok(opening.done())
}

/// A stream that is as safe as the account wants it, and what is to be said on it first.
async fn connect(account: &SmtpAccount) -> Result<(Stream, Opening)> {
    let SmtpAccount { host, port, net: options, limits, security, .. } = account;
    if *security == Security::Cleartext && (options.proxy.is_some() || !net::is_loopback(host)) {
        return Err(cleartext());
    }
    let connecting = async {
        let stream = net::connect(host, *port, options).await?;
        match security {
            Security::Tls => stream.secure(host, options, Handshake::Implicit).await,
            Security::StartTls | Security::Cleartext => Ok(stream),
        }
    };
    let stream = within(limits.connect, "Connecting", connecting).await?;
    if *security != Security::StartTls {
        return Ok((stream, Opening::new()));
    }
    let stream = upgrade(stream, limits).await?;
    let secured = stream.secure(host, options, Handshake::AfterStartTls);
    Ok((within(limits.connect, "The TLS handshake", secured).await?, Opening::after_starttls()))
}

/// STARTTLS. Only the stream comes out of it, at the one moment when the handshake may begin.
async fn upgrade(stream: Stream, limits: &Limits) -> Result<Stream> {
    let mut wire = Wire::in_clear(stream, limits);
    wire.run(&mut Upgrade::new()).await?;
    if wire.has_more() || wire.stream().has_unread() {
        return Err(MailError::new(Code::NetTampered, "The server went on in clear after it had agreed to TLS")
            .hint("Somebody between us and the server may be sending in its place"));
    }
    Ok(wire.into_stream())
}

async fn log_in<S: Io>(
    account: &SmtpAccount,
    wire: &mut Wire<S>,
    capabilities: &Capabilities,
    (secret, exporter): (&Secret, Option<[u8; 32]>),
) -> Result<(), Failure> {
    let plain = |error| (error, None);
    let kind = account.credentials.kind();
    let chosen = mechanism(capabilities, kind, account.mechanism, exporter.is_some()).map_err(plain)?;
    let binding = match (chosen, exporter) {
        (Mechanism::ScramSha256Plus, Some(value)) => Binding::TlsExporter(value),
        (_, Some(_)) if account.mechanism.is_none() => Binding::NotOffered,
        _ => Binding::None,
    };
    let nonce = nonce().map_err(plain)?;
    let SmtpAccount { user, host, port, .. } = account;
    let identity = Identity { user, secret, host, port: *port, nonce: &nonce, binding };
    let exchange = auth::start(chosen, &identity).map_err(plain)?;
    wire.hide(user, secret);
    let mut login = Login::new(chosen, exchange, kind);
    let Err(error) = wire.run(&mut login).await else { return Ok(()) };
    let by_code = (error.code() == Code::AuthRejected).then_some(Refusal::Rejected);
    let refusal = login.refusal().filter(|_| by_code.is_some()).or(by_code);
    Err((error, refusal))
}

/// Letters that nobody can guess, for SCRAM.
fn nonce() -> Result<String> {
    let mut bytes = [0; 24];
    let failed = |_| MailError::new(Code::Internal, "The system gives no random numbers");
    SystemRandom::new().fill(&mut bytes).map_err(failed)?;
    Ok(bytes.iter().map(|b| char::from(b'a' + b % 26)).collect())
}

fn expired() -> MailError {
    MailError::new(Code::AuthTokenExpired, "The token is no longer valid, and the callback gave no newer one")
}

fn cleartext() -> MailError {
    MailError::new(Code::UsageAddress, "Mail goes unencrypted to this machine only")
        .hint("Use smtps:// or smtp+starttls://")
}
