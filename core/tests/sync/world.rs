//! A private Dovecot, devices with a store each, and imaplib as the eye that is not ours.

use mailtide::imap::quirk::Quirks;
use mailtide::imap::{InternalDate, UidSet};
use mailtide::journal::Entry;
use mailtide::store::{
    Account as StoredAccount, Durability, Flags, Handle, MailboxId, MailboxState, NewMessage, Now, Page, SqliteOptions,
    SqliteStore, Writer, body, change, derive,
};
use mailtide::sync::{SyncOptions, SyncReport, sync};
use mailtide::{Account, AppendOptions, Credentials, Engine, EngineOptions, Result, Security, Session};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// What a mailbox holds: by the text after `Subject:`, which names each message of these tests.
pub type Contents = BTreeMap<String, BTreeMap<String, Message>>;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message {
    pub flags: String,
    pub bytes: String,
    pub count: u32,
}

/// A message that is named by its number.
pub fn mail(n: u32) -> Vec<u8> {
    let name = format!("{n:04}");
    let text = "Lorem ipsum dolor sit amet.\r\n".repeat(n as usize % 7 + 1);
    format!("From: Ada <ada@example.org>\r\nMessage-ID: <{name}@example.org>\r\nSubject: {name}\r\n\r\n{text}")
        .into_bytes()
}

/// A date of its own for each message.
pub fn dated(n: u32) -> AppendOptions {
    let received = Some(InternalDate { seconds: 1_700_000_000 + i64::from(n), offset: 0 });
    AppendOptions { received, ..AppendOptions::default() }
}

pub struct Server {
    child: Child,
    host: String,
    pub port: u16,
    pub password: String,
}

