//! What one client may ask for when, and who does it.

use super::access::Login;
use super::command::Command;
use super::connection::Shared;
use super::fetch::FetchRun;
use super::intake::abandon;
use super::lately::Lately;
use super::reply::{Handled, News, Refusal, Reply, untagged};
use super::selected::{Changed, Enabled, Selected};
use super::view::View;
use crate::auth::Mechanism;
use crate::error::Result;
use crate::store::{BodySource, Durability, Fetched, Handle, Incoming, MailboxId, MessageId, Reader, Writer};
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::Notify;

/// The state of a connection (RFC 9051 section 3).
pub(super) struct Session {
    store: Handle,
    /// Who is asked for bodies that are not held.
    bodies: Option<Arc<dyn BodySource>>,
    append_limit: u32,
    /// Whoever indexes messages is told of new ones.
    arrived: Arc<Notify>,
    lately: Arc<Lately>,
    offer: Offer,
    authenticated: bool,
    /// The tag of the command that is being done.
    tag: String,
    /// What was seen of changes in the snapshot, or the transaction, that has answered it.
    ahead: Option<Ahead>,
    pub(super) enabled: Enabled,
    pub(super) selected: Option<Selected>,
}

/// What a command leads to.
pub(super) enum Action {
    /// It is done, or refused.
    Reply(Handled),
    /// Rows are to be written as they are read.
    Fetch(Box<FetchRun>),
    Idle,
    /// TLS begins.
    StartTls,
    Login(Login),
    /// AUTHENTICATE, with its initial response.
    Authenticate(Mechanism, Option<Bytes>),
    Logout,
}

/// How a client may log in, over the line that it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Offer {
    /// Not before STARTTLS.
    pub starttls: bool,
    /// Bound to the TLS connection.
    pub binding: bool,
    /// With an OAuth token.
    pub tokens: bool,
}

impl Offer {
    /// The ways to log in, the strongest first.
    fn mechanisms(self) -> impl Iterator<Item = Mechanism> {
        let all = [
            (Mechanism::ScramSha256Plus, self.binding),
            (Mechanism::ScramSha256, true),
            (Mechanism::OAuthBearer, self.tokens),
            (Mechanism::XOAuth2, self.tokens),
            (Mechanism::Plain, true),
        ];
        all.into_iter().filter(move |(_, is_there)| *is_there && !self.starttls).map(|(mechanism, _)| mechanism)
    }

    /// Capabilities before anybody has logged in.
    pub(super) fn capabilities(self) -> String {
        let mut words = BEFORE_LOGIN.to_owned();
        if self.starttls {
            words.push_str(" STARTTLS LOGINDISABLED");
        }
        words.extend(self.mechanisms().map(|mechanism| format!(" AUTH={mechanism}")));
        words
    }
}

/// What every client is offered before it has logged in.
const BEFORE_LOGIN: &str = "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ENABLE ID";

/// What comes after that.
const AFTER_LOGIN: &str = "IMAP4rev1 IMAP4rev2 LITERAL+ ENABLE ID IDLE NAMESPACE UNSELECT UIDPLUS MOVE CHILDREN \
    LIST-EXTENDED LIST-STATUS SPECIAL-USE CREATE-SPECIAL-USE STATUS=SIZE CONDSTORE QRESYNC ESEARCH SEARCHRES WITHIN SORT \
    ESORT THREAD=ORDEREDSUBJECT THREAD=REFERENCES OBJECTID SAVEDATE PREVIEW BINARY MULTIAPPEND UTF8=ACCEPT";

/// Every capability that is ever announced.
pub(super) fn offered() -> impl Iterator<Item = &'static str> {
    let login = ["AUTH=SCRAM-SHA-256", "AUTH=PLAIN"];
    BEFORE_LOGIN.split_whitespace().chain(login).chain(AFTER_LOGIN.split_whitespace())
}

