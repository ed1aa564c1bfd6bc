//! The process that is killed: this test program again, told by its environment whose mail to bring in step.

use super::Scene;
use super::gate::{Gate, Way};
use super::world::Server;
use mailtide::imap::quirk::Quirks;
use mailtide::sync::SyncOptions;
use mailtide::{Account, Credentials, Mail, MailOptions, Security};
use serde_json::{Value, json};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const TASK: &str = "MAILTIDE_KILLS_TASK";
/// No life may be longer; one that hangs fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// When to kill.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    /// After so many bytes of a way.
    Bytes(Way, u64),
    /// When the files of the store have grown by so many bytes.
    Stored(u64),
}

impl Moment {
    pub fn bound(self) -> Option<(Way, u64)> {
        if let Self::Bytes(way, count) = self { Some((way, count)) } else { None }
    }

    pub fn growth(self) -> Option<u64> {
        if let Self::Stored(growth) = self { Some(growth) } else { None }
    }
}

/// What the store and its log take on the disk.
pub fn stored(path: &Path) -> u64 {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |data| data.len());
    size(path) + size(&path.with_extension("mail-wal"))
}

pub struct Child {
    process: std::process::Child,
    /// Ready when its output ends, which it does with the process.
    ended: tokio::task::JoinHandle<()>,
}

impl Child {
    /// Starts it in its n-th life.
    pub fn start(scene: &Scene, (user, path): (&str, &Path), life: i64) -> Self {
        let task = json!({
            "user": user, "path": path, "port": scene.gate.port, "hidden": scene.hidden, "life": life,
            "password": scene.server.password,
        });
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_one_that_is_killed", "--quiet", "--nocapture"])
            .env(TASK, task.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = process.stdout.take().unwrap();
        let ended = tokio::task::spawn_blocking(move || drop(output.read_to_end(&mut Vec::new())));
        Self { process, ended }
    }

    /// Kills it at a moment; whether that came before its end.
    pub async fn until(mut self, moment: impl Future<Output = ()>) -> bool {
        let is_alive = tokio::select! {
            _ = &mut self.ended => false,
            () = moment => true,
            () = tokio::time::sleep(PATIENCE) => {
                self.process.kill().unwrap();
                panic!("it does not end");
            }
        };
        if is_alive {
            // SIGKILL.
            self.process.kill().unwrap();
        }
        let status = self.process.wait().unwrap();
        assert!(is_alive || status.success(), "{status}");
        // It may have come to its end just before.
        !status.success()
    }
}

/// Waits until the gate has closed or the files are so large.
pub async fn moment(gate: &Gate, grown: Option<(&Path, u64)>) {
    tokio::select! {
        () = gate.closed() => {}
        () = has_grown(grown) => {}
    }
}

/// Never ends; remembers how large the files were. A log is emptied now and then.
pub async fn highest(path: &Path, size: &mut u64) {
    loop {
        *size = stored(path).max(*size);
        tokio::time::sleep(Duration::from_micros(300)).await;
    }
}

/// Polls: a file gives no event. A few hundred microseconds are a commit or two.
async fn has_grown(grown: Option<(&Path, u64)>) {
    let Some((path, size)) = grown else { return std::future::pending().await };
    while stored(path) < size {
        tokio::time::sleep(Duration::from_micros(300)).await;
    }
}

/// What the process does.
pub fn live() {
    let Ok(task) = std::env::var(TASK) else { return };
    let task: Value = serde_json::from_str(&task).unwrap();
    let text = |name: &str| task[name].as_str().unwrap().to_owned();
    let hidden: Vec<String> = serde_json::from_value(task["hidden"].clone()).unwrap();
    let login = Credentials::Password(text("password").into());
    let mut account = Account::new("localhost", text("user"), login);
    (account.port, account.security) = (task["port"].as_u64().unwrap() as u16, Security::Cleartext);
    account.quirks = Some(quirks(hidden));
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let options = MailOptions { account: Some(account), ..MailOptions::default() };
        let mail = Mail::open(text("path"), options).await.unwrap();
        mail.sync(ahead(task["life"].as_i64().unwrap())).await.unwrap();
        mail.close().await.unwrap();
    });
}

/// An account of the server's at another port.
pub fn account(server: &Server, (user, port): (&str, u16), hidden: &[&'static str]) -> Account {
    let mut account = server.account(user);
    account.port = port;
    account.quirks = Some(quirks(hidden.iter().map(|name| (*name).to_owned()).collect()));
    account
}

fn quirks(hidden: Vec<String>) -> Quirks {
    let mut quirks = Quirks::default();
    quirks.hidden = hidden;
    quirks
}

/// A pass whose clock is so many lives ahead, of more than a minute each.
pub fn ahead(lives: i64) -> SyncOptions {
    let mut options = SyncOptions::default();
    options.environment.now = Arc::new(move || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        since.as_millis() as i64 + lives * 61_000
    });
    options
}
