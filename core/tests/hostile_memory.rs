//! Servers that announce or send more than anybody can hold: the memory of this process stays what it is, and the call
//! ends with a typed error within seconds.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use mailtide::{
    Account, Code, Engine, EngineOptions, FetchOptions, ListOptions, MailError, Result, Selection, Session,
    WatchOptions,
};
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};

/// How much the memory may rise over all of it, in KiB.
const RISE: u64 = 32 * 1024;
const DEADLINE: Duration = Duration::from_secs(60);

/// What is sent: `head` once, then `unit` as often as `times` says (or until the client goes), then `tail`.
#[derive(Clone)]
struct Flood {
    name: &'static str,
    head: String,
    unit: Vec<u8>,
    times: usize,
    tail: String,
}

const WITHOUT_END: usize = usize::MAX;

fn flood(name: &'static str, head: &str, unit: &[u8], times: usize, tail: &str) -> Flood {
    Flood { name, head: head.to_owned(), unit: unit.to_vec(), times, tail: tail.to_owned() }
}

/// Values that stand where a string of the place could.
fn floods() -> Vec<Flood> {
    let body = vec![b'x'; 64 * 1024];
    let mut all = Vec::new();
    for (name, size) in [
        ("10 GiB", "10737418240".to_owned()),
        ("4 GiB and one", "4294967297".to_owned()),
        ("2^63", "9223372036854775808".to_owned()),
        ("2^64", "18446744073709551616".to_owned()),
        ("99999 digits", "9".repeat(99999)),
        ("negative", "-1".to_owned()),
    ] {
        all.push(flood(name, &format!("{{{size}}}\r\n"), &body, WITHOUT_END, ""));
    }
    all.push(flood("million literals", "(", b"{0}\r\n ", 1_000_000, "{0}\r\n)"));
    all.push(flood("1 GB line", "", &body, 16_384, ""));
    all.push(flood("deep nesting", "", b"(", 1_000_000, ""));
    all.push(flood("many items", "(", b"a ", 10_000_000, "a)"));
    all
}

/// Where it is sent, with what comes before it and after it.
#[derive(Clone, Copy)]
struct Place {
    name: &'static str,
    command: &'static str,
    before: &'static str,
    after: &'static str,
}

const PLACES: &[Place] = &[
    Place { name: "greeting", command: "", before: "* OK ", after: "\r\n" },
    Place { name: "untagged", command: "NOOP", before: "* ID ", after: "\r\n" },
    Place { name: "row", command: "UID FETCH", before: "* 1 FETCH (UID 1 BODY[] ", after: ")\r\n" },
    Place { name: "structure", command: "UID FETCH", before: "* 1 FETCH (UID 1 BODYSTRUCTURE ", after: ")\r\n" },
    Place { name: "list", command: "LIST", before: "* LIST () \"/\" ", after: "\r\n" },
    Place { name: "search", command: "UID SEARCH", before: "* SEARCH ", after: "\r\n" },
];

/// Whole responses, each small, without end.
fn streams() -> Vec<(&'static str, &'static str)> {
    vec![
        ("LIST", "* LIST () \"/\" \"a mailbox of the same name again and again\"\r\n"),
        ("UID SEARCH", "* SEARCH 1 2 3 4 5 6 7 8 9 10\r\n"),
        ("UID FETCH", "* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n"),
        ("UID FETCH", "* 1 FETCH (UID 1 FLAGS (\\Seen) RFC822.SIZE 5 INTERNALDATE \"01-Jan-2026 00:00:00 +0000\")\r\n"),
        ("UID FETCH", "* 1 FETCH (UID 1 FLAGS \\Seen) )\r\n"),
        ("STATUS", "* STATUS INBOX (MESSAGES 5)\r\n"),
        ("NOOP", "* OK still here\r\n"),
        ("NOOP", "+ go on\r\n"),
        ("SELECT", "* OK [UIDVALIDITY 5] again\r\n"),
        ("SELECT", "* FLAGS (a b c d e f g)\r\n"),
    ]
}

#[test]
fn no_server_makes_memory_grow() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut grown = Vec::new();
    runtime.block_on(async {
        // What a session costs by itself is not what this is about.
        let calm = Place { command: "nothing", ..PLACES[1] };
        assert!(session(calm, floods().remove(0)).await.is_ok(), "a quiet server");
        for place in PLACES {
            for flood in floods() {
                let what = format!("{} in {}", flood.name, place.name);
                measure(&what, &mut grown, session(*place, flood)).await;
            }
        }
        for (command, line) in streams() {
            let name = if command == "NOOP" || line.ends_with("(\\Seen))\r\n") { "talk" } else { "stream" };
            let place = Place { name, command, before: "", after: "" };
            let endless = flood("lines", "", line.repeat(500).as_bytes(), WITHOUT_END, "");
            measure(&format!("{line:?} without end"), &mut grown, session(place, endless)).await;
        }
        for exists in ["* 4294967295 EXISTS\r\n", "* 18446744073709551615 EXISTS\r\n"] {
            let place = Place { name: "watch", command: "IDLE", before: "", after: "" };
            measure(exists, &mut grown, watch(place, flood("count", exists, b"", 0, ""))).await;
        }
        let place = Place { name: "watch", command: "IDLE", before: "", after: "" };
        let rows = b"* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n".repeat(500);
        measure("rows in IDLE", &mut grown, watch(place, flood("rows", "+ idling\r\n", &rows, 1000, ""))).await;
    });
    assert!(grown.is_empty(), "memory or time:\n{}", grown.join("\n"));
}