impl Session {
    pub(super) fn new(shared: &Shared, offer: Offer) -> Self {
        let (tag, enabled) = (String::new(), Enabled::default());
        let (store, append_limit) = (shared.access.store().clone(), shared.options.append_limit);
        let (arrived, bodies) = (Arc::clone(&shared.arrived), shared.bodies.clone());
        let lately = Arc::clone(&shared.lately);
        let (authenticated, ahead, selected) = (false, None, None);
        Self { store, bodies, append_limit, arrived, lately, offer, authenticated, tag, ahead, enabled, selected }
    }

    pub(super) fn store(&self) -> &Handle {
        &self.store
    }

    pub(super) fn lately(&self) -> &Arc<Lately> {
        &self.lately
    }

    /// Whether bodies that are not held may be had all the same.
    pub(super) fn can_fetch(&self) -> bool {
        self.bodies.is_some()
    }

    /// A body that is not held, from whoever can have it.
    pub(super) async fn body(&self, message: MessageId) -> Option<Fetched> {
        match self.bodies.as_ref()?.body(message).await {
            Ok(body) => Some(body),
            Err(error) => {
                log::debug!("a body could not be fetched: {error}");
                None
            }
        }
    }

    /// Whether a command may have to wait for bodies before it can be answered.
    pub(super) fn may_wait(&self, command: &Command) -> bool {
        self.can_fetch() && matches!(command, Command::Search(_) | Command::Sort(..) | Command::Thread(..))
    }

    /// Messages have come.
    pub(super) fn arrived(&self) {
        self.arrived.notify_one();
    }

    pub(super) fn append_limit(&self) -> u32 {
        self.append_limit
    }

    pub(super) fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    pub(super) fn log_in(&mut self) {
        self.authenticated = true;
    }

    /// A command of that tag is going to be done.
    pub(super) fn begin(&mut self, tag: &str) {
        self.tag.clear();
        self.tag.push_str(tag);
        self.ahead = None;
    }

    pub(super) fn tag(&self) -> &str {
        &self.tag
    }

    /// Whether names and strings may be UTF-8 (RFC 6855, RFC 9051 section 5.1).
    pub(super) fn utf8(&self) -> bool {
        self.enabled.utf8 || self.enabled.rev2
    }

    pub(super) fn capabilities(&self) -> String {
        if !self.authenticated {
            return self.offer.capabilities();
        }
        format!("{AFTER_LOGIN} APPENDLIMIT={}", self.append_limit)
    }

    /// Does what is asked for; `apart` are the large literals of an APPEND.
    pub(super) async fn run(&mut self, command: Command, apart: Vec<Incoming>) -> Action {
        if let Err(refusal) = self.allows(&command) {
            abandon(apart).await;
            return Action::Reply(Err(refusal));
        }
        Action::Reply(match command {
            Command::Logout => return Action::Logout,
            Command::StartTls => return Action::StartTls,
            Command::Idle => return Action::Idle,
            Command::Login { user, password } => return Action::Login(Login { user, password }),
            Command::Authenticate { mechanism, initial } => {
                let named = Mechanism::from_name(&mechanism);
                match named.filter(|known| self.offer.mechanisms().any(|offered| offered == *known)) {
                    // `=` is an empty one (RFC 4959 section 3).
                    Some(known) => {
                        let initial = initial.map(|text| if text == "=" { Bytes::new() } else { text });
                        return Action::Authenticate(known, initial);
                    }
                    None => Err(Refusal::no("CANNOT", "This way of logging in is not offered")),
                }
            }
            Command::Fetch(fetch) => match self.fetch(fetch).await {
                Ok(run) => return Action::Fetch(run),
                Err(refusal) => Err(refusal),
            },
            Command::Capability => Ok(self.capability()),
            Command::Noop | Command::Check => Ok(Reply::ok("Done").news(News::All)),
            Command::Id => Ok(id()),
            Command::Enable(words) => Ok(self.enable(&words)),
            Command::Namespace => self.namespace().await,
            Command::List(list) => self.list(list).await,
            Command::Lsub { reference, pattern } => self.lsub(reference, pattern).await,
            Command::Subscribe(name) => self.subscribe(name, true).await,
            Command::Unsubscribe(name) => self.subscribe(name, false).await,
            Command::Create { name, role } => self.create(name, role).await,
            Command::Delete(name) => self.delete(name).await,
            Command::Rename { from, to } => self.rename(from, to).await,
            Command::Status { name, items } => self.status(name, items).await,
            Command::Select(select) => self.select(select).await,
            Command::Close => self.close().await,
            Command::Unselect => {
                self.selected = None;
                Ok(Reply::ok("Nothing is selected"))
            }
            Command::Expunge(set) => self.expunge(set).await,
            Command::Store(store) => self.store_flags(store).await,
            Command::Search(search) => self.search(search).await,
            Command::Sort(search, keys) => self.sort(search, keys).await,
            Command::Thread(search, algorithm) => self.thread(search, algorithm).await,
            Command::Copy(copy) => self.copy(copy).await,
            Command::Move(copy) => self.move_to(copy).await,
            Command::Append { name, messages } => self.append(name, messages, apart).await,
        })
    }

