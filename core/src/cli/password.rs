//! Passwords from elsewhere than the configuration: a command, the keyring of the system, a person.

use super::args::usage;
use super::config::PasswordFrom;
use crate::error::{Code, MailError, Result};
use crate::secret::Secret;
use crate::session::{Credentials, PasswordCallback};
use std::io::{IsTerminal, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

/// Credentials that get the password when it is needed, and not before.
pub(super) fn credentials(from: PasswordFrom, account: &str) -> Credentials {
    if let PasswordFrom::Clear(secret) = from {
        return Credentials::Password(secret);
    }
    let account = account.to_owned();
    let ask: PasswordCallback = Arc::new(move |request| {
        let (from, account) = (from.clone(), account.clone());
        let question = format!("Password of {} at {}: ", request.user, request.host);
        Box::pin(async move { obtain(from, account, question).await })
    });
    Credentials::PasswordCallback(ask)
}

/// The password.
///
/// # Errors
///
/// [`Code::AuthMissing`] where there is none.
pub(super) async fn obtain(from: PasswordFrom, account: String, question: String) -> Result<Secret> {
    let work = tokio::task::spawn_blocking(move || match from {
        PasswordFrom::Clear(secret) => Ok(secret),
        PasswordFrom::Command(words) => printed(&mut command(&words)?, "password_command"),
        PasswordFrom::Keyring => looked_up(&account),
        PasswordFrom::Prompt => asked(&question),
    });
    work.await.unwrap_or_else(|_| Err(missing("Asking for the password was interrupted".to_owned())))
}

/// Asks on the terminal, or reads a line from standard input where that is none.
pub(super) fn asked(question: &str) -> Result<Secret> {
    let answer = if std::io::stdin().is_terminal() {
        rpassword::prompt_password(question)
    } else {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    };
    let answer = answer.map_err(|error| missing(format!("No password could be read: {error}")))?;
    let secret = Secret::from(answer);
    let first = secret.reveal().trim_end_matches(['\r', '\n']);
    if first.is_empty() {
        let hint = "Set password_command or keyring in the configuration where nobody is there to be asked";
        return Err(missing("No password was given".to_owned()).hint(hint));
    }
    Ok(first.into())
}

/// Puts a password into the keyring.
pub(super) async fn keep(account: String, secret: Secret) -> Result<()> {
    let work = tokio::task::spawn_blocking(move || kept(&account, &secret));
    work.await.unwrap_or_else(|_| Err(missing("Keeping the password was interrupted".to_owned())))
}

/// A line for the shell, or a program and its arguments.
fn command(words: &[String]) -> Result<Command> {
    let mut command = match words {
        [] => return Err(usage("password_command is empty")),
        [line] => {
            let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
            let mut command = Command::new(shell);
            command.args([flag, line]);
            command
        }
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments);
            command
        }
    };
    command.stdin(Stdio::inherit());
    Ok(command)
}

/// The first line that a command prints.
fn printed(command: &mut Command, what: &str) -> Result<Secret> {
    let output = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().and_then(Child::wait_with_output);
    let output = output.map_err(|error| missing(format!("{what} cannot be run: {error}")))?;
    let text = Secret::from(String::from_utf8_lossy(&output.stdout).into_owned());
    let first = text.reveal().lines().next().unwrap_or_default();
    match (output.status.success(), first) {
        (false, _) => Err(missing(format!("{what} failed: {}", output.status))),
        (true, "") => Err(missing(format!("{what} printed no password"))),
        (true, first) => Ok(first.into()),
    }
}

const SERVICE: &str = "mailtide";

/// From the Secret Service (GNOME, KDE) by `secret-tool`; from the keychain of macOS by `security`.
fn looked_up(account: &str) -> Result<Secret> {
    let mut command;
    if cfg!(target_os = "macos") {
        command = Command::new("security");
        command.args(["find-generic-password", "-s", SERVICE, "-a", account, "-w"]);
    } else {
        command = Command::new("secret-tool");
        command.args(["lookup", "service", SERVICE, "account", account]);
    }
    printed(command.stdin(Stdio::null()), "The keyring")
}

fn kept(account: &str, secret: &Secret) -> Result<()> {
    let mut command;
    // Never as an argument, which every process of the machine can see.
    let input;
    if cfg!(target_os = "macos") {
        command = Command::new("security");
        command.arg("-i");
        let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let (account, password) = (quoted(account), quoted(secret.reveal()));
        input = Secret::from(format!("add-generic-password -U -s {SERVICE} -a {account} -w {password}\n"));
    } else {
        command = Command::new("secret-tool");
        command.args(["store", "--label", &format!("Mailtide: {account}"), "service", SERVICE, "account", account]);
        input = secret.clone();
    }
    let failed = |text: String| MailError::new(Code::AuthMissing, text).hint("Use --password-command instead");
    let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
    let mut child = child.map_err(|error| failed(format!("The keyring cannot be reached: {error}")))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.reveal().as_bytes()).map_err(|error| failed(format!("The keyring: {error}")))?;
    }
    match child.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed(format!("The keyring took no password: {status}"))),
        Err(error) => Err(failed(format!("The keyring: {error}"))),
    }
}

fn missing(text: String) -> MailError {
    MailError::new(Code::AuthMissing, text)
}
