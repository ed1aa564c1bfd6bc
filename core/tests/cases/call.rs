//! A call of a case on the engine: names and arguments in, plain data out.

use crate::json;
use crate::local;
use base64::Engine as _;
use bytes::Bytes;
use mailtide::imap::{Flag, InternalDate, Role, UidSet};
use mailtide::message::Attachment;
use mailtide::{
    Account, AnyMailbox, AppendOptions, AppendSource, Code, Columns, CreateOptions, Credentials, Engine, EngineOptions,
    FetchOptions, FlagChange, ListOptions, Mail, MailError, Mailboxes, Mechanism, Message, MessageRef, Order, Parts,
    Query, Result, Selection, Session, Since, Target, Token, Watch, WatchOptions, WriteOptions,
};
use serde_json::{Value, json as value};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What a case has open.
pub struct Caller {
    pub port: u16,
    account: Value,
    pub engine: Engine,
    session: Option<Session>,
    pub mail: Option<Mail>,
    /// What serves the store.
    pub serving: Option<mailtide::server::Server>,
    /// The app password that was made last.
    pub made: String,
    /// The server for tests.
    pub tested: Option<mailtide::testing::Server>,
    /// The call that goes on while the next steps are played; it ends with the store.
    pub meanwhile: Option<tokio::task::JoinHandle<Result<()>>>,
    /// Where a store may be.
    pub folder: tempfile::TempDir,
    /// The messages of the last fetch or the last `new` event.
    messages: Vec<Message>,
    pub watch: Option<Watch>,
    pub cursor: String,
    /// Why a token was asked for, each time.
    reasons: Arc<Mutex<Vec<&'static str>>>,
}

impl Caller {
    pub fn new(port: u16, account: Value) -> Self {
        let engine = Engine::new(EngineOptions::default(), tokio::runtime::Handle::current());
        let (messages, reasons) = (Vec::new(), Arc::default());
        let folder = tempfile::tempdir().unwrap();
        let (session, mail, watch, cursor) = (None, None, None, String::new());
        let (serving, tested, made, meanwhile) = (None, None, String::new(), None);
        Self {
            port,
            account,
            engine,
            session,
            mail,
            serving,
            made,
            tested,
            meanwhile,
            folder,
            messages,
            watch,
            cursor,
            reasons,
        }
    }

    pub async fn close(&mut self) {
        self.watch = None;
        if let Some(mail) = self.mail.take() {
            let _ = mail.close().await;
        }
        if let Some(meanwhile) = self.meanwhile.take() {
            meanwhile.await.unwrap().unwrap();
        }
        if let Some(session) = self.session.take() {
            let _ = session.close().await;
        }
        if let Some(serving) = self.serving.take() {
            serving.close().await;
        }
        if let Some(tested) = self.tested.take() {
            tested.close().await.unwrap();
        }
    }

    pub async fn call(&mut self, name: &str, args: &Value) -> Result<Value> {
        match name.split_once('.') {
            None if name == "open" => self.open(args).await,
            None if name == "repair" => self.repair().await,
            None => self.connect(args).await,
            Some(("mail", verb)) => self.mail(verb, args).await,
            Some(("server", verb)) => self.server(verb, args).await,
            Some(("session", verb)) => self.session(verb, args).await,
            Some(("mailbox", verb)) => self.mailbox(verb, args).await,
            Some(("message" | "attachment", _)) => self.message(name, args).await,
            Some(("watch", "close")) => {
                self.watch.as_ref().unwrap().closer().close();
                Ok(Value::Null)
            }
            _ => panic!("no such call: {name}"),
        }
    }

    /// The next event of the watch; null after its end.
    pub async fn event(&mut self) -> Result<Value> {
        let Some(watch) = self.watch.as_mut() else { return Ok(Value::Null) };
        let Some(event) = watch.next().await? else { return Ok(Value::Null) };
        if let mailtide::Event::New(message) = &event.event {
            self.messages = vec![message.clone()];
        }
        self.cursor = event.cursor.to_string();
        Ok(json::event(&event))
    }

    async fn connect(&mut self, args: &Value) -> Result<Value> {
        let account = self.account(&self.given(args))?;
        self.session = Some(self.engine.connect(account).await?);
        Ok(value!({"tokens": *self.reasons.lock().unwrap()}))
    }

    /// Where a watch begins.
    pub fn since(&self, args: &Value) -> Since {
        match args["since"].as_str() {
            Some("all") => Since::All,
            Some("$cursor") => Since::Cursor(self.cursor.clone()),
            Some(cursor) if cursor != "now" => Since::Cursor(cursor.to_owned()),
            _ => Since::Now,
        }
    }

    /// What the case says of its account, and the call.
    pub fn given(&self, args: &Value) -> Value {
        let mut given = self.account.as_object().cloned().unwrap_or_default();
        given.extend(args.as_object().cloned().unwrap_or_default());
        Value::Object(given)
    }