    /// Whether a command may be given in this state (RFC 9051 section 6).
    fn allows(&self, command: &Command) -> Result<(), Refusal> {
        use Command::{Authenticate, Capability, Check, Close, Copy, Expunge, Fetch, Id, Login, Logout};
        use Command::{Move, Noop, Search, Sort, StartTls, Store, Thread, Unselect};
        match command {
            Capability | Noop | Logout | Id => Ok(()),
            StartTls if self.offer.starttls => Ok(()),
            StartTls => Err(Refusal::bad("STARTTLS is not offered here")),
            Login { .. } | Authenticate { .. } if self.authenticated => Err(Refusal::bad("You are logged in already")),
            Login { .. } | Authenticate { .. } if self.offer.starttls => {
                Err(Refusal::no("PRIVACYREQUIRED", "First STARTTLS"))
            }
            Login { .. } | Authenticate { .. } => Ok(()),
            _ if !self.authenticated => Err(Refusal::bad("Log in first")),
            Close | Unselect | Check | Expunge(_) | Fetch(_) | Store(_) | Search(_) | Sort(..) | Thread(..)
            | Copy(_) | Move(_)
                if self.selected.is_none() =>
            {
                Err(Refusal::bad("Select a mailbox first"))
            }
            _ => Ok(()),
        }
    }

    fn capability(&self) -> Reply {
        let mut out = Vec::new();
        untagged!(out, "CAPABILITY {}", self.capabilities());
        Reply::with("That is what there is", out)
    }

    /// ENABLE (RFC 5161); what is not known is passed over.
    fn enable(&mut self, words: &[String]) -> Reply {
        let mut named = String::new();
        for word in words {
            match word.as_str() {
                "CONDSTORE" => self.enabled.condstore = true,
                "QRESYNC" => (self.enabled.qresync, self.enabled.condstore) = (true, true),
                "UTF8=ACCEPT" => self.enabled.utf8 = true,
                "IMAP4REV2" => self.enabled.rev2 = true,
                _ => continue,
            }
            named.push(' ');
            named.push_str(word);
        }
        let mut out = Vec::new();
        untagged!(out, "ENABLED{named}");
        Reply::with("Enabled", out)
    }

    /// Whether a command names a UID that came after the last look at the mailbox: the client knows of it from elsewhere,
    /// such as another connection that waits in IDLE.
    pub(super) fn is_behind(&self, command: &Command) -> bool {
        let set = match command {
            Command::Fetch(fetch) if fetch.uid => &fetch.set,
            Command::Store(store) if store.uid => &store.set,
            Command::Copy(copy) | Command::Move(copy) if copy.uid => &copy.set,
            Command::Expunge(Some(set)) => set,
            _ => return false,
        };
        self.selected.as_ref().is_some_and(|selected| set.exceeds(selected.view.last_uid()))
    }

