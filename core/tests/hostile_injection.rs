//! Random strings in every public argument: a strict reader gets exactly one command, or none at all where the string was
//! refused, and the string arrives as the same bytes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "support/strict.rs"]
mod strict;

#[path = "hostile/reader.rs"]
mod reader;

use bytes::Bytes;
use mailtide::imap::Flag;
use mailtide::{
    Account, AppendOptions, AppendSource, Code, CreateOptions, Credentials, Engine, EngineOptions, FlagChange,
    ListOptions, Query, Result, Selection, Session, WriteOptions,
};
use reader::{Reader, decoded, strings};
use tokio::runtime::Handle;

/// Strings in all.
const STRINGS: usize = 100_000;
/// Of these, in user names and passwords, where each costs a connection.
const LOGINS: usize = 4_000;
/// Tasks, each with a server of its own.
const TASKS: usize = 4;

#[test]
fn no_string_becomes_a_second_command_or_another_string() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let calls = (0..TASKS).map(|task| tokio::spawn(calls(task as u64, (STRINGS - LOGINS) / TASKS)));
        let logins = (0..TASKS).map(|task| tokio::spawn(logins(100 + task as u64, LOGINS / TASKS)));
        let mut failed = Vec::new();
        for task in calls.chain(logins).collect::<Vec<_>>() {
            failed.extend(task.await.err().map(|e| e.to_string()));
        }
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    });
}

async fn calls(seed: u64, count: usize) {
    // Half of the servers take literals without being asked.
    let reader = Reader::start(if seed.is_multiple_of(2) {
        "LIST-EXTENDED NAMESPACE LITERAL+ ID"
    } else {
        "LIST-EXTENDED NAMESPACE ID"
    })
    .await;
    let account = Account::from_url(&format!("imap://ada:secret@127.0.0.1:{}", reader.port)).unwrap();
    let options = EngineOptions { max_connections: 1, ..EngineOptions::default() };
    let session = Engine::new(options, Handle::current()).connect(account).await.unwrap();
    // What is asked for once.
    session.namespaces().await.unwrap();
    session.mailbox("INBOX").unwrap().search(Selection::All, false, None).await.unwrap();
    let mut sent = 0;
    for (number, string) in strings(seed + 1).take(count).enumerate() {
        reader.heard();
        let which = number % CALLS;
        let result = call(&session, which, &string).await;
        let wanted = if which == 1 { format!("{string}/x") } else { string.clone() };
        sent += usize::from(judge(&reader, &result, how(which), &wanted, &format!("call {which} with {string:?}")));
    }
    assert!(sent > count / 8, "only {sent} of {count} strings reached the server");
}

/// How the string of a call has to stand in the command.
#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    /// As one of its strings, literals or atoms.
    AsItIs,
    /// In modified UTF-7, as a mailbox name does.
    Name,
    /// As all of it.
    Raw,
}

const CALLS: usize = 18;

fn how(which: usize) -> How {
    match which {
        0..=4 => How::Name,
        5 => How::Raw,
        _ => How::AsItIs,
    }
}

async fn call(session: &Session, which: usize, string: &str) -> Result<()> {
    let (owned, inbox) = (string.to_owned(), session.mailbox("INBOX")?);
    let query = match which {
        0 => return session.status(string).await.map(drop),
        1 => return session.create_mailbox(vec![owned, "x".to_owned()], CreateOptions::default()).await.map(drop),
        2 => return session.rename_mailbox("Old", string).await,
        3 => return session.subscribe(string, true).await,
        4 => {
            let options = ListOptions { pattern: Some(owned), ..ListOptions::default() };
            return session.mailboxes(options).await.map(drop);
        }
        5 => return session.raw(string).await.map(drop),
        6 => {
            let change = FlagChange { add: vec![Flag::parse(string)?], ..FlagChange::default() };
            return inbox.flag(5, change, WriteOptions::default()).await.map(drop);
        }
        7 => {
            let options = AppendOptions { flags: vec![Flag::parse(string)?], ..AppendOptions::default() };
            let source = AppendSource::Bytes(Bytes::from_static(b"a: b\r\n\r\n"));
            return inbox.append(source, options).await.map(drop);
        }
        8 => return session.id(vec![("name".to_owned(), Some(owned))]).await.map(drop),
        9 => return session.id(vec![(owned, Some("x".to_owned()))]).await.map(drop),
        10 => Query::from_(owned),
        11 => Query::to(owned),
        12 => Query::subject(owned),
        13 => Query::body(owned),
        14 => Query::text(owned),
        15 => Query::header("X-Spam", Some(owned)),
        16 => Query::header(owned, Some("x".to_owned())),
        _ => Query::cc(owned),
    };
    inbox.search(query, false, None).await.map(drop)
}

/// Whether something was sent, all of which is as it should be.
fn judge(reader: &Reader, result: &Result<()>, how: How, wanted: &str, what: &str) -> bool {
    let (commands, offences) = reader.heard();
    assert!(commands.len() == usize::from(result.is_ok()), "{what}: {} commands, {result:?}", commands.len());
    let Some(command) = commands.first() else {
        let code = result.as_ref().unwrap_err().code();
        let usual = [Code::UsageArgument, Code::UsageFlag, Code::QuerySyntax];
        assert!(usual.contains(&code), "{what}: {result:?}");
        return false;
    };
    let raw = String::from_utf8_lossy(&command.raw);
    if how == How::Raw {
        assert_eq!(raw.split_once(' ').map(|(_, text)| text), Some(format!("{wanted}\r\n").as_str()), "{what}");
        return true;
    }
    assert!(offences.is_empty(), "{what}: {offences:?}: {raw}");
    let stands = |word: &Vec<u8>| match how {
        How::Name => decoded(word).is_some_and(|name| name == wanted),
        _ => word == wanted.as_bytes(),
    };
    assert!(command.words.iter().any(stands), "{what}: not in {raw}");
    true
}

async fn logins(seed: u64, count: usize) {
    let reader = Reader::start(if seed.is_multiple_of(2) { "LITERAL+" } else { "" }).await;
    let mut sent = 0;
    for (number, string) in strings(seed).take(count).enumerate() {
        reader.heard();
        let mut account = Account::from_url(&format!("imap://ada:secret@127.0.0.1:{}", reader.port)).unwrap();
        if number % 2 == 0 {
            account.user.clone_from(&string);
        } else {
            account.credentials = Credentials::Password(string.as_str().into());
        }
        let session = Engine::new(EngineOptions::default(), Handle::current()).connect(account).await;
        let (commands, offences) = reader.heard();
        let what = format!("login {} with {string:?}", number % 2);
        match &session {
            Ok(_) => {
                assert!(offences.is_empty(), "{what}: {offences:?}");
                let logins: Vec<_> = commands.iter().filter(|c| c.words[1] == b"LOGIN").collect();
                assert!(logins.len() == 1 && commands.len() <= 2, "{what}: {} commands", commands.len());
                assert!(logins[0].words.contains(&string.into_bytes()), "{what}");
                sent += 1;
            }
            Err(error) => {
                assert!(commands.iter().all(|c| c.words.get(1).is_some_and(|w| w == b"CAPABILITY")), "{what}: {error}");
                let usual = [Code::UsageArgument, Code::AuthMissing, Code::AuthNoMechanism];
                assert!(usual.contains(&error.code()), "{what}: {error}");
            }
        }
    }
    assert!(sent > count / 8, "only {sent} of {count} logins were tried");
}
