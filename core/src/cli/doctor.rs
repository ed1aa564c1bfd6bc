//! `doctor`: what a server can do and what is slow on it, which of its faults are known, and what in the store wants repair.

use super::args::Args;
use super::rows::pending_json;
use super::setup::{is_there, mail, setup, store_path};
use super::sync::stuck_line;
use super::table::{Cell, Column, Look};
use super::text::{clean, count, size, wrap};
use super::{Command, exit};
use crate::error::{Code, MailError, Result};
use crate::imap::extension::REGISTRY;
use crate::imap::quirk::RULES;
use crate::journal::Pending;
use crate::mail::Mail;
use crate::outbox::Entry;
use crate::session::{Account, Engine, EngineOptions};
use crate::store::Usage;
use crate::sync::Paused;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What was found in a store.
struct Store {
    path: String,
    /// Nothing of one that cannot be opened.
    usage: Option<Usage>,
    damage: Vec<String>,
    stuck: Vec<Pending>,
    waiting: usize,
    paused: Vec<Paused>,
    undecided: Vec<Entry>,
}

/// What was found on a server.
struct Server {
    label: String,
    login: Duration,
    id: Vec<(String, Option<String>)>,
    capabilities: Vec<String>,
    quirks: Vec<&'static str>,
}

pub(super) async fn run(command: &Command) -> Result<u8> {
    if command.args.is("repair") {
        repaired(command).await?;
    }
    let store = match mail(&command.args).await {
        Ok(mail) => examined(&mail).await?,
        Err(error) if error.code() == Code::StoreDamaged => closed(&command.args, &error)?,
        Err(error) => return Err(error),
    };
    let is_sound =
        store.damage.is_empty() && store.stuck.is_empty() && store.paused.is_empty() && store.undecided.is_empty();
    if !command.screen.json {
        print_store(command, &store)?;
    }
    let wants_server = !command.args.is("offline") && !command.args.is("store");
    let server = match wants_server {
        true => Some(asked(setup(&command.args)?.account).await),
        false => None,
    };
    let server = server.transpose();
    if command.screen.json {
        let found = server.as_ref().ok().and_then(Option::as_ref).map(server_json);
        command.screen.value(&json!({ "store": store_json(&store), "server": found }))?;
    }
    if let Some(server) = server?.filter(|_| !command.screen.json) {
        print_server(command, &server)?;
    }
    Ok(if is_sound { exit::DONE } else { exit::PARTIAL })
}

/// Saves what can be saved, and says what that was.
async fn repaired(command: &Command) -> Result<()> {
    let path = store_path(&command.args)?;
    is_there(&path)?;
    let done = Mail::repair(&path).await?;
    let Some(damaged) = done.damaged else { return Ok(()) };
    let lost = done.incomplete.iter().map(|(table, rows)| format!("{table}, of which {rows} rows are left"));
    let lost = lost.collect::<Vec<_>>().join("; ");
    let of = if lost.is_empty() { "Nothing is missing".to_owned() } else { format!("Not all could be read of {lost}") };
    command.screen.note(&format!("Repaired. {of}. The damaged file is {}", damaged.display()));
    Ok(())
}

/// A store that cannot be opened.
fn closed(args: &Args, error: &MailError) -> Result<Store> {
    let path = store_path(args)?.display().to_string();
    let damage = vec![format!("{error}. `mailtide doctor --repair` saves what can be saved")];
    let (stuck, paused, undecided) = (Vec::new(), Vec::new(), Vec::new());
    Ok(Store { path, usage: None, damage, stuck, waiting: 0, paused, undecided })
}

/// Looks at a store and closes it.
async fn examined(mail: &Mail) -> Result<Store> {
    let pending = mail.pending().await?;
    let store = Store {
        path: mail.path().display().to_string(),
        usage: Some(mail.usage().await?),
        damage: mail.check().await?,
        waiting: pending.iter().filter(|pending| !pending.is_stuck()).count(),
        stuck: pending.into_iter().filter(Pending::is_stuck).collect(),
        paused: mail.paused().await?,
        undecided: mail.outbox().await?.into_iter().filter(Entry::needs_decision).collect(),
    };
    mail.close().await.map(|()| store)
}

async fn asked(account: Account) -> Result<Server> {
    let label = account.label();
    let engine = Engine::new(EngineOptions::default(), tokio::runtime::Handle::current());
    let began = Instant::now();
    let session = engine.connect(account).await?;
    let login = began.elapsed();
    let id = session.id(vec![("name".to_owned(), Some("Mailtide".to_owned()))]).await?;
    let (capabilities, quirks) = (session.capabilities().await?, session.quirks().await?.matched);
    session.close().await?;
    Ok(Server { label, login, id, capabilities, quirks })
}

