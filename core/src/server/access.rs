//! Who may log in: passwords against the verifiers that the store keeps (RFC 5802 section 3, RFC 5803), and tokens that
//! the host program knows.

use super::now;
use super::options::TokenCheck;
use super::refusals::Refusals;
use super::users::Users;
use crate::auth::{Bearer, Keys, SCRAM_SHA_256, ScramBegun, ScramServer, derive_keys};
use crate::error::{Code, MailError, Result};
use crate::secret::Secret;
use crate::store::{Handle, Reader, Verifier};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Rounds of PBKDF2 for new verifiers (RFC 7677 section 4 asks for 4,096 at least).
const ITERATIONS: u32 = 15_000;
/// Length of a salt, in bytes.
const SALT: usize = 16;
/// Length of a key, in bytes.
const KEY: usize = 32;
/// Longest password that is looked at, in bytes.
const LONGEST: usize = 1024;
/// How long changes of the store gather before it is asked whether users are among them.
const GATHER: Duration = Duration::from_millis(50);

/// A login with a password.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Login {
    pub user: String,
    pub password: Secret,
}

/// What somebody has come in with: the name, and the verifier of the password, or none for a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pass {
    name: String,
    verifier: Option<Verifier>,
}

/// What was said of a token.
pub(super) enum Said {
    Yes(Pass),
    No,
    /// It could not be found out.
    Unknown,
}

/// A login by SCRAM under way.
pub(super) struct Exchange {
    scram: ScramServer,
    name: String,
    /// `None` for a user that is not there.
    verifier: Option<Verifier>,
}

impl Exchange {
    /// The challenge.
    pub(super) fn text(&self) -> &str {
        self.scram.text()
    }

    /// To be asked for once the password is proved.
    pub(super) fn into_pass(self) -> Pass {
        Pass { name: self.name, verifier: self.verifier }
    }
}

/// The users of a store.
pub(super) struct Access {
    store: Handle,
    /// For names that nobody has: refusing them takes as long as refusing a wrong password.
    nobody: Verifier,
    refusals: Mutex<Refusals>,
    /// Changes whenever somebody may have lost what he has come in with.
    changes: watch::Sender<()>,
    /// Somebody is in, who may have to go.
    came: Notify,
}

impl Access {
    pub(super) fn new(store: Handle) -> Result<Self> {
        // Of no password at all: what it costs is only paid by who tries one.
        let (mechanism, iterations) = (SCRAM_SHA_256.to_owned(), ITERATIONS);
        let (salt, stored_key, server_key) = (random(SALT)?, random(KEY)?, random(KEY)?);
        let nobody = Verifier { mechanism, iterations, salt, stored_key, server_key };
        Ok(Self { store, nobody, refusals: Mutex::default(), changes: watch::Sender::new(()), came: Notify::new() })
    }

    pub(super) fn store(&self) -> &Handle {
        &self.store
    }

    pub(super) fn users(&self) -> Users {
        Users::of(self.store.clone())
    }

