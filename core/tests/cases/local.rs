//! Calls of a case on a local store.

use crate::call::{Caller, flag, mailboxes};
use crate::json;
use mailtide::message::Draft;
use mailtide::outbox::Decision;
use mailtide::sync::SyncOptions;
use mailtide::{FollowOptions, Mail, MailOptions, Mailboxes, Result, SendOptions, SmtpAccount};
use serde_json::{Value, json as value};

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
        let id = || args["id"].as_i64().unwrap();
        match verb {
            "changes" => {
                self.watch = Some(mail.changes(self.since(args)));
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
            _ => mailboxes(&Mailboxes::Local(mail), verb, args).await,
        }
    }
}

fn draft(args: &Value) -> Result<Draft> {
    let text = |name: &str| args[name].as_str().unwrap_or_default();
    Ok(Draft::new().from(text("from"))?.to(text("to"))?.subject(text("subject")).text(text("text")))
}
