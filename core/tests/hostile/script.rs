//! What a session does in these tests: each scene is a few calls on a new session, told as text.

use crate::support::faults::Faults;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use mailtide::imap::{Flag, Role, UidSet};
use mailtide::{
    AppendOptions, AppendSource, Columns, CreateOptions, FetchOptions, FlagChange, ListOptions, Mailbox, Message,
    Parts, Query, Result, Session, WriteOptions,
};

type Calls = fn(Session) -> BoxFuture<'static, Result<String>>;

/// A few calls, and on what server.
#[derive(Clone, Copy)]
pub struct Scene {
    pub name: &'static str,
    pub calls: Calls,
    /// Capabilities that the server lacks.
    pub lacks: &'static [&'static str],
    /// Every how many bytes the connection is cut; 1 for every byte.
    pub every: usize,
}

impl Scene {
    pub fn faults(&self) -> Faults {
        Faults { lacks: self.lacks.to_vec(), ..Faults::default() }
    }
}

macro_rules! scene {
    ($name:literal, $session:ident, $calls:expr) => {
        scene!($name, [], 1, $session, $calls)
    };
    ($name:literal, $lacks:expr, $every:literal, $session:ident, $calls:expr) => {
        Scene { name: $name, calls: |$session| Box::pin(async move { $calls }), lacks: &$lacks, every: $every }
    };
}

/// Without these the session has to take the long way for everything.
const BARE: [&str; 10] = [
    "LITERAL+",
    "SASL-IR",
    "UIDPLUS",
    "ESEARCH",
    "NAMESPACE",
    "ID",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "MULTIAPPEND",
    "ENABLE",
];

pub const SCENES: &[Scene] = &[
    scene!("connect", _session, Ok("connected".to_owned())),
    scene!("mailboxes", session, mailboxes(&session).await),
    scene!("mailboxes of a bare server", BARE, 1, session, mailboxes(&session).await),
    scene!("status", session, Ok(format!("{:?}", session.status("INBOX").await?))),
    scene!("names", session, names(&session).await),
    scene!("windows", [], 41, session, {
        let columns = Columns { flags: true, ..Columns::NONE };
        rows(&session.mailbox("INBOX")?, FetchOptions { columns, ..FetchOptions::default() }).await
    }),
    scene!("windows of a bare server", BARE, 43, session, {
        let columns = Columns { flags: true, ..Columns::NONE };
        rows(&session.mailbox("INBOX")?, FetchOptions { columns, ..FetchOptions::default() }).await
    }),
    scene!("loaded ahead", session, {
        let parts = Parts { text: true, headers: true, ..Parts::default() };
        let mut messages =
            session.mailbox("INBOX")?.fetch(set("1:3"), FetchOptions { parts, ..FetchOptions::default() });
        let mut out = String::new();
        while let Some(batch) = messages.next_batch().await? {
            for message in batch {
                out += &format!("{} {} {:?}\n", shown(&message), message.text().await?, message.headers().await?);
            }
        }
        Ok(out)
    }),
    scene!("contents", session, {
        let message = message(&session, 2).await?;
        Ok(format!("{} {:?} {:?}", message.text().await?, message.html().await?, message.headers().await?))
    }),
    scene!("raw message", session, Ok(format!("{:?}", message(&session, 2).await?.raw().await?))),
    scene!("part stream", session, {
        let mut stream = message(&session, 2).await?.stream(Some("2"))?;
        let mut content = Vec::new();
        while let Some(piece) = stream.next().await? {
            content.extend_from_slice(&piece);
        }
        Ok(format!("{content:?}"))
    }),
    scene!("save", session, {
        let folder = tempfile::tempdir().unwrap();
        let saved = message(&session, 2).await?.save_part("2", folder.path(), None).await;
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, usize::from(saved.is_ok()), "a file that is not whole was left behind");
        let content = std::fs::read(saved?).unwrap();
        assert_eq!(content, crate::support::store::attachment());
        Ok(format!("{content:?}"))
    }),
    scene!("flag", session, {
        let change = FlagChange { add: vec![Flag::FLAGGED], remove: vec![Flag::SEEN], set: None };
        let result = session.mailbox("INBOX")?.flag(set("1:5"), change, WriteOptions::default()).await?;
        Ok(format!("{result:?}"))
    }),
    scene!("copy", session, {
        let result = session.mailbox("INBOX")?.copy_to(set("1:5,9"), "Archive", WriteOptions::default()).await?;
        Ok(format!("{result:?}"))
    }),
    scene!("move", session, {
        let result = session.mailbox("INBOX")?.move_to(set("1:5"), Role::Archive, WriteOptions::default()).await?;
        Ok(format!("{result:?}"))
    }),
    scene!("move without MOVE", ["MOVE"], 1, session, {
        let result = session.mailbox("INBOX")?.move_to(set("1:5"), "Archive", WriteOptions::default()).await?;
        Ok(format!("{result:?}"))
    }),
    scene!("delete and expunge", session, {
        let inbox = session.mailbox("INBOX")?;
        let deleted = inbox.delete(set("1:2"), WriteOptions::default()).await?;
        Ok(format!("{deleted:?} {:?}", inbox.expunge(set("3"), WriteOptions::default()).await?))
    }),
    scene!("append", session, append(&session).await),
    scene!("append to a bare server", BARE, 1, session, append(&session).await),
    scene!("count", session, {
        let inbox = session.mailbox("INBOX")?;
        let unread = inbox.count(Query::parse("is:unread subject:59")?, None).await?;
        Ok(format!("{unread} {}", inbox.count(mailtide::Selection::All, None).await?))
    }),
    scene!("search", session, search(&session).await),
    scene!("search of a bare server", BARE, 1, session, search(&session).await),
    scene!("search that the engine decides", session, {
        // Words in a header of which the server's matching is not trusted.
        let found = session.mailbox("Stable")?.search(Query::parse("subject:message")?, true, None).await?;
        Ok(format!("{found:?}"))
    }),
    scene!("manage", session, {
        let name = session.create_mailbox(vec!["New".to_owned(), "Year".to_owned()], CreateOptions::default()).await?;
        session.subscribe(&*name, true).await?;
        session.rename_mailbox(&*name, "Old").await?;
        session.delete_mailbox("Old", false).await?;
        Ok(name)
    }),
    scene!("raw command", session, Ok(format!("{:?}", session.raw("STATUS Stable (MESSAGES)").await?))),
    scene!("close", session, {
        session.noop().await?;
        session.close().await.map(|()| "closed".to_owned())
    }),
];

