//! Calls of a case on a local store.

use crate::call::{Caller, flag, mailboxes, target};
use crate::json;
use mailtide::message::{Draft, ForwardOptions, ReplyOptions, parse_recipients};
use mailtide::outbox::Decision;
use mailtide::store::search::SearchOrder;
use mailtide::store::upkeep::Retention;
use mailtide::store::{Keep, KeepRule};
use mailtide::sync::SyncOptions;
use mailtide::{
    ArchiveFormat, ExportOptions, FollowOptions, ImportOptions, Mail, MailOptions, MailSearchOptions, Mailboxes, Query,
    Result, SendOptions, SmtpAccount,
};
use serde_json::{Value, json as value};
use std::time::Duration;

impl Caller {
    /// A store in a folder of its own.
    pub async fn open(&mut self, args: &Value) -> Result<Value> {
        let mut options = MailOptions { engine: Some(self.engine.clone()), ..MailOptions::default() };
        if !flag(args, "alone") {
            options.account = Some(self.account(&self.given(args))?);
        }
        let smtp = |server| SmtpAccount::named(server, options.account.as_ref());
        options.smtp = args["smtp"].as_str().map(smtp).transpose()?;
        options.sender = args["sender"].as_str().map(|sender| parse_recipients(sender).unwrap().remove(0));
        self.mail = Some(Mail::open(self.folder.path().join("ada.mail"), options).await?);
        Ok(Value::Null)
    }

    /// Repairs the store, which nobody has open.
    pub async fn repair(&mut self) -> Result<Value> {
        self.mail = None;
        let repaired = Mail::repair(self.folder.path().join("ada.mail")).await?;
        Ok(value!({"problems": repaired.problems, "incomplete": repaired.incomplete, "damaged": repaired.damaged}))
    }

    pub async fn mail(&mut self, verb: &str, args: &Value) -> Result<Value> {
        let mail = self.mail.clone().expect("a store is open");
        let named = || Some(&args["name"]).filter(|name| !name.is_null()).map(target);
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
            "sync" => {
                let mut options = SyncOptions::default();
                options.dry_run = flag(args, "dry_run");
                mail.sync(options).await.map(|report| json::report(&report))
            }
            "search" => {
                let order = SearchOrder::parse(args["order"].as_str().unwrap_or("newest")).unwrap();
                let limit = args.get("limit").map_or(Some(50), |limit| limit.as_u64().map(|limit| limit as usize));
                let (mailbox, snippets) = (args.get("mailbox").map(target), flag(args, "snippets"));
                let options = MailSearchOptions { mailbox, order, limit, snippets, time_zone: None };
                let hits = mail.search(Query::parse(args["query"].as_str().unwrap())?, options).await?;
                Ok(hits.iter().map(json::hit).collect())
            }
            "paused" => Ok(mail.paused().await?.iter().map(json::paused).collect()),
            "confirm" => mail.confirm(target(&args["name"])).await.map(Value::from),
            "keep" => mail.keep(named()).await.map(|rule| json::keep(&rule)),
            "set_keep" => mail.set_keep(named(), rule(&args["keep"])).await.map(Value::from),
            "tidy" => mail.tidy(Retention::default()).await.map(Value::from),
            "send_due" => mail.send_due().await.map(|report| {
                let changed: Value = report.changed.iter().map(json::outgoing).collect();
                value!({"changed": changed, "trouble": report.trouble.as_ref().map(json::error)})
            }),
            "keep_in_sync" => {
                let options = follow(args);
                let keeping = tokio::spawn(async move { mail.keep_in_sync(options).await });
                if flag(args, "meanwhile") {
                    self.meanwhile = Some(keeping);
                    return Ok(Value::Null);
                }
                keeping.await.unwrap().map(Value::from)
            }
            "pending" => Ok(mail.pending().await?.iter().map(json::pending).collect()),
            "retry" => mail.retry(id()).await.map(Value::from),
            "drop" => mail.drop_pending(id()).await.map(Value::from),
            "send" => mail.send(&draft(args)?, &SendOptions::default()).await.map(|entry| json::outgoing(&entry)),
            "outbox" => Ok(mail.outbox().await?.iter().map(json::outgoing).collect()),
            "outgoing" => Ok(mail.outgoing(id()).await?.as_ref().map_or(Value::Null, json::outgoing)),
            "cancel" => mail.cancel(id()).await.map(|entry| json::outgoing(&entry)),
            "decide" => {
                let decision = match args["decision"].as_str() {
                    Some("resend") => Decision::Resend,
                    Some("sent") => Decision::Sent,
                    _ => Decision::Drop,
                };
                mail.decide(id(), decision).await.map(|entry| json::outgoing(&entry))
            }
            "deleted" => {
                let limit = args["limit"].as_u64().map(|limit| limit as usize);
                Ok(mail.deleted(limit).await?.iter().map(json::deleted).collect())
            }
            "restore" => {
                let to = if args["to"].is_null() { "INBOX".into() } else { target(&args["to"]) };
                mail.restore(id(), to).await.map(|placed| json::reference(&placed))
            }
            "usage" => mail.usage().await.map(
                |usage| value!({"messages": usage.messages, "bodies": usage.bodies, "restorable": usage.restorable}),
            ),
            "evict" => {
                let evicted = mail.evict(args["bytes"].as_u64().unwrap()).await?;
                Ok(value!({"bodies": evicted.bodies, "bytes": evicted.bytes}))
            }
            "backup" => mail.backup(self.folder.path().join(args["to"].as_str().unwrap())).await.map(Value::from),
            "export" => {
                let query = args["query"].as_str().map(Query::parse).transpose()?;
                let format = ArchiveFormat::parse(args["format"].as_str().unwrap_or("mbox")).unwrap();
                let mailbox = args.get("mailbox").map(target);
                let options = ExportOptions { format, mailbox, query, ..ExportOptions::default() };
                let done = mail.export(self.folder.path().join(args["file"].as_str().unwrap()), options).await?;
                Ok(value!({"mailboxes": done.mailboxes, "messages": done.messages, "bytes": done.bytes}))
            }
            "import" => {
                let path = self.folder.path().join(args["file"].as_str().unwrap());
                if let Some(content) = args["content"].as_str() {
                    std::fs::write(&path, content).unwrap();
                }
                let options = ImportOptions { to: args.get("to").map(target), ..ImportOptions::default() };
                let done = mail.import(path, options).await?;
                Ok(value!({"messages": done.messages, "known": done.known, "bytes": done.bytes}))
            }
            "check" => mail.check().await.map(Value::from),
            _ => mailboxes(&Mailboxes::Local(mail), verb, args).await,
        }
    }
}

