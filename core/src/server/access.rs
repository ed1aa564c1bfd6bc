//! Who may log in: passwords against the verifiers that the store keeps (RFC 5802 section 3, RFC 5803).

use super::now;
use crate::auth::{Keys, SCRAM_SHA_256, ScramBegun, ScramServer, derive_keys};
use crate::error::{Code, MailError, Result};
use crate::secret::Secret;
use crate::store::{Durability, Handle, User, UserId, Verifier, Writer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::sync::Mutex;
use std::time::Duration;

/// Rounds of PBKDF2 for new verifiers (RFC 7677 section 4 asks for 4,096 at least).
const ITERATIONS: u32 = 15_000;
/// Length of a salt, in bytes.
const SALT: usize = 16;
/// Longest password that is looked at, in bytes.
const LONGEST: usize = 1024;
/// The longest that a refused login is put off.
const SLOWEST: Duration = Duration::from_secs(4);

/// A login with a password.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Login {
    pub user: String,
    pub password: Secret,
}

/// A login by SCRAM under way.
pub(super) struct Exchange {
    scram: ScramServer,
    /// `None` for a user that is not there.
    verifier: Option<Verifier>,
}

impl Exchange {
    /// The challenge.
    pub(super) fn text(&self) -> &str {
        self.scram.text()
    }
}

/// The users of a store.
pub(super) struct Access {
    store: Handle,
    /// For names that nobody has: refusing them takes as long as refusing a wrong password.
    nobody: Verifier,
    /// How many logins in a row were refused, and when the last one was, in seconds since 1970.
    refused: Mutex<(u32, i64)>,
}

impl Access {
    pub(super) fn new(store: Handle) -> Result<Self> {
        let nobody = verifier(&Secret::from(""))?;
        Ok(Self { store, nobody, refused: Mutex::default() })
    }

    pub(super) fn store(&self) -> &Handle {
        &self.store
    }

    /// Whether anybody could log in.
    pub(super) async fn has_users(&self) -> Result<bool> {
        let users = self.store.read(|reader| reader.users()).await?;
        Ok(users.iter().any(|user| user.verifier.is_some() && !user.disabled))
    }

    /// Sets a user up, with that password.
    pub(super) async fn set(&self, name: String, password: Secret) -> Result<()> {
        if name.is_empty() || password.reveal().is_empty() || password.reveal().len() > LONGEST {
            return Err(MailError::new(Code::UsageArgument, "A user needs a name and a password of 1 to 1,024 bytes"));
        }
        let verifier = blocking(move || verifier(&password)).await??;
        let set = move |writer: &mut dyn Writer| match writer.user(&name)? {
            Some(user) => writer.update_user(&User { verifier: Some(verifier), ..user }),
            None => writer.insert_user(&name, Some(&verifier)).map(drop),
        };
        self.store.write(Durability::Full, set).await
    }

    /// Whether that is the user's password. Refusals take longer the more there were.
    pub(super) async fn check(&self, login: Login) -> Result<bool> {
        let name = login.user.clone();
        let user = self.store.read(move |reader| reader.user(&name)).await?;
        let nobody = User { id: UserId(0), name: String::new(), verifier: None, disabled: true };
        let user = user.unwrap_or(nobody);
        let (is_usable, verifier) = (!user.disabled && user.verifier.is_some(), user.verifier);
        let verifier = verifier.unwrap_or_else(|| self.nobody.clone());
        let is_right = blocking(move || is_password(&verifier, &login.password)).await? && is_usable;
        match self.note(is_right) {
            Some(wait) => tokio::time::sleep(wait).await,
            None => log::debug!("a client has logged in"),
        }
        Ok(is_right)
    }

    /// The challenge of SCRAM for whoever wants to log in: a user that is not there has one as well, always the same.
    pub(super) async fn challenge(&self, begun: ScramBegun) -> Result<Exchange> {
        let name = begun.user.clone();
        let user = self.store.read(move |reader| reader.user(&name)).await?;
        let usable = user.filter(|user| !user.disabled).and_then(|user| user.verifier);
        let usable = usable.filter(|verifier| verifier.mechanism == SCRAM_SHA_256);
        let salt = match &usable {
            Some(verifier) => verifier.salt.clone(),
            None => self.salt_of_nobody(&begun.user),
        };
        let iterations = usable.as_ref().map_or(ITERATIONS, |verifier| verifier.iterations);
        let nonce = STANDARD.encode(random(18)?);
        Ok(Exchange { scram: begun.challenge(&nonce, &salt, iterations), verifier: usable })
    }

    /// What proves to the client that its password is known here; `None`, after a while, where it is not.
    pub(super) async fn prove(&self, exchange: &Exchange, message: &[u8]) -> Option<String> {
        let proved = exchange
            .verifier
            .as_ref()
            .and_then(|verifier| exchange.scram.finish(message, &verifier.stored_key, &verifier.server_key));
        if let Some(wait) = self.note(proved.is_some()) {
            tokio::time::sleep(wait).await;
        }
        proved
    }

    fn salt_of_nobody(&self, name: &str) -> Vec<u8> {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &self.nobody.server_key);
        ring::hmac::sign(&key, name.as_bytes()).as_ref().iter().take(SALT).copied().collect()
    }

    /// How long to wait before a refusal.
    fn note(&self, is_right: bool) -> Option<Duration> {
        let now = now().seconds();
        let mut refused = self.refused.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Forgotten after a quarter of an hour.
        if is_right || now - refused.1 > 900 {
            *refused = (0, now);
        }
        if is_right {
            return None;
        }
        *refused = (refused.0.saturating_add(1), now);
        Some(Duration::from_millis(50 << refused.0.min(8)).min(SLOWEST))
    }
}

fn verifier(password: &Secret) -> Result<Verifier> {
    let salt = random(SALT)?;
    let Keys { stored_key, server_key } = derive_keys(password, &salt, ITERATIONS);
    let (mechanism, iterations) = (SCRAM_SHA_256.to_owned(), ITERATIONS);
    Ok(Verifier { mechanism, iterations, salt, stored_key, server_key })
}

fn random(length: usize) -> Result<Vec<u8>> {
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