async fn mailboxes(session: &Session) -> Result<String> {
    let found = session.mailboxes(ListOptions { status: true, ..ListOptions::default() }).await?;
    Ok(format!("{found:?}"))
}

async fn names(session: &Session) -> Result<String> {
    let fields = vec![("name".to_owned(), Some("test".to_owned()))];
    Ok(format!("{:?} {:?} {:?}", session.namespaces().await?, session.id(fields).await?, session.capabilities().await?))
}

async fn append(session: &Session) -> Result<String> {
    let archive = session.mailbox("Archive")?;
    let options = AppendOptions { flags: vec![Flag::SEEN], ..AppendOptions::default() };
    let one =
        archive.append(AppendSource::Bytes(Bytes::from_static(b"Subject: a\r\n\r\nb\r\n")), options.clone()).await?;
    let (sender, chunks) = tokio::sync::mpsc::channel(4);
    for piece in ["Subject: c\r\n", "\r\n", "d\r\n"] {
        sender.try_send(Ok(Bytes::from_static(piece.as_bytes()))).unwrap();
    }
    drop(sender);
    let streamed = AppendSource::Stream { len: Some(17), chunks };
    let whole = AppendSource::Bytes(Bytes::from_static(b"Subject: e\r\n\r\nf\r\n"));
    Ok(format!("{one:?} {:?}", archive.append_many(vec![streamed, whole], options).await?))
}

async fn search(session: &Session) -> Result<String> {
    let inbox = session.mailbox("INBOX")?;
    let found = inbox.search(Query::parse("is:read")?, false, None).await?;
    let named = inbox.search(set("590:700"), false, None).await?;
    Ok(format!("{found:?} {named:?}"))
}

/// All messages of a mailbox.
pub async fn rows(mailbox: &Mailbox, options: FetchOptions) -> Result<String> {
    let mut messages = mailbox.fetch(mailtide::Selection::All, options);
    let mut out = String::new();
    while let Some(batch) = messages.next_batch().await? {
        batch.iter().for_each(|m| out += &shown(m));
    }
    Ok(out)
}

pub async fn message(session: &Session, uid: u32) -> Result<Message> {
    let mut messages = session.mailbox("INBOX")?.fetch(uid, FetchOptions::default());
    let batch = messages.next_batch().await?;
    Ok(batch.and_then(|mut b| b.pop()).expect("the message is there"))
}

pub fn shown(m: &Message) -> String {
    let (uid, flags, subject) = (m.uid(), m.flags(), m.subject());
    format!("{uid} {flags:?} {subject:?} {:?} {:?} {:?}\n", m.size(), m.received(), m.problems())
}

pub fn set(text: &str) -> UidSet {
    UidSet::parse(text).unwrap()
}
