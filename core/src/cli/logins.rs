//! Who may log in to what `serve` serves, and where their passwords come from.

use super::config::{Config, PasswordFrom, Section};
use super::{Command, password};
use crate::error::{Code, MailError, Result};
use crate::secret::Secret;
use crate::server::{ServerOptions, generated};
use crate::store::{Handle, User};
use std::io::IsTerminal;

/// Who logs in unless it is said.
const USER: &str = "mailtide";

/// A name and its password.
type Login = (String, Secret);

/// Adds those who may log in. Who was set up before may as well, unless disabled.
pub(super) async fn admit(
    command: &Command,
    config: &Config,
    store: &Handle,
    options: &mut ServerOptions,
) -> Result<()> {
    let known = store.read(|reader| reader.users()).await?;
    let mut further = further(config, &known).await?;
    options.user = first(command, &config.serve, &known, &mut further).await?;
    // What was said of the first one on the command line holds.
    further.retain(|(name, _)| options.user.as_ref().is_none_or(|(first, _)| first != name));
    options.users = further;
    Ok(())
}

/// Those of `[serve.users]`. Nobody is asked for the password of one who has a password already.
async fn further(config: &Config, known: &[User]) -> Result<Vec<Login>> {
    let mut logins = Vec::new();
    for (name, section) in &config.serve_users {
        let from = section.password()?;
        let has_password = known.iter().any(|user| user.name == *name && user.verifier.is_some());
        if !(has_password && is_asked(&from)) {
            logins.push((name.clone(), obtained(from, name, section.name()).await?));
        }
    }
    Ok(logins)
}

/// The one that the server is started for; `None` where others can log in.
async fn first(
    command: &Command,
    section: &Section,
    known: &[User],
    further: &mut Vec<Login>,
) -> Result<Option<Login>> {
    let named = command.args.value("user").or(section.text("user")?);
    let name = named.unwrap_or(USER).to_owned();
    if let Some(given) = given(command)? {
        return Ok(Some((name, given)));
    }
    let from = section.password()?;
    if is_asked(&from) {
        if let Some(at) = further.iter().position(|(other, _)| named == Some(other)) {
            return Ok(Some(further.swap_remove(at)));
        }
        let is_one = |user: &User| named.is_none_or(|name| name == user.name);
        let is_known = known.iter().any(|user| user.verifier.is_some() && !user.disabled && is_one(user));
        if is_known || named.is_none() && !further.is_empty() {
            return Ok(None);
        }
    }
    let password = obtained(from, &name, section.name()).await?;
    Ok(Some((name, password)))
}

/// The password of the command line or the environment.
fn given(command: &Command) -> Result<Option<Secret>> {
    if command.args.is("new-password") {
        return made_up().map(Some);
    }
    let given = std::env::var("MAILTIDE_SERVER_PASSWORD").ok().filter(|given| !given.is_empty());
    Ok(given.map(Secret::from))
}

/// A password by the configuration. Standard input is not read: a server starts where nobody types.
async fn obtained(from: PasswordFrom, name: &str, section: &str) -> Result<Secret> {
    if is_asked(&from) && !std::io::stdin().is_terminal() {
        let hint = "Give --new-password, set MAILTIDE_SERVER_PASSWORD, or [serve] in the configuration";
        return Err(
            MailError::new(Code::AuthMissing, format!("{name} could not log in: no password is set")).hint(hint)
        );
    }
    password::obtain(from, section.to_owned(), question(name)).await
}

fn question(name: &str) -> String {
    format!("Password that {name} is to log in with: ")
}

fn is_asked(from: &PasswordFrom) -> bool {
    matches!(from, PasswordFrom::Prompt)
}

/// A password that nobody can guess, of 80 bits.
pub(super) fn made_up() -> Result<Secret> {
    generated(16)
}

/// The password of a user who is set up: made up, or asked for.
pub(super) async fn chosen(command: &Command, name: &str) -> Result<Secret> {
    if command.args.is("new-password") {
        return made_up();
    }
    let obtained = password::obtain(PasswordFrom::Prompt, String::new(), question(name)).await;
    obtained.map_err(|error| error.hint("Give --new-password, or the password on standard input"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_is_made_up_is_long_and_new() {
        let (one, other) = (made_up().unwrap(), made_up().unwrap());
        assert!(one != other && one.reveal().len() == 19 && one.reveal().split('-').count() == 4);
    }
}
