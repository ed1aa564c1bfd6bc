//! Opening against scripted servers on loopback.

mod broken;
mod certificates;
mod logins;
mod scram;
mod secrets;
mod server;
mod settled;
mod starttls;
mod tokens;

use super::*;
use crate::net::Roots;
use server::{Authority, Pace, Server};
use std::pin::Pin;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// An account at a scripted server, whose certificate is for `imap.example.org`.
fn account(server: &Server, security: Security, credentials: Credentials) -> Account {
    let mut account = Account::new("127.0.0.1", "ada-7", credentials);
    (account.port, account.security) = (server.port, security);
    account.net.server_name = Some("imap.example.org".to_owned());
    account.net.roots = Roots::Pem(Authority::shared().pem.clone().into());
    account
}

fn password() -> Credentials {
    Credentials::Password("planted-password".into())
}

/// Opens with a deadline far beyond what it needs.
async fn opened(account: &Account) -> Result<Opened> {
    let opening: Pin<Box<dyn Future<Output = _> + Send + '_>> = Box::pin(open(account, None));
    tokio::time::timeout(Duration::from_secs(25), opening).await.expect("opening hangs")
}

/// Runs `script` and opens; the outcome and what the server heard in clear.
async fn play(script: &str, pace: Pace, security: Security, credentials: Credentials) -> (Result<Opened>, Vec<u8>) {
    let server = Server::start(script, pace, Authority::shared().good()).await;
    let account = account(&server, security, credentials);
    let mut result = opened(&account).await;
    if let Ok(opened) = &mut result {
        // The server ends when the connection does.
        opened.stream.shutdown().await.unwrap();
    }
    (result, server.end().await)
}
