//! The local mailbox in the benchmarks: passes (`sync-first`, `sync-again`, `sync-changed`), and how soon a change of one
//! device is seen by another (`sync-latency`).

use super::{Result, Settings, account, say};
use mailtide::imap::Flag;
use mailtide::sync::{Progress, SyncOptions};
use mailtide::{
    Engine, EngineOptions, Event, FlagChange, FollowOptions, LogLine, Mail, MailOptions, Selection, Since, WriteOptions,
};
use serde_json::json;
use std::env::var;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// When a phase was last heard of: seconds of the clock, and of CPU.
type Marks = Arc<Mutex<[(f64, f64); 2]>>;

/// How long a round of `sync-latency` may take, and how long the devices rest before it.
const PATIENCE: Duration = Duration::from_secs(30);
const REST: Duration = Duration::from_millis(300);

/// One pass over the store in `BENCH_DIR`, which is new for `sync-first`.
pub async fn pass(settings: &Settings) -> Result<()> {
    let engine = Engine::new(EngineOptions::default(), tokio::runtime::Handle::current());
    let mail = open(settings, "ada.mail", engine.clone()).await?;
    let marks = Marks::default();
    let mut options = SyncOptions::default();
    options.on_progress = Some(listener(settings.started, &marks));
    let report = mail.sync(options).await?;
    let (end, cpu) = (settings.started.elapsed().as_secs_f64(), cpu_seconds());
    if let Some(problem) = report.problems.first() {
        return Err(problem.to_string().into());
    }
    let (total, (mailboxes, messages)) = (report.total, held(&mail).await?);
    let commands = engine.stats().commands;
    mail.close().await?;
    let [headers, bodies] = *marks.lock().unwrap_or_else(PoisonError::into_inner);
    say(&json!({
        "seconds": end, "messages": messages, "bytes": total.bytes, "mailboxes": mailboxes, "commands": commands,
        "added": total.added, "removed": total.removed, "flags": total.flags, "bodies": total.bodies,
        "headers_s": headers.0, "headers_cpu": headers.1, "bodies_s": bodies.0, "bodies_cpu": bodies.1,
        "indexed_s": end, "indexed_cpu": cpu, "hwm_kb": peak_kib()?, "store_bytes": store_bytes()?,
    })
    .to_string())
}

pub async fn open(settings: &Settings, file: &str, engine: Engine) -> Result<Mail> {
    let account = account(settings, false)?;
    let options = MailOptions { account: Some(account), engine: Some(engine), ..MailOptions::default() };
    Ok(Mail::open(PathBuf::from(var("BENCH_DIR")?).join(file), options).await?)
}

fn listener(started: Instant, marks: &Marks) -> Arc<dyn Fn(&Progress) + Send + Sync> {
    let marks = Arc::clone(marks);
    Arc::new(move |progress| {
        let [headers, bodies] = &mut *marks.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = (started.elapsed().as_secs_f64(), cpu_seconds());
        match progress.phase {
            "headers" => *headers = mark,
            "bodies" => *bodies = mark,
            _ => {}
        }
    })
}

/// How many mailboxes and messages are here.
pub async fn held(mail: &Mail) -> Result<(usize, u64)> {
    let count = |reader: &dyn mailtide::store::Reader| {
        let mailboxes = reader.mailboxes()?;
        let counts = mailboxes.iter().map(|row| Ok(reader.uids(row.id)?.len()));
        let messages = counts.collect::<mailtide::Result<Vec<u64>>>()?;
        Ok((mailboxes.len(), messages.iter().sum()))
    };
    Ok(mail.store().read(count).await?)
}

