//! `login`: an account is tried, and written into the configuration.

use super::args::usage;
use super::config::{Config, NewAccount, PasswordFrom, add, table_of};
use super::setup::{config_path, expanded, sender, without_password};
use super::table::Look;
use super::text::count;
use super::{Command, exit, password};
use crate::error::{Code, MailError, Result};
use crate::net::Roots;
use crate::outbox::SmtpAccount;
use crate::secret::Secret;
use crate::session::{Account, Credentials, Engine, EngineOptions, ListOptions};
use serde_json::json;
use std::path::Path;

pub(super) async fn run(command: &Command) -> Result<u8> {
    let args = &command.args;
    let [name, url] = args.rest.as_slice() else {
        return Err(usage("login takes a name and a URL").hint("mailtide login work imaps://ada@imap.example.org"));
    };
    let (path, from) = (config_path(args)?, password_from(command)?);
    if Config::read(&path)?.has(name) {
        return Err(usage(format!("The account {name} is in {} already", path.display())));
    }
    let new = NewAccount {
        name,
        url,
        smtp: args.value("smtp"),
        from: args.value("from"),
        store: args.value("mirror"),
        ca: args.value("ca"),
        password: from,
    };
    let mut account = checked(&new)?;
    let question = format!("Password of {} at {}: ", account.user, account.host);
    let obtained = password::obtain(new.password.clone(), name.clone(), question).await?;
    account.credentials = Credentials::Password(obtained.clone());
    let mailboxes = tried(account).await?;
    write(command, new, &path, obtained).await?;
    say(command, name, &path.display().to_string(), mailboxes)?;
    Ok(exit::DONE)
}

/// How the password will be had. For the keyring and for clear text somebody is asked first.
fn password_from(command: &Command) -> Result<PasswordFrom> {
    for (one, other) in
        [("keyring", "password-insecure"), ("keyring", "password-command"), ("password-command", "password-insecure")]
    {
        command.args.apart(one, other)?;
    }
    let line = command.args.value("password-command");
    Ok(line.map_or(PasswordFrom::Prompt, |line| PasswordFrom::Command(vec![line.to_owned()])))
}

/// The account, as far as it can be checked without asking anybody.
fn checked(new: &NewAccount<'_>) -> Result<Account> {
    let mut account = without_password(Account::from_url(new.url)?, new.name)?;
    if let Some(path) = new.ca {
        account.net.roots = Roots::File(expanded(path));
    }
    if let Some(server) = new.smtp {
        let smtp = SmtpAccount::named(server, Some(&account))?;
        if matches!(smtp.credentials, Credentials::Password(_)) {
            return Err(usage("The URL of --smtp holds a password").hint("Leave it out: it is that of the account"));
        }
    }
    new.from.map(sender).transpose()?;
    table_of(new).map(|_| account)
}

/// Logs in; how many mailboxes there are.
async fn tried(account: Account) -> Result<u64> {
    let engine = Engine::new(EngineOptions::default(), tokio::runtime::Handle::current());
    let session = engine.connect(account).await?;
    let mailboxes = session.mailboxes(ListOptions::default()).await?;
    session.close().await?;
    Ok(mailboxes.len() as u64)
}

async fn write(command: &Command, new: NewAccount<'_>, path: &Path, obtained: Secret) -> Result<()> {
    let mut new = new;
    if command.args.is("keyring") {
        password::keep(new.name.to_owned(), obtained).await?;
        new.password = PasswordFrom::Keyring;
    } else if command.args.is("password-insecure") {
        new.password = PasswordFrom::Clear(obtained);
    }
    let (path, table) = (path.to_owned(), table_of(&new)?);
    let written = tokio::task::spawn_blocking(move || add(&path, &table)).await;
    written.map_err(|_| MailError::new(Code::Internal, "Writing the configuration was interrupted"))?
}

fn say(command: &Command, name: &str, path: &str, mailboxes: u64) -> Result<()> {
    if command.screen.json {
        return command.screen.value(&json!({ "account": name, "config": path, "mailboxes": mailboxes }));
    }
    let text = format!("The login works: {}. {name} is in {path}", count(mailboxes, "mailbox"));
    command.screen.styled(Look::Green, &text)?;
    command.screen.note(&format!("mailtide sync --account {name} brings the mail"));
    Ok(())
}