fn print_store(command: &Command, store: &Store) -> Result<()> {
    let screen = &command.screen;
    screen.styled(Look::Bold, &format!("Store {}", store.path))?;
    if let Some(usage) = &store.usage {
        let bodies = format!("{} held ({})", count(usage.bodies, "body"), size(usage.bodies_stored));
        let (messages, file) = (count(usage.messages, "message"), size(usage.file + usage.log));
        screen.line(&format!("  {messages}, {bodies}; {file} on the disk"))?;
    }
    if store.waiting > 0 {
        let waiting = count(store.waiting as u64, "change");
        screen.line(&format!("  {waiting} wait{} for the next sync", if store.waiting == 1 { "s" } else { "" }))?;
    }
    if store.damage.is_empty() {
        screen.styled(Look::Green, "  All of it was read, and it is sound")?;
    }
    for damage in &store.damage {
        said(command, Look::Red, &format!("Damaged: {}", clean(damage)))?;
    }
    for paused in &store.paused {
        let text = format!("{} is paused: {}. {}", clean(&paused.mailbox), clean(&paused.reason), paused.advice);
        said(command, Look::Yellow, &text)?;
    }
    for stuck in &store.stuck {
        said(command, Look::Yellow, &stuck_line(stuck))?;
    }
    for entry in &store.undecided {
        let to = entry.recipients.iter().map(|r| clean(&r.address)).collect::<Vec<_>>().join(", ");
        said(
            command,
            Look::Yellow,
            &format!("Message {} to {to} may have been sent or not: decide about it", entry.id),
        )?;
    }
    Ok(())
}

const COLUMNS: &[Column] = &[
    Column { title: "", to_the_right: false, most: None, gives: false },
    Column { title: "", to_the_right: false, most: None, gives: false },
    Column { title: "", to_the_right: false, most: None, gives: true },
];

fn print_server(command: &Command, server: &Server) -> Result<()> {
    let screen = &command.screen;
    screen.line("")?;
    screen.styled(Look::Bold, &format!("Server of {}", clean(&server.label)))?;
    let id =
        server.id.iter().filter_map(|(name, value)| Some(format!("{}: {}", clean(name), clean(value.as_deref()?))));
    let id = id.collect::<Vec<_>>().join(", ");
    screen.line(&format!(
        "  Connected and logged in in {} ms{}{id}",
        server.login.as_millis(),
        if id.is_empty() { "" } else { "; " }
    ))?;
    let mut rows = Vec::new();
    for (extension, is_there) in extensions(&server.capabilities) {
        let (mark, about) = match is_there {
            true => (Cell::new("  ✓", Look::Green), extension.about),
            false => (Cell::new("  ✗", Look::Yellow), extension.fallback),
        };
        rows.push((is_there, vec![mark, extension.capability.into(), about.into()]));
    }
    let part = |wanted| rows.iter().filter(move |(is_there, _)| *is_there == wanted).map(|(_, row)| row.clone());
    screen.styled(Look::Dim, "\n  What it can do, and what that is used for".trim_start_matches('\n'))?;
    screen.table(COLUMNS, &part(true).collect::<Vec<_>>())?;
    if part(false).next().is_some() {
        screen.styled(Look::Dim, "  What it cannot do, and what is done instead")?;
        screen.table(COLUMNS, &part(false).collect::<Vec<_>>())?;
    }
    for slow in slow(&server.capabilities) {
        said(command, Look::Yellow, &format!("Slow: {slow}"))?;
    }
    for quirk in &server.quirks {
        let evidence = RULES.iter().find(|rule| rule.name == *quirk).map(|rule| rule.evidence).unwrap_or_default();
        said(command, Look::Yellow, &format!("Known faults of {quirk}, which are worked around: {evidence}"))?;
    }
    Ok(())
}

fn said(command: &Command, look: Look, text: &str) -> Result<()> {
    let lines = wrap(text, command.screen.width.saturating_sub(2));
    lines.iter().try_for_each(|line| command.screen.styled(look, &format!("  {line}")))
}

/// Each extension that we know, and whether the server has it. Gmail's own is not missing elsewhere.
fn extensions(capabilities: &[String]) -> impl Iterator<Item = (&'static crate::imap::extension::Extension, bool)> {
    REGISTRY.iter().filter_map(move |extension| {
        let is_there = has(capabilities, extension.capability);
        let is_covered = extension.capability == "LITERAL-" && has(capabilities, "LITERAL+")
            || extension.capability == "LITERAL+" && has(capabilities, "LITERAL-");
        let is_own = extension.capability.starts_with("X-") || is_covered;
        (is_there || !is_own).then_some((extension, is_there))
    })
}

