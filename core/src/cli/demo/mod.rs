//! `demo`: a mailbox of its own, served, mirrored, worked in offline, and in step again; told as a short story.

mod letters;
mod mailbox;
mod sink;

use super::rows::{MESSAGES, message_row, who};
use super::screen::now;
use super::setup::expanded;
use super::table::{Look, framed};
use super::text::{clean, count, fit, size};
use super::{Command, exit, logins, ls};
use crate::error::{Code, MailError, Result};
use crate::imap::Flag;
use crate::mail::{Mail, MailOptions, Mailboxes};
use crate::message::ReplyOptions;
use crate::outbox::{SendOptions, SmtpAccount};
use crate::query::Query;
use crate::secret::Secret;
use crate::server::{Server, ServerOptions};
use crate::session::{
    Account, Columns, FetchOptions, FlagChange, ListOptions, Message, Parts, Selection, WriteOptions,
};
use crate::sync::SyncOptions;
use serde_json::json;
use sink::Sink;
use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

const USER: &str = "ada";
/// Where a mail program is pointed at, where nobody else listens there.
const PORT: u16 = 1143;
/// How many messages the picture shows.
const SHOWN: u64 = 12;

pub(super) async fn run(command: &Command) -> Result<u8> {
    if let Some(file) = command.args.value("fill") {
        return fill(command, &expanded(file)).await;
    }
    let failed = |error| MailError::new(Code::FileIo, format!("There is no room for a temporary folder: {error}"));
    let folder = tempfile::tempdir().map_err(failed)?;
    let mut stage = tokio::select! {
        told = told(command, folder.path()) => told?,
        () = command.stopped() => return Err(Code::Cancelled.into()),
    };
    if std::io::stdout().is_terminal() && !command.screen.json && !command.args.is("no-wait") {
        command.screen.note("The mailbox is served until Ctrl-C");
        command.stopped().await;
    }
    stage.down().await;
    Ok(exit::DONE)
}

async fn fill(command: &Command, file: &Path) -> Result<u8> {
    if file.exists() {
        return Err(MailError::new(Code::FileIo, format!("{} is there already", file.display())));
    }
    let messages = mailbox::fill(file).await?;
    if command.screen.json {
        command.screen.value(&json!({ "filled": file.display().to_string(), "messages": messages }))?;
    } else {
        command.screen.line(&format!("{} in {}", count(messages, "message"), file.display()))?;
    }
    Ok(exit::DONE)
}

/// The server of the story, which comes and goes.
struct Stage {
    file: PathBuf,
    options: ServerOptions,
    server: Option<Server>,
    password: Secret,
}

impl Stage {
    async fn new(file: PathBuf) -> Result<Self> {
        let mut options = ServerOptions::default();
        let password = logins::made_up()?;
        options.user = Some((USER.to_owned(), password.clone()));
        let mut stage = Self { file, options, server: None, password };
        stage.options.address = SocketAddr::from(([127, 0, 0, 1], PORT));
        if stage.up().await.is_err() {
            stage.options.address.set_port(0);
            stage.up().await?;
        }
        Ok(stage)
    }

    /// Starts it, from now on at the same address.
    async fn up(&mut self) -> Result<()> {
        let server = Server::open(&self.file, self.options.clone()).await?;
        self.options.address = server.address();
        self.server = Some(server);
        Ok(())
    }

    async fn down(&mut self) {
        if let Some(server) = self.server.take() {
            server.close().await;
        }
    }

    fn account(&self) -> Result<Account> {
        let mut account = Account::from_url(&self.url())?;
        account.credentials = crate::session::Credentials::Password(self.password.clone());
        Ok(account)
    }

    fn url(&self) -> String {
        format!("imap://{USER}@{}", self.options.address)
    }
}

/// Tells what was done, and how long it took.
struct Story<'a> {
    command: &'a Command,
    since: Instant,
}

