//! From options and configuration to a mailbox that is open.

use super::args::{Args, usage};
use super::config::{Config, Section};
use super::password::credentials;
use crate::error::{Code, MailError, Result};
use crate::mail::{Mail, MailOptions};
use crate::message::{EmailAddress, parse_recipients};
use crate::net::Roots;
use crate::outbox::SmtpAccount;
use crate::session::{Account, Credentials};
use crate::store::{Keep, KeepRule};
use std::env;
use std::path::{Path, PathBuf};

/// An account as the configuration has it.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub account: Account,
    pub smtp: Option<SmtpAccount>,
    pub sender: Option<EmailAddress>,
    pub store: PathBuf,
    keep: Option<KeepRule>,
}

/// The configuration that holds for a command.
pub(super) fn config(args: &Args) -> Result<Config> {
    Config::read(&config_path(args)?)
}

/// Where it is.
pub(super) fn config_path(args: &Args) -> Result<PathBuf> {
    match args.value("config") {
        Some(path) => Ok(expanded(path)),
        None => Ok(folder("XDG_CONFIG_HOME", "APPDATA", ".config")?.join("mailtide/config.toml")),
    }
}

/// The account that is meant.
pub(super) fn setup(args: &Args) -> Result<Setup> {
    let config = config(args)?;
    let (name, section) = config.account(args.value("account"))?;
    of(name, section)
}

/// Most bytes of bodies that the account which is meant may fetch in a day.
pub(super) fn bytes_a_day(args: &Args) -> Result<Option<u64>> {
    config(args)?.account(args.value("account"))?.1.number("bytes_a_day")
}

/// The mail that is meant: that of an account, or a file without one.
///
/// # Errors
///
/// [`Code::FileIo`] for a file that is not there.
pub(super) async fn mail(args: &Args) -> Result<Mail> {
    args.apart("store", "account")?;
    match args.value("store") {
        Some(path) => existing(&expanded(path)).await,
        None => open(setup(args)?).await,
    }
}

/// Where that store is, or will be.
pub(super) fn store_path(args: &Args) -> Result<PathBuf> {
    args.apart("store", "account")?;
    args.value("store").map_or_else(|| Ok(setup(args)?.store), |path| Ok(expanded(path)))
}

/// Opens an account's mirror, which is made where there is none.
pub(super) async fn open(setup: Setup) -> Result<Mail> {
    if let Some(folder) = setup.store.parent() {
        let failed = |error| MailError::new(Code::FileIo, format!("{} cannot be made: {error}", folder.display()));
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let Setup { account, smtp, sender, store, keep, .. } = setup;
    Mail::open(store, MailOptions { account: Some(account), smtp, sender, keep, engine: None }).await
}

async fn existing(path: &Path) -> Result<Mail> {
    is_there(path)?;
    Mail::open(path, MailOptions::default()).await
}

/// Refuses a store that would be made by opening it.
pub(super) fn is_there(path: &Path) -> Result<()> {
    match path.exists() {
        true => Ok(()),
        false => Err(MailError::new(Code::FileIo, format!("There is no store {}", path.display()))),
    }
}

fn of(name: &str, section: &Section) -> Result<Setup> {
    let url = section.text("url")?.ok_or_else(|| usage(format!("accounts.{name}.url is missing")))?;
    let mut account = without_password(Account::from_url(url)?, name)?;
    account.credentials = credentials(section.password()?, name);
    account.read_only = section.is("read_only")?;
    account.net.allow_cleartext = section.is("allow_cleartext")?;
    if let Some(path) = section.text("ca")? {
        account.net.roots = Roots::File(expanded(path));
    }
    let smtp = section.text("smtp")?.map(|server| SmtpAccount::named(server, Some(&account))).transpose()?;
    let store = match section.text("store")? {
        Some(path) => expanded(path),
        None => data_folder()?.join(format!("{}.mail", file_name(name)?)),
    };
    Ok(Setup {
        sender: section.text("from")?.map(sender).transpose()?,
        keep: keep(name, section)?,
        account,
        smtp,
        store,
    })
}

/// Refuses a URL that holds a password, which stands in clear wherever the URL does.
pub(super) fn without_password(account: Account, name: &str) -> Result<Account> {
    match account.credentials {
        Credentials::None => Ok(account),
        _ => Err(usage(format!("The URL of {name} holds a password")).hint("Leave it out: imaps://user@host")),
    }
}

/// One address.
pub(super) fn sender(text: &str) -> Result<EmailAddress> {
    match parse_recipients(text)?.as_slice() {
        [one] => Ok(one.clone()),
        _ => Err(usage(format!("{text:?} is not one address"))),
    }
}

fn keep(name: &str, section: &Section) -> Result<Option<KeepRule>> {
    let unknown = |word: &str| usage(format!("accounts.{name}.keep is headers, text or all, not {word:?}"));
    let keep = section.text("keep")?.map(|word| Keep::parse(word).ok_or_else(|| unknown(word))).transpose()?;
    let days = section.number("keep_days")?.and_then(|days| u32::try_from(days).ok());
    if keep.is_none() && days.is_none() {
        return Ok(None);
    }
    Ok(Some(KeepRule { keep: keep.unwrap_or(Keep::All), days, largest: None }))
}

/// Where mirrors are kept.
pub(super) fn data_folder() -> Result<PathBuf> {
    Ok(folder("XDG_DATA_HOME", "LOCALAPPDATA", ".local/share")?.join("mailtide"))
}

/// A name that is one of a file as well.
fn file_name(name: &str) -> Result<&str> {
    let is_fine = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '+');
    if name.is_empty() || name.starts_with('.') || !name.chars().all(is_fine) {
        return Err(
            usage(format!("No file can be named after the account {name:?}")).hint("Give it a store of its own")
        );
    }
    Ok(name)
}

/// A path as it is written in the configuration.
pub(super) fn expanded(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), home()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

fn folder(variable: &str, of_windows: &str, in_home: &str) -> Result<PathBuf> {
    let given = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let found = given(variable).or_else(|| given(of_windows).filter(|_| cfg!(windows)));
    let missing = || usage(format!("Neither {variable} nor HOME says where to look")).hint("Give --config FILE");
    found.or_else(|| Some(home()?.join(in_home))).ok_or_else(missing)
}

fn home() -> Option<PathBuf> {
    env::home_dir().filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_accounts_become_names_of_files_or_are_refused() {
        assert!(["ada", "ada@example.org", "Arbeit-2", "会社"].iter().all(|name| file_name(name).is_ok()));
        assert!(["", "..", "a/b", "a\\b", ".x"].iter().all(|name| file_name(name).is_err()));
    }

    #[test]
    fn a_password_in_a_url_is_refused_without_showing_it() {
        let account = Account::from_url("imaps://ada:planted@h").unwrap();
        let error = without_password(account, "x").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("planted") && error.code() == Code::UsageArgument);
        assert_eq!(sender("Ada <ada@example.org>").unwrap().email, "ada@example.org");
        assert!(sender("a@example.org, b@example.org").is_err());
    }
}
