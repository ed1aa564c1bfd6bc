//! A process that sends is killed again and again, on a real store and a real Postfix: nothing is sent twice, and
//! nothing is lost without a word.

use super::super::{Ledger, Outbox, SendOptions, SmtpAccount, State, StoreLedger};
use super::real::Server;
use super::support::draft;
use crate::Credentials;
use crate::imap::InternalDate;
use crate::message::{Composed, Stamp};
use crate::net::Security;
use crate::store::{Handle, SqliteOptions, SqliteStore};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Where the child finds its store and its server.
const CHILD: &str = "MAILTIDE_TEST_OUTBOX_CHILD";
const MESSAGES: u8 = 100;
const KILLS: u64 = 30;

fn ledger(path: &Path) -> StoreLedger {
    let store = SqliteStore::open(path, SqliteOptions::default()).unwrap();
    StoreLedger::new(Handle::new(Arc::new(store)).unwrap())
}

fn outbox(path: &Path, port: u16) -> Outbox {
    let account = SmtpAccount::from_url(&format!("smtp://127.0.0.1:{port}")).unwrap();
    Outbox::new(Arc::new(ledger(path)), account, None)
}

fn message(number: u8) -> Composed {
    let stamp = Stamp { now: InternalDate { seconds: 1_700_000_000, offset: 0 }, random: [number; 32] };
    draft().compose(&stamp).unwrap()
}

/// What the killed process does. By itself it has nothing to do.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_may_be_killed_sends_what_is_due() {
    let Ok(told) = std::env::var(CHILD) else { return };
    let (port, path) = told.split_once(' ').unwrap();
    outbox(Path::new(path), port.parse().unwrap()).pass().await.unwrap();
}

fn child(path: &Path, port: u16) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "outbox::tests::killed::a_process_that_may_be_killed_sends_what_is_due"])
        .env(CHILD, format!("{port} {}", path.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_twice_by_processes_that_are_killed() {
    let Some(server) = Server::start("postfix") else { return };
    let account = server.account(Security::Cleartext, Credentials::None);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mail");
    let sender = outbox(&path, account.port);
    for number in 1..=MESSAGES {
        sender.send_composed(&message(number), &SendOptions::default()).await.unwrap();
    }
    for kill in 0..KILLS {
        let mut child = child(&path, account.port);
        // Anywhere from before the store is open to the middle of some message; no event tells where that is.
        tokio::time::sleep(Duration::from_millis(30 + kill * 97 % 400)).await;
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let unfinished = sender.unfinished().await.unwrap().len();
    let report = sender.pass().await.unwrap();
    assert!(report.trouble.is_none(), "{:?}", report.trouble);
    check(&server, &ledger(&path), unfinished).await;
}

async fn check(server: &Server, ledger: &StoreLedger, unfinished: usize) {
    let mut states = BTreeMap::new();
    for id in 1..=i64::from(MESSAGES) {
        let entry = ledger.entry(id).await.unwrap().unwrap();
        states.insert(format!("<{}>", entry.message_id), entry.state);
    }
    let accepted = states.values().filter(|state| **state == State::Accepted).count();
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for message in server.messages(accepted) {
        *taken.entry(message.headers().get("Message-ID").unwrap()).or_default() += 1;
    }
    for (id, state) in &states {
        match (state, taken.get(id).copied().unwrap_or(0)) {
            (State::Accepted, 1) | (State::Uncertain, 0 | 1) => {}
            (state, count) => panic!("{id} is {state:?} and arrived {count} times; {unfinished} were left to the end"),
        }
    }
    // Each kill leaves one in doubt at most.
    assert!(states.len() - accepted <= KILLS as usize, "{accepted} accepted, {unfinished} were left to the end");
}
