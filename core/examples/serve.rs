//! Serves a store on loopback until standard input ends:
//! `serve FILE USER PASSWORD [port=N] [tls=FOLDER] [mode=tls|starttls] [provider=PORT]`.
//!
//! Prints its port. The store is made where there is none. `tls` names the folder of `server.pem` and `server.key`;
//! `mode` says how TLS begins, with a certificate of its own beside the store where `tls` names none. With `provider` it
//! is a gateway: the store is kept in step with the mail of that user, by that password, at that port of this machine.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "whoever started it reads the port there")]

use mailtide::server::{Server, ServerOptions, ServerTls, TlsMode};
use mailtide::{Account, Code, Credentials, FollowOptions, Mail, MailError, MailOptions, Result, Security};
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file, user, password, more @ ..] = args.as_slice() else {
        return Err(usage());
    };
    let given = |name: &str| more.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    let port = given("port").map_or(Ok(0), str::parse).map_err(|_| usage())?;
    let mut options = ServerOptions::default();
    options.address = SocketAddr::from(([127, 0, 0, 1], port));
    options.user = Some((user.clone(), password.as_str().into()));
    options.before_login = 64;
    options.tls = given("tls").map(certificate).transpose()?;
    if let Some(mode) = given("mode") {
        let folder = Path::new(file).parent().unwrap_or(Path::new(".")).to_owned();
        options.tls.get_or_insert(ServerTls::SelfSigned { folder, name: "localhost".to_owned() });
        options.tls_mode = if mode == "starttls" { TlsMode::StartTls } else { TlsMode::Implicit };
    }
    let Some(provider) = given("provider") else {
        return serve(Server::open(file.as_ref(), options).await?).await;
    };
    let mut account = Account::new("127.0.0.1", user, Credentials::Password(password.as_str().into()));
    (account.port, account.security) = (provider.parse().map_err(|_| usage())?, Security::Cleartext);
    let mail = Mail::open(file, MailOptions { account: Some(account), ..MailOptions::default() }).await?;
    let server = Server::gateway(mail.store().clone(), Arc::new(mail.clone()), options).await?;
    let following = mail.clone();
    tokio::spawn(async move {
        if let Err(error) = following.keep_in_sync(FollowOptions::default()).await {
            eprintln!("{error}");
        }
    });
    serve(server).await?;
    mail.close().await
}

async fn serve(server: Server) -> Result<()> {
    println!("{}", server.address().port());
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    // However it ended.
    drop(ended.await);
    server.close().await;
    Ok(())
}

fn certificate(folder: &str) -> Result<ServerTls> {
    let read = |name: &str| std::fs::read_to_string(Path::new(folder).join(name)).map_err(|_| usage());
    Ok(ServerTls::Pem { certificates: read("server.pem")?, key: read("server.key")?.into() })
}

fn usage() -> MailError {
    MailError::new(Code::UsageArgument, "serve FILE USER PASSWORD [port=N] [tls=FOLDER] [mode=tls|starttls] [provider=PORT]")
}
