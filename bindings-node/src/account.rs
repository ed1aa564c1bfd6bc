//! Accounts: where a person's mail is, and how to log in.

use crate::error::{bad_argument, thrown};
use crate::queue::{Callback, Queue};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use mailtide::{
    Account, ClientCertificate, Code, Credentials, Limits, MailError, Mechanism, NetOptions, PasswordRequest, Proxy,
    Result, Roots, Secret, Token, TokenRequest,
};
use napi_derive::napi;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// An account as `ts/account.ts` hands it over.
#[napi(object)]
pub struct AccountInput {
    pub url: String,
    pub password: Option<String>,
    pub password_callback: Option<u32>,
    pub token_callback: Option<u32>,
    pub mechanism: Option<String>,
    pub net: Option<NetInput>,
    pub limits: Option<HashMap<String, f64>>,
    pub read_only: Option<bool>,
    pub allow_cleartext: Option<bool>,
}

/// How the server is reached.
#[napi(object)]
pub struct NetInput {
    pub proxy: Option<String>,
    pub ca: Option<String>,
    pub client_cert: Option<String>,
    pub client_key: Option<String>,
    pub server_name: Option<String>,
}

impl AccountInput {
    /// The engine's account. Callbacks are taken first, so that they are released whatever is wrong with the rest.
    pub fn into_account(self, queue: &Arc<Queue>) -> napi::Result<Account> {
        let ask_password = self.password_callback.map(|id| queue.callback(id));
        let ask_token = self.token_callback.map(|id| queue.callback(id));
        let mut account = Account::from_url(&self.url).map_err(|e| thrown(&e))?;
        if let Some(name) = self.mechanism {
            let unknown = || bad_argument(format!("There is no mechanism {name:?}"));
            account.mechanism = Some(Mechanism::from_name(&name).ok_or_else(unknown)?);
        }
        if let Some(net) = self.net {
            account.net = net.into_options().map_err(|e| thrown(&e))?;
        }
        account.net.allow_cleartext = self.allow_cleartext.unwrap_or(false);
        account.read_only = self.read_only.unwrap_or(false);
        set_limits(&mut account.limits, self.limits.unwrap_or_default())?;
        if let Some(password) = self.password {
            account.credentials = Credentials::Password(Secret::from(password));
        } else if let Some(callback) = ask_password {
            account.credentials = Credentials::PasswordCallback(Arc::new(move |request| password(&callback, request)));
        } else if let Some(callback) = ask_token {
            account.credentials = Credentials::Token(Arc::new(move |request| token(&callback, request)));
        }
        Ok(account)
    }
}

impl NetInput {
    fn into_options(self) -> Result<NetOptions> {
        let mut net = NetOptions::default();
        net.proxy = self.proxy.as_deref().map(Proxy::from_url).transpose()?;
        net.roots = self.ca.map_or(Roots::Platform, roots);
        net.client_certificate = self
            .client_cert
            .zip(self.client_key)
            .map(|(chain, key)| ClientCertificate { chain: Bytes::from(chain), key: Secret::from(key) });
        net.server_name = self.server_name;
        Ok(net)
    }
}

fn roots(ca: String) -> Roots {
    if ca == "bundled" {
        Roots::Bundled
    } else if ca.contains("-----BEGIN") {
        Roots::Pem(Bytes::from(ca))
    } else {
        Roots::File(ca.into())
    }
}

fn set_limits(limits: &mut Limits, given: HashMap<String, f64>) -> napi::Result<()> {
    for (name, value) in given {
        if !value.is_finite() || value < 0.0 {
            return Err(bad_argument(format!("The limit {name} is a number of at least 0")));
        }
        let (size, time) = (value as usize, Duration::from_secs_f64(value / 1000.0));
        match name.as_str() {
            "line" => limits.line = size,
            "literal" => limits.literal = size,
            "body" => limits.body = value as u64,
            "depth" => limits.depth = size,
            "items" => limits.items = size,
            "response" => limits.response = size,
            "literals" => limits.literals = size,
            "mailboxes" => limits.mailboxes = size,
            "connect" => limits.connect = time,
            "greeting" => limits.greeting = time,
            "progress" => limits.progress = time,
            "slowProgress" => limits.slow_progress = time,
            _ => return Err(bad_argument(format!("There is no limit {name:?}"))),
        }
    }
    Ok(())
}

fn password(callback: &Arc<Callback>, request: PasswordRequest) -> BoxFuture<'static, Result<Secret>> {
    let callback = Arc::clone(callback);
    Box::pin(async move {
        let question = json!({ "user": request.user, "host": request.host });
        let answer = answered("password", callback.ask(&question).await)?;
        Ok(Secret::from(answer.as_str().unwrap_or_default()))
    })
}

fn token(callback: &Arc<Callback>, request: TokenRequest) -> BoxFuture<'static, Result<Token>> {
    let callback = Arc::clone(callback);
    Box::pin(async move {
        let question = json!({
            "user": request.user,
            "host": request.host,
            "reason": request.reason.as_str(),
            "previous": request.previous.as_ref().map(Secret::reveal),
        });
        let answer = answered("token", callback.ask(&question).await)?;
        let secret = Secret::from(answer.get("token").and_then(Value::as_str).unwrap_or_default());
        let expires_at = answer.get("expiresAt").and_then(Value::as_f64).map(since_epoch);
        Ok(Token { secret, expires_at })
    })
}

fn since_epoch(milliseconds: f64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs_f64((milliseconds / 1000.0).clamp(0.0, 1e11))
}

fn answered(what: &str, answer: std::result::Result<String, String>) -> Result<Value> {
    let failed = |why: &str| MailError::new(Code::AuthMissing, format!("The {what} function failed: {why}"));
    serde_json::from_str(&answer.map_err(|why| failed(&why))?).map_err(|_| failed("it gave no JSON"))
}
