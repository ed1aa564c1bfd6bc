//! `serve`: a store over IMAP, alone or in step with its account.

use super::args::usage;
use super::config::{PasswordFrom, Section};
use super::setup::{config, expanded, open, setup};
use super::table::Look;
use super::{Command, exit, password, watch};
use crate::error::{Code, MailError, Result};
use crate::secret::Secret;
use crate::server::{Server, ServerOptions, ServerTls, generated, store_in};
use crate::store::Handle;
use serde_json::json;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where it listens unless it is said.
const ADDRESS: &str = "127.0.0.1:1143";
/// Who logs in unless it is said.
const USER: &str = "mailtide";

pub(super) async fn run(command: &Command) -> Result<u8> {
    let args = &command.args;
    let file = args.only()?.or(args.value("store")).map(expanded);
    if file.is_some() && args.is("account") {
        return Err(usage("Serve a FILE or an --account, not both"));
    }
    // Without the configuration a file is served all the same.
    let section = config(args)?.serve;
    match file {
        Some(file) => alone(command, &section, file).await,
        None => gateway(command, &section).await,
    }
}

async fn alone(command: &Command, section: &Section, file: PathBuf) -> Result<u8> {
    let store = store_in(&file).await?;
    let options = options(command, section, &store, &file).await?;
    let server = Server::start(store, options.clone()).await?;
    say(command, &server, &options, &file)?;
    command.stopped().await;
    server.close().await;
    Ok(exit::DONE)
}

async fn gateway(command: &Command, section: &Section) -> Result<u8> {
    let setup = setup(&command.args)?;
    let file = setup.store.clone();
    let mail = open(setup).await?;
    let options = options(command, section, mail.store(), &file).await?;
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

async fn options(command: &Command, section: &Section, store: &Handle, file: &Path) -> Result<ServerOptions> {
    let args = &command.args;
    let listen = args.value("listen").or(section.text("listen")?).unwrap_or(ADDRESS);
    let mut options = ServerOptions::default().with_address(listen)?;
    if args.is("tls") || section.is("tls")? {
        let name = args.value("name").or(section.text("name")?).unwrap_or("localhost").to_owned();
        let folder = std::path::absolute(file).ok().and_then(|path| path.parent().map(Path::to_owned));
        options.tls = Some(ServerTls::SelfSigned { folder: folder.unwrap_or_default(), name });
    }
    options.user = user(command, section, store).await?;
    Ok(options)
}

/// Who may log in with what; `None` where those can who were set up before.
async fn user(command: &Command, section: &Section, store: &Handle) -> Result<Option<(String, Secret)>> {
    let named = command.args.value("user").or(section.text("user")?);
    let name = named.unwrap_or(USER).to_owned();
    if command.args.is("new-password") {
        return Ok(Some((name, made_up()?)));
    }
    if let Some(given) = std::env::var("MAILTIDE_SERVER_PASSWORD").ok().filter(|given| !given.is_empty()) {
        return Ok(Some((name, given.into())));
    }
    let from = section.password()?;
    let users = store.read(|reader| reader.users()).await?;
    let is_known =
        users.iter().any(|user| user.verifier.is_some() && !user.disabled && named.is_none_or(|n| n == user.name));
    let is_asked = matches!(from, PasswordFrom::Prompt);
    if is_asked && is_known {
        return Ok(None);
    }
    if is_asked && !std::io::stdin().is_terminal() {
        let hint = "Give --new-password, set MAILTIDE_SERVER_PASSWORD, or [serve] in the configuration";
        return Err(MailError::new(Code::AuthMissing, "Nobody could log in: no password is set").hint(hint));
    }
    let question = format!("Password that {name} is to log in with: ");
    Ok(Some((name, password::obtain(from, "serve".to_owned(), question).await?)))
}

/// 80 bits.
pub(super) fn made_up() -> Result<Secret> {
    generated(16)
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
    use super::*;
    use crate::net::escaped;
    use crate::session::Account;

    #[test]
    fn a_password_that_is_made_up_is_long_and_new() {
        let (one, other) = (made_up().unwrap(), made_up().unwrap());
        assert!(one != other && one.reveal().len() == 19 && one.reveal().split('-').count() == 4);
    }

    #[test]
    fn the_url_of_any_user_can_be_read_again() {
        for user in ["ada", "ada@example.org", "a:b/c%d é"] {
            assert_eq!(Account::from_url(&format!("imap://{}@127.0.0.1:1143", escaped(user))).unwrap().user, user);
        }
    }
}