impl Story<'_> {
    fn part(&self, title: &str) -> Result<()> {
        if self.command.screen.json { Ok(()) } else { self.command.screen.styled(Look::Bold, &format!("\n{title}")) }
    }

    fn step(&mut self, text: &str) -> Result<()> {
        let milliseconds = self.since.elapsed().as_secs_f64() * 1000.0;
        let screen = &self.command.screen;
        if screen.json {
            screen.value(&json!({ "step": text, "ms": (milliseconds * 10.0).round() / 10.0 }))?;
        } else {
            let width = screen.width.min(100).saturating_sub(15);
            let time = Look::Dim.of(&format!("{milliseconds:9.1} ms"), screen.colour);
            screen.line(&format!("  {}{time}", fit(text, width, false)))?;
        }
        self.since = Instant::now();
        Ok(())
    }
}

async fn told(command: &Command, folder: &Path) -> Result<Stage> {
    let mut story = Story { command, since: Instant::now() };
    story.part("A server of our own")?;
    let file = folder.join("server.mail");
    let messages = mailbox::fill(&file).await?;
    story.step(&format!("wrote Ada's mailbox: {}", count(messages, "message")))?;
    let (mut stage, sink) = (Stage::new(file).await?, Sink::start().await?);
    story.step(&format!("opened it to mail programs at {}", stage.options.address))?;

    story.part("A mirror of it")?;
    let account = stage.account()?;
    let smtp = SmtpAccount::from_url(&format!("smtp://{}", sink.address))?;
    let sender = Some(super::setup::sender(letters::ADA)?);
    let options = MailOptions { account: Some(account.clone()), smtp: Some(smtp), sender, ..MailOptions::default() };
    let mail = Mail::open(folder.join("mirror.mail"), options).await?;
    let report = mail.sync(SyncOptions::default()).await?;
    let (added, bytes) = (count(report.total.added, "message"), size(report.total.bytes));
    story.step(&format!("brought {added} in {}, {bytes}", count(report.mailboxes.len() as u64, "mailbox")))?;
    triage(&mut story, &mail).await?;

    story.part("Offline")?;
    stage.down().await;
    let refused = mail.sync(SyncOptions::default()).await.err().map(|error| error.code().as_str());
    story.step(&format!("the server is gone: {}", refused.unwrap_or("it was not")))?;
    offline(&mut story, &mail).await?;

    story.part("Back")?;
    stage.up().await?;
    let report = mail.sync(SyncOptions::default()).await?;
    let sent = format!("{} confirmed, {} sent", count(report.total.applied, "change"), count(sink.taken(), "reply"));
    mail.sync(SyncOptions::default()).await?;
    story.step(&format!("in step again: {sent}, and a copy is in Sent"))?;
    equal(&mut story, &mail, account).await?;
    show(command, &mail).await?;
    mail.close().await?;
    farewell(command, &stage)?;
    Ok(stage)
}

async fn triage(story: &mut Story<'_>, mail: &Mail) -> Result<()> {
    let inbox = mail.mailbox("INBOX")?;
    let unread = inbox.count(Query::parse("is:unread")?, None).await?;
    story.step(&format!("counted {}", count(unread, "unread message")))?;
    let invoices = Query::parse("is:unread has:attachment")?;
    let mark = FlagChange { add: vec![Flag::parse("$Invoice")?, Flag::FLAGGED], ..FlagChange::default() };
    let marked = inbox.flag(invoices, mark, WriteOptions::default()).await?;
    story.step(&format!("flagged {} with attachments", marked.done.len()))?;
    mail.sync(SyncOptions::default()).await?;
    story.step("told the server")
}

