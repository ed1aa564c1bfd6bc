//! `pending`: local changes that the server has not confirmed; those that are parked are tried again or dropped.

use super::args::{ids, usage};
use super::rows::{PENDING, pending_json, pending_row};
use super::setup::mail;
use super::table::Look;
use super::text::{clean, count};
use super::{Command, exit};
use crate::error::{MailError, Result};
use crate::journal::Pending;
use crate::mail::Mail;
use serde_json::json;

/// What is done to parked changes.
pub(super) const ACTIONS: &[&str] = &["retry", "drop"];

/// What was typed, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Action {
    List,
    Retry(Vec<i64>),
    Drop(Vec<i64>),
}

pub(super) async fn run(command: &Command) -> Result<u8> {
    let action = action(&command.args.rest)?;
    let mail = mail(&command.args).await?;
    match action {
        Action::List => list(command, &mail).await?,
        Action::Retry(ids) => retry(command, &mail, &ids).await?,
        Action::Drop(ids) => drop_all(command, &mail, &ids).await?,
    }
    mail.close().await?;
    Ok(exit::DONE)
}

fn action(words: &[String]) -> Result<Action> {
    match words {
        [] => Ok(Action::List),
        [action, words @ ..] if action == "retry" => ids(words).map(Action::Retry).map_err(see),
        [action, words @ ..] if action == "drop" => ids(words).map(Action::Drop).map_err(see),
        [action, ..] => Err(see(usage(format!("pending cannot {action:?}")))),
    }
}

fn see(error: MailError) -> MailError {
    error.hint("See mailtide pending --help")
}

async fn list(command: &Command, mail: &Mail) -> Result<()> {
    let all = mail.pending().await?;
    if command.screen.json {
        return all.iter().try_for_each(|change| command.screen.value(&pending_json(change)));
    }
    command.screen.table(PENDING, &all.iter().map(pending_row).collect::<Vec<_>>())?;
    if all.is_empty() {
        command.screen.note("The server has confirmed everything");
    } else if all.iter().any(Pending::is_stuck) {
        command.screen.note("mailtide pending retry ID lets a parked one be tried again, drop ID takes it back");
    }
    Ok(())
}

async fn retry(command: &Command, mail: &Mail, ids: &[i64]) -> Result<()> {
    for id in ids {
        mail.retry(*id).await?;
        match command.screen.json {
            true => command.screen.value(&json!({ "id": id, "retried": true }))?,
            false => command.screen.styled(Look::Green, &format!("{id} is tried again with the next sync"))?,
        }
    }
    Ok(())
}

/// Several may depend on the first, and go with it.
async fn drop_all(command: &Command, mail: &Mail, ids: &[i64]) -> Result<()> {
    let mut gone = Vec::new();
    for id in ids {
        if gone.contains(id) {
            continue;
        }
        let dropped = mail.drop_pending(*id).await?;
        gone.extend(&dropped);
        if command.screen.json {
            command.screen.value(&json!({ "id": id, "dropped": dropped }))?;
            continue;
        }
        let others = dropped.len().saturating_sub(1) as u64;
        let more = if others == 0 { String::new() } else { format!(", and {} with it", count(others, "other")) };
        command.screen.styled(Look::Green, &clean(&format!("{id} is dropped{more}")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_that_is_completed_is_understood() {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(action(&[]).unwrap(), Action::List);
        assert_eq!(action(&words("drop 3 4")).unwrap(), Action::Drop(vec![3, 4]));
        for name in ACTIONS {
            assert!(action(&words(&format!("{name} 7"))).is_ok(), "{name}");
            for odd in ["", "x", "1 x"] {
                assert!(action(&words(&format!("{name} {odd}"))).is_err(), "{name} {odd}");
            }
        }
        assert!(action(&words("7")).unwrap_err().to_string().contains("cannot \"7\""));
    }
}
