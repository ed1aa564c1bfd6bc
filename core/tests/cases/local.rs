//! Calls of a case on a local store, and a mailbox of either kind.

use crate::call::{Caller, flag, target};
use crate::json;
use mailtide::imap::Role;
use mailtide::message::Draft;
use mailtide::outbox::Decision;
use mailtide::sync::SyncOptions;
use mailtide::{
    AppendOptions, AppendSource, BulkResult, CreateOptions, FetchOptions, FlagChange, FollowOptions, ListOptions,
    LocalMailbox, Mail, MailOptions, Mailbox, MailboxStatus, MessageRef, Messages, Result, Selection, SendOptions,
    Since, SmtpAccount, Target, WriteOptions,
};
use serde_json::{Value, json as value};

/// A mailbox of a session or of a store.
pub enum Place {
    Live(Mailbox),
    Local(LocalMailbox),
}

macro_rules! on {
    ($place:expr, $mailbox:ident => $call:expr) => {
        match $place {
            Place::Live($mailbox) => $call,
            Place::Local($mailbox) => $call,
        }
    };
}

impl Place {
    pub fn fetch(&self, selection: Selection, options: FetchOptions) -> Messages {
        on!(self, m => m.fetch(selection, options))
    }

    pub async fn count(&self, selection: Selection, zone: Option<String>) -> Result<u64> {
        on!(self, m => m.count(selection, zone).await)
    }

    pub async fn search(&self, selection: Selection, exact: bool, zone: Option<String>) -> Result<Vec<MessageRef>> {
        on!(self, m => m.search(selection, exact, zone).await)
    }

    pub async fn status(&self) -> Result<MailboxStatus> {
        on!(self, m => m.status().await)
    }

    pub async fn flag(&self, selection: Selection, change: FlagChange, options: WriteOptions) -> Result<BulkResult> {
        on!(self, m => m.flag(selection, change, options).await)
    }

    pub async fn move_to(&self, selection: Selection, to: Target, options: WriteOptions) -> Result<BulkResult> {
        on!(self, m => m.move_to(selection, to, options).await)
    }

    pub async fn copy_to(&self, selection: Selection, to: Target, options: WriteOptions) -> Result<BulkResult> {
        on!(self, m => m.copy_to(selection, to, options).await)
    }

    pub async fn delete(&self, selection: Selection, options: WriteOptions) -> Result<BulkResult> {
        on!(self, m => m.delete(selection, options).await)
    }

    pub async fn expunge(&self, selection: Selection, options: WriteOptions) -> Result<BulkResult> {
        on!(self, m => m.expunge(selection, options).await)
    }

    pub async fn append(&self, source: AppendSource, options: AppendOptions) -> Result<Option<MessageRef>> {
        on!(self, m => m.append(source, options).await)
    }

    pub async fn append_many(
        &self,
        sources: Vec<AppendSource>,
        options: AppendOptions,
    ) -> Result<Vec<Option<MessageRef>>> {
        on!(self, m => m.append_many(sources, options).await)
    }

    /// The live one.
    pub fn live(&self) -> &Mailbox {
        match self {
            Self::Live(mailbox) => mailbox,
            Self::Local(_) => panic!("a local mailbox is not watched"),
        }
    }
}

impl Caller {
    /// A store in a folder of its own.
    pub async fn open(&mut self, args: &Value) -> Result<Value> {
        let mut options = MailOptions { engine: Some(self.engine.clone()), ..MailOptions::default() };
        if !flag(args, "alone") {
            options.account = Some(self.account(&self.given(args))?);
        }
        options.smtp = args["smtp"].as_str().map(SmtpAccount::from_url).transpose()?;
        self.mail = Some(Mail::open(self.folder.path().join("ada.mail"), options).await?);
        Ok(Value::Null)
    }

    pub async fn mail(&mut self, verb: &str, args: &Value) -> Result<Value> {
        let mail = self.mail.clone().expect("a store is open");
        let (name, id) = (|| target(&args["name"]), || args["id"].as_i64().unwrap());
        match verb {
            "mailbox" => mail.mailbox(name()).map(|_| Value::Null),
            "mailboxes" => {
                let pattern = args["pattern"].as_str().map(str::to_owned);
                let options =
                    ListOptions { pattern, subscribed: flag(args, "subscribed"), status: flag(args, "status") };
                Ok(mail.mailboxes(options).await?.iter().map(json::info).collect())
            }
            "create_mailbox" => {
                let role = args["role"].as_str().and_then(Role::parse);
                let options = CreateOptions { role, exist_ok: flag(args, "exist_ok") };
                mail.create_mailbox(name(), options).await.map(Value::from)
            }
            "rename_mailbox" => mail.rename_mailbox(name(), target(&args["to"])).await.map(Value::from),
            "delete_mailbox" => mail.delete_mailbox(name(), flag(args, "even_if_not_empty")).await.map(Value::from),
            "subscribe" => mail.subscribe(name(), args["on"].as_bool().unwrap_or(true)).await.map(Value::from),
            "status" => mail.mailbox(name())?.status().await.map(|s| json::status(&s)),
            "changes" => {
                let since = match args["since"].as_str() {
                    Some("$cursor") => Since::Cursor(self.cursor.clone()),
                    Some(cursor) if cursor != "now" => Since::Cursor(cursor.to_owned()),
                    _ => Since::Now,
                };
                self.changes = Some(mail.changes(since));
                Ok(Value::Null)
            }
            "cursor" => {
                self.cursor = mail.cursor().await?;
                Ok(Value::Null)
            }
            "sync" => mail.sync(SyncOptions::default()).await.map(|report| json::report(&report)),
            "keep_in_sync" => mail.keep_in_sync(FollowOptions::default()).await.map(Value::from),
            "pending" => Ok(mail.pending().await?.iter().map(json::pending).collect()),
            "retry" => mail.retry(id()).await.map(Value::from),
            "drop" => mail.drop_pending(id()).await.map(Value::from),
            "send" => mail.send(&draft(args)?, &SendOptions::default()).await.map(|entry| json::outgoing(&entry)),
            "outbox" => Ok(mail.outbox().await?.iter().map(json::outgoing).collect()),
            "cancel" => mail.cancel(id()).await.map(|entry| json::outgoing(&entry)),
            "decide" => {
                let decision = match args["decision"].as_str() {
                    Some("resend") => Decision::Resend,
                    Some("sent") => Decision::Sent,
                    _ => Decision::Drop,
                };
                mail.decide(id(), decision).await.map(|entry| json::outgoing(&entry))
            }
            "usage" => mail.usage().await.map(
                |usage| value!({"messages": usage.messages, "bodies": usage.bodies, "restorable": usage.restorable}),
            ),
            "evict" => {
                let evicted = mail.evict(args["bytes"].as_u64().unwrap()).await?;
                Ok(value!({"bodies": evicted.bodies, "bytes": evicted.bytes}))
            }
            "backup" => mail.backup(self.folder.path().join(args["to"].as_str().unwrap())).await.map(Value::from),
            "check" => mail.check().await.map(Value::from),
            "close" => mail.close().await.map(Value::from),
            other => panic!("no such call: mail.{other}"),
        }
    }
}

fn draft(args: &Value) -> Result<Draft> {
    let text = |name: &str| args[name].as_str().unwrap_or_default();
    Ok(Draft::new().from(text("from"))?.to(text("to"))?.subject(text("subject")).text(text("text")))
}