impl Server {
    /// Starts it in a folder of its own; `None` where Dovecot is not installed.
    pub fn start() -> Option<Self> {
        let script = root().join("tests/servers/dovecot.py");
        let mut child = Command::new("python3")
            .arg(script)
            .arg("run")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        if line.is_empty() {
            let mut why = String::new();
            std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut why).unwrap();
            child.wait().unwrap();
            assert!(why.contains("not installed"), "{why}");
            let mut out = std::io::stderr();
            writeln!(out, "skipped: {}", why.trim()).unwrap();
            return None;
        }
        let env: serde_json::Value = serde_json::from_str(&line).unwrap();
        Some(Self {
            child,
            host: env["host"].as_str().unwrap().to_owned(),
            port: env["imap_port"].as_u64().unwrap() as u16,
            password: env["password"].as_str().unwrap().to_owned(),
        })
    }

    /// A live session of a user; `hidden` are capabilities that it does not believe.
    pub async fn session(&self, user: &str, hidden: &[&'static str]) -> Session {
        self.session_at(self.port, user, hidden).await
    }

    /// The same through something that listens on another port.
    pub async fn session_at(&self, port: u16, user: &str, hidden: &[&'static str]) -> Session {
        let mut account = self.account(user);
        account.port = port;
        let mut quirks = Quirks::default();
        quirks.hidden.extend(hidden.iter().map(|name| (*name).to_owned()));
        account.quirks = Some(quirks);
        let engine = Engine::new(EngineOptions::default(), tokio::runtime::Handle::current());
        engine.connect(account).await.unwrap()
    }

    /// The account of a user.
    pub fn account(&self, user: &str) -> Account {
        let mut account = Account::new(self.host.clone(), user, Credentials::Password(self.password.clone().into()));
        (account.port, account.security) = (self.port, Security::Cleartext);
        account
    }

    /// Everything of a user on the server, read by imaplib.
    pub fn contents(&self, user: &str) -> Contents {
        let output = Command::new("python3")
            .arg(root().join("core/tests/sync/read.py"))
            .args([&self.host, &self.port.to_string(), user, &self.password])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let read: BTreeMap<String, Vec<[String; 3]>> = serde_json::from_slice(&output.stdout).unwrap();
        let all = read.into_iter().map(|(mailbox, rows)| (mailbox, gather(rows)));
        all.filter(|(_, messages)| !messages.is_empty()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The script stops the server when its input ends.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn gather(rows: Vec<[String; 3]>) -> BTreeMap<String, Message> {
    let mut messages = BTreeMap::new();
    for [name, flags, bytes] in rows {
        messages.entry(name).and_modify(|m: &mut Message| m.count += 1).or_insert(Message { flags, bytes, count: 1 });
    }
    messages
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A device: a store, and a session to bring it in step with.
pub struct Device {
    pub session: Session,
    pub store: Handle,
    pub user: String,
    ahead: Arc<AtomicI64>,
    _folder: tempfile::TempDir,
}

impl Device {
    pub async fn new(server: &Server, user: &str, hidden: &[&'static str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("ada.mail"), SqliteOptions::default()).unwrap();
        let store = Handle::new(Arc::new(store)).unwrap();
        let account = StoredAccount { address: user.to_owned(), settings: "{}".to_owned(), identity: None };
        store.write(Durability::Full, move |writer| writer.set_account(&account)).await.unwrap();
        let session = server.session(user, hidden).await;
        Self { session, store, user: user.to_owned(), ahead: Arc::default(), _folder: folder }
    }

    pub async fn sync(&self) -> SyncReport {
        self.sync_with(|_| {}).await
    }

    pub async fn sync_with(&self, set: impl FnOnce(&mut SyncOptions)) -> SyncReport {
        let mut options = self.options();
        set(&mut options);
        sync(&self.session, self.store.clone(), options).await.unwrap()
    }

    pub async fn try_sync(&self) -> Result<SyncReport> {
        sync(&self.session, self.store.clone(), self.options()).await
    }

    /// Lets this device's clock go forward.
    pub fn later(&self, seconds: i64) {
        self.ahead.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    fn options(&self) -> SyncOptions {
        let (mut options, ahead) = (SyncOptions::default(), Arc::clone(&self.ahead));
        options.environment.now = Arc::new(move || now().millis() + ahead.load(Ordering::SeqCst));
        options
    }

    /// A local change.
    pub async fn local<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut dyn Writer, Now) -> Result<T> + Send + 'static,
    ) -> T {
        self.store.write(Durability::Full, move |writer| change(writer, now())).await.unwrap()
    }

    pub async fn append(&self, mailbox: &str, bytes: Vec<u8>, flags: Flags) -> u32 {
        let id = self.id(mailbox).await;
        self.local(move |writer, now| {
            let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
            let header = bytes::Bytes::copy_from_slice(&bytes[..end]);
            let (size, internal_date) = (bytes.len() as u64, InternalDate { seconds: now.seconds(), offset: 0 });
            let content = body::put(writer, &bytes, &header, now)?;
            let new = NewMessage {
                size,
                internal_date,
                digest: Some(derive::digest(&header, size, internal_date)),
                email_id: None,
                links: derive::links(&header),
                headers: mailtide::store::Headers { header, ..Default::default() },
            };
            change::append(writer, id, (&new, content), flags, now)
        })
        .await
    }

    pub async fn id(&self, mailbox: &str) -> MailboxId {
        let name = mailbox.to_owned();
        self.store.read(move |reader| Ok(reader.mailbox_named(&name)?.unwrap().id)).await.unwrap()
    }

    pub async fn state(&self, mailbox: &str) -> MailboxState {
        let name = mailbox.to_owned();
        self.store.read(move |reader| Ok(reader.mailbox_named(&name)?.unwrap().state)).await.unwrap()
    }

    pub async fn uids(&self, mailbox: &str) -> UidSet {
        let id = self.id(mailbox).await;
        self.store.read(move |reader| reader.uids(id)).await.unwrap()
    }

    pub async fn pending(&self) -> Vec<Entry> {
        self.store.read(|reader| reader.pending()).await.unwrap()
    }

    /// Everything that is here and visible.
    pub async fn contents(&self) -> Contents {
        contents(&self.store).await
    }
}

/// Everything that is visible in a store.
pub async fn contents(store: &Handle) -> Contents {
    let read = |reader: &dyn mailtide::store::Reader| {
        let mut all = Contents::new();
        for mailbox in reader.mailboxes()? {
            let mut rows = Vec::new();
            for row in reader.list(mailbox.id, Page { after: None, limit: 100_000, newest_first: false })? {
                let bytes = body::read(reader, row.message.id, u64::MAX)?;
                let text = String::from_utf8(bytes.to_vec()).unwrap();
                let name = text.split("Subject: ").nth(1).unwrap()[..4].to_owned();
                let mut flags: Vec<_> = row.placement.flags.iter().map(|flag| flag.to_string()).collect();
                flags.sort();
                rows.push([name, flags.join(" "), text]);
            }
            if !rows.is_empty() {
                all.insert(mailbox.name, gather(rows));
            }
        }
        Ok(all)
    };
    store.read(read).await.unwrap()
}

fn now() -> Now {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Now::from_millis(since.as_millis() as i64)
}