async fn offline(story: &mut Story<'_>, mail: &Mail) -> Result<()> {
    let inbox = mail.mailbox("INBOX")?;
    let found = ls::newest(&inbox, Query::parse("relay")?.into(), (SHOWN, Parts::default())).await?;
    story.step(&format!("searched for \"relay\": {}", count(found.len() as u64, "message")))?;
    let lists = Query::parse("list:moths")?;
    let moved = inbox.move_to(lists, "Lists/Moths and Relays", WriteOptions::default()).await?;
    story.step(&format!("moved {} of a mailing list out of the way", moved.done.len()))?;
    let newest = ls::newest(&inbox, Query::parse("from:grace")?.into(), (1, Parts::default())).await?;
    if let Some(moth) = newest.first() {
        let text = "Keep it where it is: I take the next coach.\n\nAda\n".to_owned();
        let draft = moth.reply(&ReplyOptions { text, ..ReplyOptions::default() }).await?;
        mail.send(&draft, &SendOptions::default()).await?;
        let answered = FlagChange { add: vec![Flag::ANSWERED, Flag::SEEN, Flag::FLAGGED], ..FlagChange::default() };
        inbox.flag(moth, answered, WriteOptions::default()).await?;
        story.step(&format!("answered {}: {}", who(&moth.from_()), clean(&draft.subject)))?;
    }
    let waiting = mail.pending().await?.len() as u64;
    story.step(&format!("{} and a reply wait on the disk", count(waiting, "change")))
}

type Content = BTreeMap<String, BTreeSet<(String, Vec<String>)>>;

/// Compares both sides, message by message and flag by flag.
async fn equal(story: &mut Story<'_>, mail: &Mail, account: Account) -> Result<()> {
    let session = mail.engine().connect(account).await?;
    let (there, here) =
        (content(&Mailboxes::Live(session.clone())).await?, content(&Mailboxes::Local(mail.clone())).await?);
    session.close().await?;
    if there != here {
        return Err(MailError::new(Code::Internal, "The two sides are not equal"));
    }
    let messages = here.values().map(BTreeSet::len).sum::<usize>() as u64;
    let (messages, mailboxes) = (count(messages, "message"), count(here.len() as u64, "mailbox"));
    story.step(&format!("both sides are equal: {messages} in {mailboxes}, flag by flag"))
}

async fn content(side: &Mailboxes) -> Result<Content> {
    let mut content = Content::new();
    let columns = Columns { flags: true, envelope: true, ..Columns::NONE };
    for info in side.mailboxes(ListOptions::default()).await?.into_iter().filter(|info| info.selectable) {
        let options = FetchOptions { columns, ..FetchOptions::default() };
        let mut messages = side.mailbox(info.name.as_str())?.fetch(Selection::All, options);
        let found = content.entry(info.name).or_default();
        while let Some(batch) = messages.next_batch().await? {
            found.extend(batch.iter().map(|message| (message.message_id().unwrap_or_default(), flags(message))));
        }
    }
    Ok(content)
}

/// Its flags in order. `\Recent` is each session's own (RFC 3501 section 2.3.2).
fn flags(message: &Message) -> Vec<String> {
    let lasting = message.flags().iter().filter(|flag| **flag != Flag::RECENT);
    let mut flags: Vec<_> = lasting.map(|flag| flag.as_str().to_owned()).collect();
    flags.sort();
    flags
}

/// The inbox as it is now, on the terminal and in a file.
async fn show(command: &Command, mail: &Mail) -> Result<()> {
    let inbox = mail.mailbox("INBOX")?;
    let newest = ls::newest(&inbox, Selection::All, (SHOWN, Parts { text: true, ..Parts::default() })).await?;
    if !command.screen.json {
        let now = now();
        let rows: Vec<_> = newest.iter().map(|message| message_row(message, false, &now)).collect();
        let screen = &command.screen;
        command.screen.line("")?;
        framed("Inbox", MESSAGES, &rows, (screen.width.min(112), screen.colour))
            .iter()
            .try_for_each(|line| screen.line(line))?;
    }
    ls::draw(command, mail, ("INBOX", "Inbox of Ada Lovelace"), &newest).await
}

fn farewell(command: &Command, stage: &Stage) -> Result<()> {
    let (url, password) = (stage.url(), stage.password.reveal());
    if command.screen.json {
        return command.screen.value(&json!({ "url": url, "password": password }));
    }
    command.screen.line(&format!("\nPoint a mail program at {url}  (no TLS, password {password})"))
}