    pub fn account(&self, args: &Value) -> Result<Account> {
        let url = args["url"].as_str().unwrap_or("imap://ada@127.0.0.1:PORT").replace("PORT", &self.port.to_string());
        let mut account = Account::from_url(&url)?;
        account.credentials = match &args["tokens"] {
            Value::Array(tokens) => Credentials::Token(self.tokens(tokens)),
            _ if args["password"].is_null() && args.get("password").is_some() => Credentials::None,
            _ if args["password"] == "$made" => Credentials::Password(self.made.as_str().into()),
            _ => Credentials::Password(args["password"].as_str().unwrap_or("secret").into()),
        };
        account.read_only = flag(args, "read_only");
        account.net.allow_cleartext = flag(args, "allow_cleartext");
        if let Some(name) = args["mechanism"].as_str() {
            account.mechanism = Some(Mechanism::from_name(name).expect("a mechanism"));
        }
        for (name, bound) in args["limits"].as_object().into_iter().flatten() {
            let (whole, limits) = (usize::try_from(bound.as_u64().unwrap_or_default()).unwrap(), &mut account.limits);
            match name.as_str() {
                "line" => limits.line = whole,
                "mailboxes" => limits.mailboxes = whole,
                "greeting" => limits.greeting = std::time::Duration::from_secs_f64(bound.as_f64().unwrap()),
                "progress" => limits.progress = std::time::Duration::from_secs_f64(bound.as_f64().unwrap()),
                other => panic!("no such limit: {other}"),
            }
        }
        Ok(account)
    }

    /// Gives one token after the other.
    fn tokens(&self, tokens: &[Value]) -> mailtide::TokenCallback {
        let tokens: Vec<String> = tokens.iter().map(|t| t.as_str().unwrap().to_owned()).collect();
        let (reasons, at) = (Arc::clone(&self.reasons), AtomicUsize::new(0));
        Arc::new(move |request| {
            reasons.lock().unwrap().push(request.reason.as_str());
            let token = tokens[at.fetch_add(1, Ordering::Relaxed).min(tokens.len() - 1)].clone();
            Box::pin(async move { Ok(Token { secret: token.into(), expires_at: None }) })
        })
    }

    async fn session(&mut self, verb: &str, args: &Value) -> Result<Value> {
        let session = self.session.clone().expect("a session is open");
        match verb {
            "namespaces" => session.namespaces().await.map(|n| json::namespaces(&n)),
            "id" => {
                let fields = args["fields"].as_object().into_iter().flatten();
                let fields = fields.map(|(k, v)| (k.clone(), v.as_str().map(str::to_owned))).collect();
                let said = session.id(fields).await?;
                Ok(said.into_iter().map(|(k, v)| (k, value!(v))).collect())
            }
            "capabilities" => session.capabilities().await.map(Value::from),
            "noop" => session.noop().await.map(Value::from),
            "raw" => {
                let reply = session.raw(args["command"].as_str().unwrap()).await?;
                Ok(value!({"untagged": reply.untagged, "text": reply.text}))
            }
            _ => mailboxes(&Mailboxes::Live(session), verb, args).await,
        }
    }

    async fn mailbox(&mut self, verb: &str, args: &Value) -> Result<Value> {
        let named = if args["in"].is_null() { Target::from("INBOX") } else { target(&args["in"]) };
        let place = match (&self.mail, &self.session) {
            (_, Some(session)) => Mailboxes::Live(session.clone()),
            (mail, None) => Mailboxes::Local(mail.clone().expect("a session or a store is open")),
        };
        let mailbox = place.mailbox(named)?;
        let zone = args["tz"].as_str().map(str::to_owned);
        match verb {
            "fetch" => self.fetch(&mailbox, args).await,
            "count" => mailbox.count(self.selection(args)?, zone).await.map(Value::from),
            "search" => {
                let found = mailbox.search(self.selection(args)?, flag(args, "exact"), zone).await?;
                Ok(found.iter().map(json::reference).collect())
            }
            "status" => mailbox.status().await.map(|s| json::status(&s)),
            "append" | "append_many" => append(&mailbox, verb, args).await,
            "watch" => {
                let poll_seconds = args["poll"].as_u64().map(|n| u32::try_from(n).unwrap());
                let mut watch = mailbox.watch(WatchOptions { since: self.since(args), poll_seconds });
                watch.ready().await?;
                self.watch = Some(watch);
                Ok(Value::Null)
            }
            write => self.write(&mailbox, write, args).await.map(|b| json::bulk(&b)),
        }
    }