    /// Whether anybody could log in.
    pub(super) async fn has_users(&self) -> Result<bool> {
        let ask = |reader: &dyn Reader| {
            for user in reader.users()?.into_iter().filter(|user| !user.disabled) {
                if user.verifier.is_some() || !reader.app_passwords(user.id)?.is_empty() {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        self.store.read(ask).await
    }

    /// Tells those who are in of every change of users and passwords, by this process or another. Listens only while
    /// somebody is in.
    pub(super) async fn heed(&self) {
        loop {
            self.came.notified().await;
            let mut heard = self.store.changes();
            // Whatever has changed before this listened may have: the first look is always told.
            let mut seen = None;
            loop {
                if let Ok(now) = self.store.glance(|reader| reader.users_version())
                    && seen != Some(now)
                {
                    seen = Some(now);
                    self.changes.send_replace(());
                }
                tokio::time::sleep(GATHER).await;
                tokio::select! {
                    () = self.changes.closed() => break,
                    changed = heard.changed() => if changed.is_err() { return },
                }
            }
        }
    }

    /// Comes back once what somebody has come in with is no longer good, as far as [`Access::heed`] hears of it.
    pub(super) async fn dismissed(&self, pass: Pass) {
        let mut changes = self.changes.subscribe();
        self.came.notify_one();
        loop {
            // Where the store cannot be asked, nothing was taken away either.
            if !self.is_good(&pass).unwrap_or(true) {
                return;
            }
            if changes.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    fn is_good(&self, pass: &Pass) -> Result<bool> {
        self.store.glance(|reader| match &pass.verifier {
            Some(verifier) => Ok(find(reader, &pass.name)?.as_ref() == Some(verifier)),
            None => Ok(!reader.user(&pass.name)?.is_some_and(|user| user.disabled)),
        })
    }

    /// Whether that is the user's password; `None`, after a while, where it is not.
    pub(super) async fn check(&self, login: Login, peer: IpAddr) -> Result<Option<Pass>> {
        let Login { user: name, password } = login;
        let known = self.find(&name)?;
        let verifier = known.clone().unwrap_or_else(|| self.nobody.clone());
        let is_right = blocking(move || is_password(&verifier, &password)).await? && known.is_some();
        self.note(is_right, peer, &name).await;
        Ok(is_right.then_some(Pass { name, verifier: known }))
    }

    /// Whether a token lets its user in. A user of the store that is disabled stays out, whatever the token.
    pub(super) async fn bearer(&self, bearer: Bearer, tokens: Option<&dyn TokenCheck>, peer: IpAddr) -> Result<Said> {
        let Bearer { user: name, token } = bearer;
        let pass = Pass { name, verifier: None };
        let said = match tokens {
            Some(tokens) => tokens.allows(&pass.name, &token).await,
            None => Ok(false),
        };
        let is_right = match said {
            Ok(is_right) => is_right && self.is_good(&pass)?,
            Err(error) => {
                log::warn!("a token could not be checked: {error}");
                return Ok(Said::Unknown);
            }
        };
        self.note(is_right, peer, &pass.name).await;
        Ok(if is_right { Said::Yes(pass) } else { Said::No })
    }

    /// The challenge of SCRAM for whoever wants to log in: a user that is not there has one as well, always the same.
    pub(super) async fn challenge(&self, begun: ScramBegun) -> Result<Exchange> {
        let name = begun.user.clone();
        let usable = self.find(&name)?.filter(|verifier| verifier.mechanism == SCRAM_SHA_256);
        let salt = match &usable {
            Some(verifier) => verifier.salt.clone(),
            None => self.salt_of_nobody(&name),
        };
        let iterations = usable.as_ref().map_or(ITERATIONS, |verifier| verifier.iterations);
        let nonce = STANDARD.encode(random(18)?);
        Ok(Exchange { scram: begun.challenge(&nonce, &salt, iterations), name, verifier: usable })
    }

    /// What proves to the client that its password is known here; `None`, after a while, where it is not.
    pub(super) async fn prove(&self, exchange: &Exchange, message: &[u8], peer: IpAddr) -> Option<String> {
        let proved = exchange
            .verifier
            .as_ref()
            .and_then(|verifier| exchange.scram.finish(message, &verifier.stored_key, &verifier.server_key));
        self.note(proved.is_some(), peer, &exchange.name).await;
        proved
    }

    fn find(&self, name: &str) -> Result<Option<Verifier>> {
        self.store.glance(|reader| find(reader, name))
    }

    fn salt_of_nobody(&self, name: &str) -> Vec<u8> {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &self.nobody.server_key);
        ring::hmac::sign(&key, name.as_bytes()).as_ref().iter().take(SALT).copied().collect()
    }

    /// Waits before a refusal.
    async fn note(&self, is_right: bool, peer: IpAddr, user: &str) {
        let wait = {
            let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
            if is_right {
                refusals.forgive(user);
                Duration::ZERO
            } else {
                refusals.note(peer, user, now().seconds())
            }
        };
        if is_right {
            log::debug!("a client has logged in");
        } else {
            tokio::time::sleep(wait).await;
        }
    }
}

/// The verifier behind a name to log in with: a user's own, or with `user+label` the one of an app password. The name
/// alone says which: SCRAM cannot try several, and trying several would show in the time how many there are.
fn find(reader: &dyn Reader, name: &str) -> Result<Option<Verifier>> {
    if let Some(user) = reader.user(name)? {
        return Ok(user.verifier.filter(|_| !user.disabled));
    }
    let Some((owner, label)) = name.rsplit_once('+') else { return Ok(None) };
    let Some(owner) = reader.user(owner)?.filter(|owner| !owner.disabled) else { return Ok(None) };
    Ok(reader.app_password(owner.id, label)?.map(|password| password.verifier))
}

/// What is kept of a new password.
pub(super) async fn verifier_of(password: Secret) -> Result<Verifier> {
    if password.reveal().is_empty() || password.reveal().len() > LONGEST {
        return Err(MailError::new(Code::UsageArgument, "A password has 1 to 1,024 bytes"));
    }
    blocking(move || verifier(&password)).await?
}

fn verifier(password: &Secret) -> Result<Verifier> {
    let salt = random(SALT)?;
    let Keys { stored_key, server_key } = derive_keys(password, &salt, ITERATIONS);
    let (mechanism, iterations) = (SCRAM_SHA_256.to_owned(), ITERATIONS);
    Ok(Verifier { mechanism, iterations, salt, stored_key, server_key })
}

pub(super) fn random(length: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let filled = ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes);
    filled.map_err(|_| MailError::new(Code::Internal, "The system gave no random numbers"))?;
    Ok(bytes)
}

/// In a time that does not depend on what is right about it.
fn is_password(verifier: &Verifier, password: &Secret) -> bool {
    if verifier.mechanism != SCRAM_SHA_256 || password.reveal().len() > LONGEST {
        return false;
    }
    derive_keys(password, &verifier.salt, verifier.iterations).has_stored_key(&verifier.stored_key)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| MailError::new(Code::Internal, "A password could not be checked"))
}
