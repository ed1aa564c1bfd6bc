//! `users`: who may log in to a store that is served, and the app passwords of each.

use super::args::usage;
use super::logins::chosen;
use super::rows::{APP_PASSWORDS, USERS, app_password_json, app_password_row, user_json, user_row};
use super::screen::now;
use super::setup::mail;
use super::table::Look;
use super::text::clean;
use super::{Command, exit};
use crate::error::{MailError, Result};
use crate::secret::Secret;
use crate::server::{Users, app_login};
use serde_json::{Value, json};

/// What is done to a user, by the names of the methods that do it.
pub(super) const ACTIONS: &[&str] =
    &["set", "disable", "enable", "remove", "app-passwords", "add-app-password", "revoke-app-password"];

/// What was typed, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action<'a> {
    List,
    Set(&'a str),
    Disable(&'a str, bool),
    Remove(&'a str),
    AppPasswords(&'a str),
    AddAppPassword(&'a str, &'a str),
    RevokeAppPassword(&'a str, &'a str),
}

pub(super) async fn run(command: &Command) -> Result<u8> {
    let action = action(&command.args.rest)?;
    let mail = mail(&command.args).await?;
    perform(command, &Users::of(mail.store().clone()), action).await?;
    mail.close().await?;
    Ok(exit::DONE)
}

fn action(words: &[String]) -> Result<Action<'_>> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => Ok(Action::List),
        ["set", name] => Ok(Action::Set(name)),
        ["disable", name] => Ok(Action::Disable(name, true)),
        ["enable", name] => Ok(Action::Disable(name, false)),
        ["remove", name] => Ok(Action::Remove(name)),
        ["app-passwords", name] => Ok(Action::AppPasswords(name)),
        ["add-app-password", name, label] => Ok(Action::AddAppPassword(name, label)),
        ["revoke-app-password", name, label] => Ok(Action::RevokeAppPassword(name, label)),
        [action, ..] => Err(misunderstood(action)),
    }
}

fn misunderstood(action: &str) -> MailError {
    let text = match (ACTIONS.contains(&action), action.ends_with("-app-password")) {
        (true, true) => format!("{action} takes the name of a user and a label"),
        (true, false) => format!("{action} takes the name of a user"),
        (false, _) => format!("users cannot {action:?}"),
    };
    usage(text).hint("See mailtide users --help")
}

async fn perform(command: &Command, users: &Users, action: Action<'_>) -> Result<()> {
    match action {
        Action::List => list(command, users).await,
        Action::Set(name) => set(command, users, name).await,
        Action::Disable(name, is_disabled) => {
            users.disable(name, is_disabled).await?;
            let text = if is_disabled { "is kept out" } else { "can log in" };
            said(command, &json!({ "user": name, "disabled": is_disabled }), &format!("{name} {text}"))
        }
        Action::Remove(name) => {
            users.remove(name).await?;
            said(command, &json!({ "user": name, "removed": true }), &format!("{name} is removed"))
        }
        Action::AppPasswords(name) => app_passwords(command, users, name).await,
        Action::AddAppPassword(name, label) => add_app_password(command, users, (name, label)).await,
        Action::RevokeAppPassword(name, label) => {
            users.revoke_app_password(name, label).await?;
            let value = json!({ "user": name, "label": label, "revoked": true });
            said(command, &value, &format!("{} is revoked", app_login(name, label)))
        }
    }
}

async fn list(command: &Command, users: &Users) -> Result<()> {
    let mut all = Vec::new();
    for user in users.all().await? {
        let passwords = users.app_passwords(&user.name).await?;
        all.push((user, passwords));
    }
    if command.screen.json {
        return all.iter().try_for_each(|(user, passwords)| command.screen.value(&user_json(user, passwords)));
    }
    let rows: Vec<_> = all.iter().map(|(user, passwords)| user_row(user, passwords)).collect();
    command.screen.table(USERS, &rows)?;
    if all.is_empty() {
        command.screen.note("There is nobody yet; mailtide users set NAME adds somebody");
    }
    Ok(())
}

async fn set(command: &Command, users: &Users, name: &str) -> Result<()> {
    let password = chosen(command, name).await?;
    users.set(name, password.clone()).await?;
    let shown = command.args.is("new-password").then_some(&password).map(Secret::reveal);
    said(command, &json!({ "user": name, "password": shown }), &format!("{name} has a password"))?;
    told(command, shown)
}

async fn app_passwords(command: &Command, users: &Users, name: &str) -> Result<()> {
    let all = users.app_passwords(name).await?;
    if command.screen.json {
        return all.iter().try_for_each(|one| command.screen.value(&app_password_json(name, one)));
    }
    let now = now();
    let rows: Vec<_> = all.iter().map(|one| app_password_row(name, one, &now)).collect();
    command.screen.table(APP_PASSWORDS, &rows)
}

async fn add_app_password(command: &Command, users: &Users, (name, label): (&str, &str)) -> Result<()> {
    let password = users.add_app_password(name, label).await?;
    let login = app_login(name, label);
    let value = json!({ "user": name, "label": label, "login": login, "password": password.reveal() });
    said(command, &value, &format!("{login} can log in"))?;
    told(command, Some(password.reveal()))
}

/// Says what was done.
fn said(command: &Command, value: &Value, text: &str) -> Result<()> {
    match command.screen.json {
        true => command.screen.value(value),
        false => command.screen.styled(Look::Green, &clean(text)),
    }
}

/// Shows people a password that was made, which nobody can ask for again.
fn told(command: &Command, password: Option<&str>) -> Result<()> {
    match password.filter(|_| !command.screen.json) {
        Some(password) => command.screen.line(&format!("  password {password}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn every_action_that_is_completed_is_understood() {
        assert_eq!(action(&[]).unwrap(), Action::List);
        for name in ACTIONS {
            let rest = if name.ends_with("-app-password") { "ada phone" } else { "ada" };
            assert!(action(&words(&format!("{name} {rest}"))).is_ok(), "{name}");
            let error = action(&words(&format!("{name} {rest} more"))).unwrap_err();
            assert!(error.to_string().contains("takes the name of a user"), "{error}");
        }
        assert!(action(&words("sett ada")).unwrap_err().to_string().contains("cannot \"sett\""));
    }
}