    async fn write(&self, mailbox: &AnyMailbox, verb: &str, args: &Value) -> Result<mailtide::BulkResult> {
        let options = WriteOptions {
            limit: args["limit"].as_u64(),
            partial: args["partial"] == "return",
            create: flag(args, "create"),
            time_zone: args["tz"].as_str().map(str::to_owned),
        };
        let (selection, to) = (self.selection(args)?, || target(&args["to"]));
        match verb {
            "flag" => {
                let set = if args["set"].is_null() { None } else { Some(flags(&args["set"])?) };
                let change = FlagChange { add: flags(&args["add"])?, remove: flags(&args["remove"])?, set };
                mailbox.flag(selection, change, options).await
            }
            "move" => mailbox.move_to(selection, to(), options).await,
            "copy" => mailbox.copy_to(selection, to(), options).await,
            "delete" => mailbox.delete(selection, options).await,
            "expunge" => mailbox.expunge(selection, options).await,
            other => panic!("no such call: mailbox.{other}"),
        }
    }

    async fn fetch(&mut self, mailbox: &AnyMailbox, args: &Value) -> Result<Value> {
        let options = FetchOptions {
            parts: parts(&args["parts"]),
            columns: columns(&args["columns"]),
            limit: args["limit"].as_u64(),
            order: if args["order"] == "newest" { Order::Newest } else { Order::Oldest },
            exact: flag(args, "exact"),
            time_zone: args["tz"].as_str().map(str::to_owned),
            on_progress: None,
        };
        let mut messages = mailbox.fetch(self.selection(args)?, options);
        self.messages.clear();
        while let Some(batch) = messages.next_batch().await? {
            self.messages.extend(batch);
        }
        let all: Value = self.messages.iter().map(json::message).collect();
        Ok(value!({"exact": messages.exact(), "messages": all}))
    }

    async fn message(&mut self, name: &str, args: &Value) -> Result<Value> {
        let message = self.messages[usize::try_from(args["message"].as_u64().unwrap_or(0)).unwrap()].clone();
        let attachments = message.attachments();
        let path =
            attachments.get(usize::try_from(args["attachment"].as_u64().unwrap_or(0)).unwrap()).map(Attachment::path);
        match name {
            "message.text" => message.text().await.map(Value::from),
            "message.html" => message.html().await.map(Value::from),
            "message.headers" => message.headers().await.map(|h| json::headers(&h)),
            "message.raw" => message.raw().await.map(|b| json::bytes(&b)),
            "message.reply" => message.reply(&local::reply(args)).await.map(|d| json::draft(&d)),
            "message.forward" => message.forward(&local::forward(args)?).await.map(|d| json::draft(&d)),
            "message.stream" => streamed(&message, None).await,
            "attachment.bytes" => message.part(&path.unwrap()).await.map(|b| json::bytes(&b)),
            "attachment.stream" => streamed(&message, path.as_deref()).await,
            "attachment.save" => {
                let folder = tempfile::tempdir().unwrap();
                let directory = args["directory"].as_str().map_or(folder.path().to_owned(), Into::into);
                let saved = message.save_part(&path.unwrap(), &directory, None).await?;
                let content = std::fs::read(&saved).unwrap();
                let name = saved.file_name().unwrap().to_string_lossy();
                Ok(value!({"name": name, "content": json::bytes(&content)}))
            }
            other => panic!("no such call: {other}"),
        }
    }

    fn selection(&self, args: &Value) -> Result<Selection> {
        let reference = |text: &Value| {
            let mut parts = text.as_str().unwrap().rsplitn(3, '/');
            let (uid, uid_validity) = (parts.next().unwrap().parse().unwrap(), parts.next().unwrap().parse().unwrap());
            let account = self.session.as_ref().unwrap().account().label().into();
            MessageRef { account, mailbox: parts.next().unwrap().into(), uid_validity, uid }
        };
        if let Some(query) = args["query"].as_str() {
            Query::parse(query).map(Selection::Query)
        } else if let Some(raw) = args["raw"].as_str() {
            Ok(Selection::Query(Query::raw(raw)))
        } else if let Some(uids) = args["uids"].as_str() {
            let none = || MailError::new(Code::UsageSelection, "These are no UIDs");
            UidSet::parse(uids).map(Selection::Uids).ok().ok_or_else(none)
        } else if let Some(refs) = args["refs"].as_array() {
            Ok(Selection::Refs(refs.iter().map(reference).collect()))
        } else if let Some(chosen) = args["messages"].as_array() {
            let chosen = chosen.iter().map(|n| &self.messages[usize::try_from(n.as_u64().unwrap()).unwrap()]);
            Ok(Selection::Refs(chosen.map(|m| m.reference().clone()).collect()))
        } else {
            Ok(Selection::All)
        }
    }
}

