//! `serve`: a store over IMAP, alone or in step with its account.

use super::args::usage;
use super::config::{Config, Section};
use super::logins::admit;
use super::setup::{config, expanded, open, setup};
use super::table::Look;
use super::{Command, exit, watch};
use crate::error::Result;
use crate::secret::Secret;
use crate::server::{Server, ServerOptions, ServerTls, store_in};
use crate::store::Handle;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where it listens unless it is said.
const ADDRESS: &str = "127.0.0.1:1143";

pub(super) async fn run(command: &Command) -> Result<u8> {
    let args = &command.args;
    let file = args.only()?.or(args.value("store")).map(expanded);
    if file.is_some() && args.is("account") {
        return Err(usage("Serve a FILE or an --account, not both"));
    }
    // Without the configuration a file is served all the same.
    let config = config(args)?;
    match file {
        Some(file) => alone(command, &config, file).await,
        None => gateway(command, &config).await,
    }
}

async fn alone(command: &Command, config: &Config, file: PathBuf) -> Result<u8> {
    let store = store_in(&file).await?;
    let options = options(command, config, &store, &file).await?;
    let server = Server::start(store, options.clone()).await?;
    say(command, &server, &options, &file)?;
    command.stopped().await;
    server.close().await;
    Ok(exit::DONE)
}

async fn gateway(command: &Command, config: &Config) -> Result<u8> {
    let setup = setup(&command.args)?;
    let file = setup.store.clone();
    let mail = open(setup).await?;
    let options = options(command, config, mail.store(), &file).await?;
    let server = Server::gateway(mail.store().clone(), Arc::new(mail.clone()), options.clone()).await?;
    say(command, &server, &options, &file)?;
    let kept = async {
        // Whoever reads and changes mail here can go on without the provider.
        if let Err(error) = watch::keep(command, &mail).await {
            command.screen.error(&error, exit::code_of(&error));
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = command.stopped() => {}
        () = kept => {}
    }
    server.close().await;
    mail.close().await?;
    Ok(exit::DONE)
}

async fn options(command: &Command, config: &Config, store: &Handle, file: &Path) -> Result<ServerOptions> {
    let (args, section) = (&command.args, &config.serve);
    let listen = args.value("listen").or(section.text("listen")?).unwrap_or(ADDRESS);
    let options = ServerOptions::default().with_address(listen)?;
    let (tls, starttls) = tls(command, section, file)?;
    let mut options = options.with_tls(tls, starttls);
    admit(command, config, store, &mut options).await?;
    Ok(options)
}

/// The certificate, and whether TLS begins with STARTTLS. What is typed goes before the configuration.
fn tls(command: &Command, section: &Section, file: &Path) -> Result<(Option<ServerTls>, bool)> {
    let args = &command.args;
    args.apart("tls", "starttls")?;
    args.apart("name", "certificate")?;
    let is_later = args.is("starttls") || !args.is("tls") && section.is("starttls")?;
    let is_wanted = is_later || args.is("tls") || section.is("tls")?;
    let tls = match files(command, section)? {
        None if is_wanted => Some(own(args.value("name").or(section.text("name")?), file)),
        files => files,
    };
    Ok((tls, is_later))
}

/// The certificate that somebody has issued.
fn files(command: &Command, section: &Section) -> Result<Option<ServerTls>> {
    let of = |key| section.text(key).map(|text| command.args.value(key).or(text).map(expanded));
    match (of("certificate")?, of("key")?) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => ServerTls::read(certificate, key).map(Some),
        _ => Err(usage("A certificate needs its key, and a key its certificate").hint("Give --certificate and --key")),
    }
}

/// The one that is made beside the store.
fn own(name: Option<&str>, file: &Path) -> ServerTls {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    name.map_or_else(|| ServerTls::beside(&file), |name| ServerTls::beside_as(&file, name))
}

fn say(command: &Command, server: &Server, options: &ServerOptions, file: &Path) -> Result<()> {
    let address = server.address();
    let (url, user) = (server.url(), server.user());
    let shown = server.password().filter(|_| command.args.is("new-password")).map(Secret::reveal);
    let certificate = options.tls.as_ref().and_then(ServerTls::certificate_file);
    if command.screen.json {
        return command.screen.value(&json!({
            "serving": file.display().to_string(), "url": url, "host": address.ip().to_string(),
            "port": address.port(), "user": user, "password": shown,
            "certificate": certificate.map(|path| path.display().to_string()),
        }));
    }
    command.screen.styled(Look::Bold, &format!("Serving {}", file.display()))?;
    command.screen.line(&format!("  {url}"))?;
    if let Some(password) = shown {
        command.screen.line(&format!("  password {password}"))?;
    }
    if let Some(path) = certificate {
        command.screen.line(&format!("  certificate {}", path.display()))?;
    }
    command.screen.note("Ctrl-C ends it");
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::net::escaped;
    use crate::session::Account;

    #[test]
    fn the_url_of_any_user_can_be_read_again() {
        for user in ["ada", "ada@example.org", "a:b/c%d é"] {
            assert_eq!(Account::from_url(&format!("imap://{}@127.0.0.1:1143", escaped(user))).unwrap().user, user);
        }
    }
}
