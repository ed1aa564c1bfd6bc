//! Serves a store on loopback until standard input ends: `serve FILE USER PASSWORD [tls|starttls]`. Prints its port. The
//! store is made where there is none; with TLS a certificate of its own, beside it.

#![allow(clippy::print_stdout, reason = "whoever started it reads the port there")]

use mailtide::server::{Server, ServerOptions, ServerTls, TlsMode};
use std::io::Read;
use std::path::Path;

#[tokio::main]
async fn main() -> mailtide::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file, user, password, more @ ..] = args.as_slice() else {
        let text = "serve FILE USER PASSWORD [tls|starttls]";
        return Err(mailtide::MailError::new(mailtide::Code::UsageArgument, text));
    };
    let mut options = ServerOptions::default();
    if let Some(mode) = more.first() {
        let folder = Path::new(file).parent().unwrap_or(Path::new(".")).to_owned();
        options.tls = Some(ServerTls::SelfSigned { folder, name: "localhost".to_owned() });
        options.tls_mode = if mode == "starttls" { TlsMode::StartTls } else { TlsMode::Implicit };
    }
    options.user = Some((user.clone(), password.as_str().into()));
    options.before_login = 64;
    let server = Server::open(file.as_ref(), options).await?;
    println!("{}", server.address().port());
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    // However it ended.
    drop(ended.await);
    server.close().await;
    Ok(())
}