/// What a session and a store have alike.
pub async fn mailboxes(place: &Mailboxes, verb: &str, args: &Value) -> Result<Value> {
    let name = || target(&args["name"]);
    match verb {
        "mailbox" => place.mailbox(name()).map(|_| Value::Null),
        "mailboxes" => {
            let pattern = args["pattern"].as_str().map(str::to_owned);
            let options = ListOptions { pattern, subscribed: flag(args, "subscribed"), status: flag(args, "status") };
            Ok(place.mailboxes(options).await?.iter().map(json::info).collect())
        }
        "create_mailbox" => {
            let role = args["role"].as_str().and_then(Role::parse);
            let options = CreateOptions { role, exist_ok: flag(args, "exist_ok") };
            place.create_mailbox(name(), options).await.map(Value::from)
        }
        "rename_mailbox" => place.rename_mailbox(name(), target(&args["to"])).await.map(Value::from),
        "delete_mailbox" => place.delete_mailbox(name(), flag(args, "even_if_not_empty")).await.map(Value::from),
        "subscribe" => place.subscribe(name(), args["on"].as_bool().unwrap_or(true)).await.map(Value::from),
        "status" => place.status(name()).await.map(|s| json::status(&s)),
        "close" => place.close().await.map(Value::from),
        other => panic!("no such call: {other}"),
    }
}

async fn append(mailbox: &AnyMailbox, verb: &str, args: &Value) -> Result<Value> {
    let received = args["received"].as_str().map(|text| {
        let moment = jiff::Timestamp::strptime("%Y-%m-%dT%H:%M:%S%:z", text).unwrap();
        let offset = jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%:z", text).unwrap().offset().unwrap();
        InternalDate::from_zoned(&moment.to_zoned(jiff::tz::TimeZone::fixed(offset)))
    });
    let options =
        AppendOptions { flags: flags(&args["flags"])?, received, create: flag(args, "create"), on_progress: None };
    if verb == "append" {
        let added = mailbox.append(source(&args["content"]), options).await?;
        return Ok(added.map_or(Value::Null, |r| json::reference(&r)));
    }
    let sources = args["content"].as_array().unwrap().iter().map(source).collect();
    let added = mailbox.append_many(sources, options).await?;
    Ok(added.iter().map(|r| r.as_ref().map_or(Value::Null, json::reference)).collect())
}

/// Text, `{"base64": …}`, `{"file": text}` or `{"stream": [text, …]}`.
fn source(content: &Value) -> AppendSource {
    if let Some(text) = content["file"].as_str() {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path().keep().unwrap();
        std::fs::write(&path, text).unwrap();
        AppendSource::File(path)
    } else if let Some(path) = content["path"].as_str() {
        AppendSource::File(path.into())
    } else if let Some(texts) = content["stream"].as_array() {
        let (sender, chunks) = tokio::sync::mpsc::channel(texts.len().max(1));
        for text in texts {
            sender.try_send(Ok(Bytes::from(text.as_str().unwrap().to_owned()))).unwrap();
        }
        AppendSource::Stream { len: content["length"].as_u64(), chunks }
    } else if let Some(text) = content["base64"].as_str() {
        AppendSource::Bytes(base64::engine::general_purpose::STANDARD.decode(text).unwrap().into())
    } else {
        AppendSource::Bytes(content.as_str().unwrap().to_owned().into())
    }
}

async fn streamed(message: &Message, path: Option<&str>) -> Result<Value> {
    let mut stream = message.stream(path)?;
    let mut content = Vec::new();
    while let Some(piece) = stream.next().await? {
        content.extend_from_slice(&piece);
    }
    Ok(json::bytes(&content))
}

/// A name, its levels, or `{"role": …}`.
pub fn target(named: &Value) -> Target {
    if let Some(levels) = named.as_array() {
        Target::Path(levels.iter().map(|l| l.as_str().unwrap().to_owned()).collect())
    } else if let Some(role) = named["role"].as_str() {
        Target::Role(Role::parse(role).expect("a role"))
    } else {
        Target::from(named.as_str().expect("a mailbox"))
    }
}

pub fn flags(named: &Value) -> Result<Vec<Flag>> {
    named.as_array().into_iter().flatten().map(|f| Flag::parse(f.as_str().unwrap())).collect()
}

fn parts(named: &Value) -> Parts {
    let has = |name: &str| named.as_array().is_some_and(|all| all.iter().any(|n| n == name));
    Parts { text: has("text"), html: has("html"), headers: has("headers"), raw: has("raw") }
}

fn columns(named: &Value) -> Columns {
    let Some(all) = named.as_array() else { return Columns::default() };
    let has = |name: &str| all.iter().any(|n| n == name);
    let envelope = has("subject") || has("from") || has("date");
    Columns {
        flags: has("flags"),
        received: has("received"),
        size: has("size"),
        envelope,
        structure: has("attachments"),
        thread: has("thread"),
    }
}

pub fn flag(args: &Value, name: &str) -> bool {
    args[name].as_bool().unwrap_or(false)
}
