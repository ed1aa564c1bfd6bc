//! Mailtide as a peer of the benchmarks: the task is the last argument, settings are in `BENCH_*` variables, one line of
//! JSON on standard output is the result.

#![allow(clippy::print_stdout, reason = "the harness reads it")]

mod search;
mod sync;

use bytes::Bytes;
use mailtide::imap::{Flag, UidSet};
use mailtide::{
    Account, AppendOptions, AppendSource, Columns, Credentials, Engine, EngineOptions, FetchOptions, FlagChange,
    Mailbox, Parts, Query, Roots, Security, Selection, Session, WatchOptions, WriteOptions,
};
use std::env::var;
use std::io::{Read, Write};
use std::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// As both packages have it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Settings {
    host: String,
    port: u16,
    tls: bool,
    user: String,
    password: String,
    mailbox: String,
    count: u32,
    started: Instant,
}

fn main() -> Result<()> {
    let settings = Settings {
        host: var("BENCH_HOST")?,
        port: var("BENCH_PORT")?.parse()?,
        tls: var("BENCH_TLS")? == "1",
        user: var("BENCH_USER")?,
        password: var("BENCH_PASS")?,
        mailbox: var("BENCH_BOX")?,
        count: var("BENCH_N")?.parse()?,
        started: Instant::now(),
    };
    let task = std::env::args().next_back().unwrap_or_default();
    // As the bindings run the local mailbox.
    let mut several = tokio::runtime::Builder::new_multi_thread();
    let mut one = tokio::runtime::Builder::new_current_thread();
    let builder = if task.starts_with("sync") { several.worker_threads(2) } else { &mut one };
    builder.enable_all().build()?.block_on(perform(&settings, &task))
}

async fn perform(settings: &Settings, task: &str) -> Result<()> {
    match task {
        "many" => return many(settings).await,
        "idle" => return idle(settings).await,
        "sync-latency" => return sync::latency(settings).await,
        "sync-search" => return search::figures(settings).await,
        task if task.starts_with("sync") => return sync::pass(settings).await,
        _ => {}
    }
    let (messages, bytes) = run(settings, task).await?;
    let seconds = settings.started.elapsed().as_secs_f64();
    println!("{}", serde_json::json!({ "seconds": seconds, "messages": messages, "bytes": bytes }));
    Ok(())
}

async fn run(settings: &Settings, task: &str) -> Result<(usize, usize)> {
    let writes = task.starts_with("flags") || task == "append";
    let session = connect(settings, !writes).await?;
    let mailbox = session.mailbox(settings.mailbox.as_str())?;
    let done = match task {
        "noop" => mailbox.search(UidSet::range(1, 1), false, None).await.map(|_| (0, 0))?,
        "headers" => headers(&mailbox).await?,
        "bodies" | "bodies-plain" => bodies(&mailbox, false).await?,
        "parse" => bodies(&mailbox, true).await?,
        "unread" => unread(&mailbox, settings.count).await?,
        "append" => append(&mailbox, settings.count).await?,
        "flags-each" => flags_each(&mailbox, settings.count).await?,
        "flags-set" => {
            mailbox.flag(UidSet::range(1, settings.count), seen(), WriteOptions::default()).await?;
            (settings.count as usize, 0)
        }
        other => return Err(format!("no task {other}").into()),
    };
    session.close().await?;
    Ok(done)
}

async fn connect(settings: &Settings, read_only: bool) -> Result<Session> {
    let engine = Engine::new(EngineOptions::default(), tokio::runtime::Handle::current());
    Ok(engine.connect(account(settings, read_only)?).await?)
}

fn account(settings: &Settings, read_only: bool) -> Result<Account> {
    let credentials = Credentials::Password(settings.password.as_str().into());
    let mut account = Account::new(settings.host.as_str(), settings.user.as_str(), credentials);
    account.port = settings.port;
    account.read_only = read_only;
    if settings.tls {
        account.net.roots = Roots::File(var("BENCH_CA")?.into());
    } else {
        account.security = Security::Cleartext;
    }
    Ok(account)
}

async fn headers(mailbox: &Mailbox) -> Result<(usize, usize)> {
    let mut messages = mailbox.fetch(Selection::All, FetchOptions::default());
    let mut all = Vec::new();
    while let Some(batch) = messages.next_batch().await? {
        all.extend(batch);
    }
    let whole = all.iter().filter(|m| m.envelope().is_some() && m.structure().is_some() && m.received().is_some());
    Ok((whole.count(), 0))
}