/// `{"what": …, "days": …, "largest": …}`.
fn rule(given: &Value) -> Option<KeepRule> {
    let keep = Keep::parse(given["what"].as_str()?)?;
    let days = given["days"].as_u64().map(|days| u32::try_from(days).unwrap());
    Some(KeepRule { keep, days, largest: given["largest"].as_u64() })
}

fn follow(args: &Value) -> FollowOptions {
    let mut options = FollowOptions::default();
    options.sync.bytes_a_day = args["bytes_a_day"].as_u64();
    options.every = args["every_seconds"].as_u64().map_or(options.every, Duration::from_secs);
    options
}

fn draft(args: &Value) -> Result<Draft> {
    let text = |name: &str| args[name].as_str().unwrap_or_default();
    let draft = Draft::new().to(text("to"))?.subject(text("subject")).text(text("text"));
    args["from"].as_str().map_or(Ok(draft.clone()), |from| draft.clone().from(from))
}

/// Options of a reply.
pub fn reply(args: &Value) -> ReplyOptions {
    let me = args["me"].as_array().into_iter().flatten().map(|me| me.as_str().unwrap().to_owned()).collect();
    let text = args["text"].as_str().unwrap_or_default().to_owned();
    let attribution = args["attribution"].as_str().map(str::to_owned);
    ReplyOptions { all: flag(args, "all"), me, text, no_quote: args["quote"] == value!(false), attribution }
}

/// Options of a message that is passed on.
pub fn forward(args: &Value) -> Result<ForwardOptions> {
    let text = |name: &str| args[name].as_str().unwrap_or_default();
    let (to, no_attachments) = (parse_recipients(text("to"))?, args["attachments"] == value!(false));
    Ok(ForwardOptions { to, text: text("text").to_owned(), no_attachments })
}