    /// What has changed in the selected mailbox, as the client is told.
    pub(super) async fn news(&mut self, news: News) -> Result<Vec<u8>> {
        let Some(selected) = self.selected.as_ref().filter(|_| news != News::Nothing) else { return Ok(Vec::new()) };
        let (mailbox, seen) = (selected.mailbox, selected.seen());
        let ahead = self.ahead.take().filter(|ahead| ahead.is_of(selected));
        let few = match ahead.and_then(|ahead| ahead.changed) {
            Some(changed) => Some(changed),
            None => self.store.glance(|reader| Changed::few(reader, mailbox, seen, &selected.view))?,
        };
        let changed = match few {
            Some(changed) => changed,
            None => {
                let view = selected.view.clone();
                self.store.read(move |reader| Changed::since(reader, mailbox, seen, &view)).await?
            }
        };
        Ok(self.selected.as_mut().map(|selected| selected.tell(changed, news, self.enabled)).unwrap_or_default())
    }

    /// The selected mailbox; [`Session::allows`] has seen that there is one.
    pub(super) fn mailbox(&self) -> Result<&Selected, Refusal> {
        self.selected.as_ref().ok_or_else(|| Refusal::bad("Select a mailbox first"))
    }

    /// The same, where it may be changed.
    pub(super) fn writable(&self) -> Result<&Selected, Refusal> {
        let selected = self.mailbox()?;
        if selected.read_only {
            return Err(Refusal::no("CANNOT", "The mailbox was opened with EXAMINE"));
        }
        Ok(selected)
    }

    /// Asks the store for what takes a moment (see [`Handle::glance`]), and for changes with it.
    pub(super) fn glance<T>(&mut self, ask: impl FnOnce(&dyn Reader) -> Result<T>) -> Result<T> {
        let eyes = self.selected.as_ref().map(Eyes::of);
        let (answer, ahead) = self.store.glance(|reader| {
            let answer = ask(reader)?;
            Ok((answer, eyes.map(|eyes| eyes.look(reader)).transpose()?))
        })?;
        self.ahead = ahead;
        Ok(answer)
    }

    /// Asks the store.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Reader) -> Result<T> + Send + 'static,
    ) -> Result<T, Refusal> {
        Ok(self.store.read(ask).await?)
    }

    /// Changes the store, on the disk before it is acknowledged, and looks for other changes with it.
    pub(super) async fn write<T: Send + 'static>(
        &mut self,
        change: impl FnOnce(&mut dyn Writer) -> Result<T> + Send + 'static,
    ) -> Result<T, Refusal> {
        let eyes = self.selected.as_ref().map(Eyes::of);
        let change = move |writer: &mut dyn Writer| {
            let done = change(writer)?;
            Ok((done, eyes.map(|eyes| eyes.look(writer)).transpose()?))
        };
        let (done, ahead) = self.store.write(Durability::Full, change).await?;
        self.ahead = ahead;
        Ok(done)
    }
}

/// What a look for changes needs to know.
struct Eyes {
    mailbox: MailboxId,
    seen: u64,
    view: Arc<View>,
}

/// What a look saw.
struct Ahead {
    mailbox: MailboxId,
    /// The changes after this MODSEQ.
    seen: u64,
    /// `None` where they were too many.
    changed: Option<Option<Changed>>,
}

impl Eyes {
    fn of(selected: &Selected) -> Self {
        Self { mailbox: selected.mailbox, seen: selected.seen(), view: Arc::clone(&selected.view) }
    }

    fn look(self, reader: &dyn Reader) -> Result<Ahead> {
        let Self { mailbox, seen, view } = self;
        Ok(Ahead { mailbox, seen, changed: Changed::few(reader, mailbox, seen, &view)? })
    }
}

impl Ahead {
    /// Whether that is what this client is to be told next.
    fn is_of(&self, selected: &Selected) -> bool {
        (self.mailbox, self.seen) == (selected.mailbox, selected.seen())
    }
}

fn id() -> Reply {
    let mut out = Vec::new();
    untagged!(out, "ID (\"name\" \"Mailtide\" \"version\" \"{}\")", env!("CARGO_PKG_VERSION"));
    Reply::with("That is who we are", out)
}