/// Two devices keep in step; the first marks a message, and the second is asked when it sees that. What counts is the time
/// from the server's word to the second device until then, which its log tells.
pub async fn latency(settings: &Settings) -> Result<()> {
    let heard: Arc<Mutex<Option<Instant>>> = Arc::default();
    let first = open(settings, "first.mail", engine(None)).await?;
    let second = open(settings, "second.mail", engine(Some(Arc::clone(&heard)))).await?;
    let box_name = settings.mailbox.as_str();
    for mail in [&first, &second] {
        mail.sync(SyncOptions::default()).await?;
        let mail = mail.clone();
        tokio::spawn(async move { mail.keep_in_sync(FollowOptions::default()).await });
    }
    let uid = newest(&first, box_name).await?;
    // Both watches stand once the other device has seen a change.
    flip((&first, uid), &second, box_name, true, &heard).await?;
    let mut rounds = Vec::new();
    for round in 0..settings.count {
        tokio::time::sleep(REST).await;
        rounds.push(flip((&first, uid), &second, box_name, round % 2 == 1, &heard).await?);
    }
    first.close().await?;
    second.close().await?;
    let sorted = |of: fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let (whole, own) = (sorted(|round| round.0), sorted(|round| round.1));
    let at = |values: &[f64], part: usize| values.get(values.len() * part / 100).copied().unwrap_or_default();
    say(&json!({
        "seconds": settings.started.elapsed().as_secs_f64(), "messages": rounds.len(), "bytes": 0,
        "a_to_b_ms": at(&whole, 50), "own_median_ms": at(&own, 50), "own_worst_ms": at(&own, 99),
    })
    .to_string())
}

/// An engine that notes when its server first says something by itself.
fn engine(heard: Option<Arc<Mutex<Option<Instant>>>>) -> Engine {
    let logger = heard.map(|heard| -> Arc<dyn Fn(LogLine) + Send + Sync> {
        Arc::new(move |line| {
            let text = line.text.to_ascii_uppercase();
            let is_news = !line.sent
                && text.starts_with("* ")
                && ["FETCH", "STATUS"].iter().any(|word| text.contains(word))
                && !text.contains("OK");
            if is_news {
                heard.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
            }
        })
    });
    let options = EngineOptions { logger, ..EngineOptions::default() };
    Engine::new(options, tokio::runtime::Handle::current())
}

/// The newest message of a mailbox; its first ones may be gone.
async fn newest(mail: &Mail, name: &str) -> Result<u32> {
    let name = name.to_owned();
    let newest = move |reader: &dyn mailtide::store::Reader| {
        let row = reader.mailbox_named(&name)?;
        row.map(|row| Ok(reader.uids(row.id)?.last())).transpose()
    };
    let uid: Option<Option<u32>> = mail.store().read(newest).await?;
    Ok(uid.flatten().ok_or("no message to mark")?)
}

/// Marks a message on one device and waits until the other has it: milliseconds in all, and since the server told.
async fn flip(
    (first, uid): (&Mail, u32),
    second: &Mail,
    name: &str,
    add: bool,
    heard: &Mutex<Option<Instant>>,
) -> Result<(f64, f64)> {
    let mut changes = second.changes(Since::Cursor(second.cursor().await?));
    *heard.lock().unwrap_or_else(PoisonError::into_inner) = None;
    let flags = vec![Flag::FLAGGED];
    let change = match add {
        true => FlagChange { add: flags, ..FlagChange::default() },
        false => FlagChange { remove: flags, ..FlagChange::default() },
    };
    let begun = Instant::now();
    let all = first.mailbox(name)?;
    all.flag(Selection::Uids([uid].into_iter().collect()), change, WriteOptions::default()).await?;
    loop {
        let next = tokio::time::timeout(PATIENCE, changes.next()).await??;
        match next.map(|change| change.event) {
            Some(Event::Flags { .. }) => break,
            Some(_) => {}
            None => return Err("the second device was closed".into()),
        }
    }
    let told = heard.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or_else(Instant::now);
    Ok((begun.elapsed().as_secs_f64() * 1e3, told.elapsed().as_secs_f64() * 1e3))
}

/// CPU that this process has used so far, in seconds.
fn cpu_seconds() -> f64 {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    used.tv_sec as f64 + used.tv_nsec as f64 / 1e9
}

/// Most that was resident, in KiB.
fn peak_kib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// What the store's file takes.
fn store_bytes() -> Result<u64> {
    Ok(std::fs::metadata(PathBuf::from(var("BENCH_DIR")?).join("ada.mail"))?.len())
}
