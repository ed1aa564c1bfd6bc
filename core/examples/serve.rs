//! Serves a store on loopback until standard input ends: `serve FILE USER PASSWORD [port=N] [tls=implicit|starttls]
//! [provider=PORT] [largest=BYTES]`. Prints its port. The store is made where there is none; with TLS a certificate of its
//! own, beside it. With `provider` it is a gateway: the store is kept in step with the mail of that user, by that password,
//! at that port of this machine. `largest` is the largest message that a client may add.

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
    if let Some(largest) = given("largest") {
        options.append_limit = largest.parse().map_err(|_| usage())?;
    }
    if let Some(mode) = given("tls") {
        let folder = Path::new(file).parent().unwrap_or(Path::new(".")).to_owned();
        options.tls = Some(ServerTls::SelfSigned { folder, name: "localhost".to_owned() });
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

fn usage() -> MailError {
    let text = "serve FILE USER PASSWORD [port=N] [tls=implicit|starttls] [provider=PORT] [largest=BYTES]";
    MailError::new(Code::UsageArgument, text)
}