/// Whether a capability is announced, with or without a value (`APPENDLIMIT=…`), or is part of IMAP4rev2 (RFC 9051
/// appendix E).
fn has(capabilities: &[String], name: &str) -> bool {
    const OF_REV2: &[&str] = &[
        "NAMESPACE",
        "UNSELECT",
        "UIDPLUS",
        "ESEARCH",
        "SEARCHRES",
        "ENABLE",
        "IDLE",
        "SASL-IR",
        "LIST-EXTENDED",
        "LIST-STATUS",
        "MOVE",
        "LITERAL-",
        "CHILDREN",
        "SPECIAL-USE",
        "STATUS=SIZE",
    ];
    let is_rev2 = capabilities.iter().any(|known| known.eq_ignore_ascii_case("IMAP4rev2"));
    let is_it = |known: &String| {
        let start = known.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        start && known.get(name.len()..).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    };
    capabilities.iter().any(is_it) || is_rev2 && OF_REV2.contains(&name)
}

/// What a person notices of what is missing.
fn slow(capabilities: &[String]) -> Vec<&'static str> {
    let lacks = |name| !has(capabilities, name);
    let table = [
        (
            lacks("CONDSTORE"),
            "each sync of a mailbox that has changed fetches the flags of all its messages (no CONDSTORE)",
        ),
        (
            lacks("QRESYNC") && !lacks("CONDSTORE"),
            "what was deleted elsewhere is found by a search of all UIDs (no QRESYNC)",
        ),
        (lacks("LIST-STATUS"), "each sync asks for the status of every mailbox on its own (no LIST-STATUS)"),
        (lacks("IDLE"), "new mail is seen only when it is asked for, at intervals (no IDLE)"),
        (lacks("NOTIFY"), "changes outside INBOX are seen with the next pass, not at once (no NOTIFY)"),
        (lacks("MOVE"), "a move is a copy, a mark and an expunge (no MOVE)"),
        (
            lacks("UIDPLUS"),
            "deleted messages stay, marked; each new message is looked for after it was added (no UIDPLUS)",
        ),
    ];
    table.into_iter().filter(|(is_so, _)| *is_so).map(|(_, text)| text).collect()
}

fn store_json(store: &Store) -> Value {
    let usage = store.usage.as_ref();
    let paused = store.paused.iter();
    let paused = paused.map(|p| json!({ "mailbox": p.mailbox, "reason": p.reason, "advice": p.advice }));
    json!({
        "path": store.path, "file": usage.map(|u| u.file), "log": usage.map(|u| u.log),
        "messages": usage.map(|u| u.messages), "bodies": usage.map(|u| u.bodies),
        "bodies_stored": usage.map(|u| u.bodies_stored), "damage": store.damage, "waiting": store.waiting,
        "stuck": store.stuck.iter().map(pending_json).collect::<Vec<_>>(), "paused": paused.collect::<Vec<_>>(),
        "undecided": store.undecided.iter().map(|entry| entry.id).collect::<Vec<_>>(),
    })
}

fn server_json(server: &Server) -> Value {
    let id: serde_json::Map<_, _> =
        server.id.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let extensions = extensions(&server.capabilities).map(|(extension, is_there)| {
        let (about, fallback) = (extension.about, extension.fallback);
        json!({ "capability": extension.capability, "there": is_there, "rfc": extension.rfc, "about": about, "fallback": fallback })
    });
    json!({
        "account": server.label, "login_ms": u64::try_from(server.login.as_millis()).unwrap_or(u64::MAX), "id": id,
        "capabilities": server.capabilities, "extensions": extensions.collect::<Vec<_>>(),
        "slow": slow(&server.capabilities), "quirks": server.quirks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capabilities(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn what_a_server_has_by_name_by_value_or_by_its_version_is_not_called_missing() {
        let old = capabilities("IMAP4rev1 APPENDLIMIT=1000 Idle CONDSTORE LITERAL+");
        let there = |all: &[String], name| extensions(all).find(|(e, _)| e.capability == name).map(|(_, is)| is);
        assert_eq!(
            [there(&old, "APPENDLIMIT"), there(&old, "IDLE"), there(&old, "MOVE")],
            [Some(true), Some(true), Some(false)]
        );
        assert_eq!([there(&old, "X-GM-EXT-1"), there(&old, "LITERAL-")], [None, None]);
        let new = capabilities("IMAP4rev2 IMAP4rev1");
        assert_eq!([there(&new, "MOVE"), there(&new, "QRESYNC")], [Some(true), Some(false)]);
    }

    #[test]
    fn what_is_slow_is_said_of_each_that_is_missing() {
        assert_eq!(slow(&capabilities("IMAP4rev1")).len(), 6);
        let all = capabilities("IMAP4rev2 CONDSTORE QRESYNC NOTIFY");
        assert!(slow(&all).is_empty());
        assert!(slow(&capabilities("IMAP4rev2 CONDSTORE NOTIFY"))[0].contains("QRESYNC"));
    }
}