/// Runs one case; notes what it has cost where that is too much, or where it ended as it must not.
async fn measure(what: &str, grown: &mut Vec<String>, case: impl Future<Output = Result<()>>) {
    reset_peak();
    let before = memory("VmRSS");
    let Ok(result) = tokio::time::timeout(DEADLINE, case).await else {
        grown.push(format!("{what}: hangs"));
        return;
    };
    let rise = memory("VmHWM").saturating_sub(before);
    if rise > RISE {
        grown.push(format!("{what}: {rise} KiB"));
    }
    if let Err(error) = result
        && !is_sensible(&error)
    {
        grown.push(format!("{what}: {error:?}"));
    }
}

fn is_sensible(error: &MailError) -> bool {
    matches!(error.code(), Code::LimitExceeded | Code::ServerProtocol | Code::NetLost | Code::MessageMalformed)
}

/// Every call that a place needs, until one fails.
async fn session(place: Place, flood: Flood) -> Result<()> {
    let endless = flood.times == WITHOUT_END;
    let calm = place.command == "nothing";
    let session = connect(place, flood).await?;
    session.noop().await?;
    session.status("INBOX").await?;
    session.mailboxes(ListOptions::default()).await?;
    let mut messages = session.mailbox("INBOX")?.fetch(Selection::All, FetchOptions::default());
    while let Some(batch) = messages.next_batch().await? {
        for message in batch {
            message.raw().await?;
        }
    }
    assert!(calm || !endless, "something without end has come to an end");
    Ok(())
}

async fn watch(place: Place, flood: Flood) -> Result<()> {
    let session = connect(place, flood).await?;
    let mut watch = session.mailbox("INBOX")?.watch(WatchOptions::default());
    watch.ready().await?;
    // What it tells then does not matter, nor whether it is anything.
    tokio::time::timeout(Duration::from_secs(2), watch.next()).await.map_or(Ok(()), |told| told.map(drop))
}

async fn connect(place: Place, flood: Flood) -> Result<Session> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let account = format!("imap://ada:secret@127.0.0.1:{}", listener.local_addr().unwrap().port());
    let connections = AtomicUsize::new(0);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if connections.fetch_add(1, Ordering::Relaxed) < 2 {
                tokio::spawn(serve(stream, place, flood.clone()));
            }
        }
    });
    let mut account = Account::from_url(&account)?;
    account.limits.progress = Duration::from_secs(10);
    if place.name == "talk" {
        // Far more than this would come as well, and takes long to be read in a debug build.
        account.limits.response = 1 << 18;
    }
    Engine::new(EngineOptions::default(), tokio::runtime::Handle::current()).connect(account).await
}

async fn serve(stream: TcpStream, place: Place, flood: Flood) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    if place.command.is_empty() {
        pour(&mut writer, place, &flood).await?;
    } else {
        writer.write_all(b"* OK [CAPABILITY IMAP4rev1 IDLE] ready\r\n").await?;
    }
    while let Some(line) = lines.next_line().await? {
        let (tag, command) = line.split_once(' ').unwrap_or_default();
        if command.starts_with(place.command) {
            pour(&mut writer, place, &flood).await?;
        }
        let answer = match command {
            c if c.starts_with("SELECT") => "* 1 EXISTS\r\n* OK [UIDVALIDITY 5] x\r\n* OK [UIDNEXT 2] x\r\n",
            c if c.starts_with("STATUS") => "* STATUS INBOX (MESSAGES 1)\r\n",
            c if c.starts_with("LIST") => "* LIST () \"/\" INBOX\r\n",
            c if c.starts_with("LSUB") => "* LSUB () \"/\" INBOX\r\n",
            c if c.starts_with("UID SEARCH") => "* SEARCH 1\r\n",
            c if c.contains("ENVELOPE") => "* 1 FETCH (UID 1 FLAGS () RFC822.SIZE 3)\r\n",
            c if c.starts_with("UID FETCH") => "* 1 FETCH (UID 1 FLAGS () BODY[] \"a b\")\r\n",
            _ => "",
        };
        writer.write_all(format!("{answer}{tag} OK [CAPABILITY IMAP4rev1 IDLE] done\r\n").as_bytes()).await?;
    }
    Ok(())
}

async fn pour(writer: &mut OwnedWriteHalf, place: Place, flood: &Flood) -> std::io::Result<()> {
    writer.write_all(place.before.as_bytes()).await?;
    writer.write_all(flood.head.as_bytes()).await?;
    // In large pieces, or the writing would take longer than the reading.
    let together = (64 * 1024 / flood.unit.len().max(1)).clamp(1, flood.times.max(1));
    let block = flood.unit.repeat(together);
    let mut left = flood.times;
    while left > 0 {
        let now = left.min(together);
        writer.write_all(&block[..now * flood.unit.len()]).await?;
        left -= if flood.times == WITHOUT_END { 0 } else { now };
    }
    writer.write_all(flood.tail.as_bytes()).await?;
    writer.write_all(place.after.as_bytes()).await
}

/// A figure of this process in KiB.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

/// Lets the highest figure begin anew with the present one.
fn reset_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}