async fn bodies(mailbox: &Mailbox, parse: bool) -> Result<(usize, usize)> {
    let none = Columns { size: true, ..Columns::NONE };
    let columns = if parse { Columns { envelope: true, structure: true, ..none } } else { none };
    let parts = Parts { raw: true, ..Parts::default() };
    let mut messages = mailbox.fetch(Selection::All, FetchOptions { columns, parts, ..FetchOptions::default() });
    let (mut count, mut bytes, mut seen) = (0, 0, 0);
    while let Some(batch) = messages.next_batch().await? {
        for message in batch {
            bytes += message.raw().await?.len();
            count += 1;
            if parse {
                seen += message.subject().map_or(0, |s| s.len()) + message.from_().len() + message.text().await?.len();
                seen +=
                    message.attachments().iter().filter_map(|a| a.filename.as_ref()).map(String::len).sum::<usize>();
            }
        }
    }
    std::hint::black_box(seen);
    Ok((count, bytes))
}

async fn unread(mailbox: &Mailbox, count: u32) -> Result<(usize, usize)> {
    let columns = Columns { envelope: true, ..Columns::NONE };
    let order = mailtide::Order::Newest;
    let options = FetchOptions { columns, order, limit: Some(u64::from(count)), ..FetchOptions::default() };
    let mut messages = mailbox.fetch(Query::unread(), options);
    let mut found = 0;
    while let Some(batch) = messages.next_batch().await? {
        for message in &batch {
            std::hint::black_box((message.subject(), message.from_(), message.date()));
        }
        found += batch.len();
    }
    Ok((found, 0))
}

async fn append(mailbox: &Mailbox, count: u32) -> Result<(usize, usize)> {
    let mut data = Bytes::from(std::fs::read(var("BENCH_SMALL")?)?);
    let mut sent = Vec::new();
    let mut bytes = 0;
    while data.len() > 4 && sent.len() < count as usize {
        let header: [u8; 4] = data.split_to(4).as_ref().try_into()?;
        let message = data.split_to(u32::from_be_bytes(header) as usize);
        bytes += message.len();
        sent.push(mailbox.append(AppendSource::Bytes(message), AppendOptions::default()));
    }
    let count = futures_util::future::try_join_all(sent).await?.len();
    Ok((count, bytes))
}

fn seen() -> FlagChange {
    FlagChange { add: vec![Flag::SEEN], ..FlagChange::default() }
}

async fn flags_each(mailbox: &Mailbox, count: u32) -> Result<(usize, usize)> {
    let calls = (1..=count).map(|uid| mailbox.flag(uid, seen(), WriteOptions::default()));
    Ok((futures_util::future::try_join_all(calls).await?.len(), 0))
}

async fn idle(settings: &Settings) -> Result<()> {
    let session = connect(settings, true).await?;
    let mut watch = session.mailbox(settings.mailbox.as_str())?.watch(WatchOptions::default());
    watch.ready().await?;
    say("READY")?;
    for _ in 0..settings.count {
        watch.next().await?;
        say(&format!("E {}", monotonic()?))?;
    }
    say(&serde_json::json!({ "seconds": settings.started.elapsed().as_secs_f64(), "messages": settings.count, "bytes": 0 }).to_string())
}

/// A watch of its own connection for each of many accounts.
async fn many(settings: &Settings) -> Result<()> {
    say("BASE")?;
    let engine = Engine::new(EngineOptions::default(), tokio::runtime::Handle::current());
    let mut kept = Vec::new();
    for from in (0..settings.count).step_by(20) {
        let batch = (from..settings.count.min(from + 20)).map(|n| {
            let engine = engine.clone();
            async move {
                let mut account = account(settings, true)?;
                account.user = format!("many{n}");
                let session = engine.connect(account).await?;
                session.mailbox(settings.mailbox.as_str())?.status().await?;
                Ok::<_, Box<dyn std::error::Error>>(session)
            }
        });
        kept.extend(futures_util::future::try_join_all(batch).await?);
    }
    say("READY")?;
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    say(&serde_json::json!({ "seconds": settings.started.elapsed().as_secs_f64(), "messages": kept.len(), "bytes": 0 })
        .to_string())
}

fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// CLOCK_MONOTONIC in nanoseconds, as the harness reads it.
fn monotonic() -> Result<u128> {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Ok(now.tv_sec as u128 * 1_000_000_000 + now.tv_nsec as u128)
}
