//! The account that the modelled server keeps, and everything that can be done to it; each change is logged with who
//! made it.

use super::connection::{Connection, ConnectionId, Outgoing};
use super::date::Moment;
use super::mailbox::{Late, Mailbox, Placement};
use super::message::Content;
use crate::fault::Fault;
use crate::letter;
use crate::personality::Personality;
use crate::random::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Who does something: 0 is somebody else, devices count from 1.
pub type Actor = u32;

/// Somebody else's client.
pub const FOREIGN: Actor = 0;

/// Where the clock of the model starts, in seconds since 1970.
const EPOCH: i64 = 1_700_000_000;

/// One thing that was done.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When, in milliseconds.
    pub at: u64,
    /// By whom.
    pub actor: Actor,
    /// To which mailbox.
    pub mailbox: u64,
    /// To which placement; 0 for none.
    pub serial: u64,
    /// The placement's UID.
    pub uid: u32,
    /// What.
    pub change: Change,
}

/// What was done.
#[expect(missing_docs, reason = "what a variant holds is what its line says")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A message came: which, and from which placement.
    Added { token: u64, from: Option<u64> },
    /// A flag was set or taken away.
    Flag { flag: String, set: bool },
    /// A message left: which.
    Expunged { token: u64 },
    /// A message left with its mailbox: which.
    Swept { token: u64 },
    /// A mailbox was numbered anew, or a message with it.
    Renumbered,
    /// A mailbox was made, renamed or deleted.
    Mailbox { name: String, gone: bool },
}

impl Change {
    /// The message that has left by it, however.
    #[must_use]
    pub fn removed(&self) -> Option<u64> {
        match self {
            Self::Expunged { token } | Self::Swept { token } => Some(*token),
            _ => None,
        }
    }
}

/// What an actor has cost the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Commands read, logins included.
    pub commands: u64,
    /// When logins came, in milliseconds.
    pub logins: Vec<u64>,
    /// Bytes in both directions.
    pub bytes: u64,
    /// How many commands were refused, by a fault or by what the server is.
    pub refused: u64,
}

/// Receives what goes over the wire.
pub type Tap = Box<dyn Fn(Actor, bool, &[u8]) + Send>;

/// A command that is done after its connection is gone.
pub(super) struct Ghost {
    /// Logins of its actor when it was cut.
    pub logins: usize,
    pub due: u64,
    pub connection: Connection,
    pub command: Vec<u8>,
}

/// The modelled server.
pub struct Server {
    /// What kind it is.
    pub personality: Personality,
    /// Whether it has stopped lying and refusing at random.
    pub calm: bool,
    /// Every thing done, in order.
    pub log: Vec<Entry>,
    /// How many late effects came when their client had already logged in again.
    pub overtaken: u32,
    /// Receives what goes over the wire: who, whether the client sent it, and what.
    pub tap: Option<Tap>,
    /// Which placement a UIDVALIDITY and a UID have meant.
    numbers: BTreeMap<(u32, u32), u64>,
    pub(super) mailboxes: BTreeMap<u64, Mailbox>,
    pub(super) subscriptions: BTreeSet<String>,
    pub(super) random: Random,
    pub(super) now: u64,
    pub(super) traffic: BTreeMap<Actor, Traffic>,
    pub(super) ghosts: Vec<Ghost>,
    connections: BTreeMap<ConnectionId, Connection>,
    faults: Vec<(Actor, u32, Fault)>,
    counted: BTreeMap<Actor, u32>,
    next_connection: ConnectionId,
    next_mailbox: u64,
    next_serial: u64,
    next_token: u64,
    validity: u32,
}

impl Server {
    /// A server with an empty INBOX and the usual mailboxes.
    #[must_use]
    pub fn new(personality: &Personality, random: Random) -> Self {
        let mut server = Self {
            personality: personality.clone(),
            calm: false,
            log: Vec::new(),
            overtaken: 0,
            tap: None,
            numbers: BTreeMap::new(),
            mailboxes: BTreeMap::new(),
            subscriptions: BTreeSet::new(),
            random,
            now: 0,
            traffic: BTreeMap::new(),
            ghosts: Vec::new(),
            connections: BTreeMap::new(),
            faults: Vec::new(),
            counted: BTreeMap::new(),
            next_connection: 1,
            next_mailbox: 1,
            next_serial: 1,
            next_token: 1,
            validity: 1_000,
        };
        server.usual_mailboxes();
        server
    }

    /// The account as it is once every connection has ended: what a client finds that starts again.
    #[must_use]
    pub fn survivor(&self) -> Self {
        Self {
            personality: self.personality.clone(),
            log: self.log.clone(),
            tap: None,
            numbers: self.numbers.clone(),
            mailboxes: self.mailboxes.clone(),
            subscriptions: self.subscriptions.clone(),
            random: self.random.clone(),
            traffic: self.traffic.clone(),
            ghosts: Vec::new(),
            connections: BTreeMap::new(),
            faults: Vec::new(),
            counted: BTreeMap::new(),
            ..*self
        }
    }

    fn usual_mailboxes(&mut self) {
        let prefix = if self.personality.labels { "[Gmail]/" } else { "" };
        self.create(FOREIGN, "INBOX");
        if self.personality.labels {
            self.create(FOREIGN, "[Gmail]");
            self.create(FOREIGN, "[Gmail]/All Mail");
        }
        for (name, usage) in [("Archive", "\\Archive"), ("Sent", "\\Sent"), ("Trash", "\\Trash")] {
            if !(self.personality.labels && name == "Archive") {
                self.create(FOREIGN, &format!("{prefix}{name}"));
            }
            for mailbox in self.mailboxes.values_mut().filter(|m| m.name == format!("{prefix}{name}")) {
                mailbox.special_use = Some(usage);
            }
        }
        for mailbox in self.mailboxes.values_mut() {
            match mailbox.name.as_str() {
                "[Gmail]" => mailbox.selectable = false,
                "[Gmail]/All Mail" => mailbox.special_use = Some("\\All"),
                _ => {}
            }
        }
        self.subscriptions.extend(self.mailboxes.values().map(|m| m.name.clone()));
        self.log.clear();
    }

    /// A new connection of `actor`, with its greeting on the way.
    pub fn connect(&mut self, actor: Actor, now: u64) -> ConnectionId {
        self.advance(now);
        let id = self.next_connection;
        self.next_connection += 1;
        let connection = Connection::greeted(actor, self);
        self.connections.insert(id, connection);
        id
    }

    /// Takes bytes from a client, and does what they say.
    pub fn feed(&mut self, id: ConnectionId, bytes: &[u8], now: u64) {
        self.advance(now);
        let Some(mut connection) = self.connections.remove(&id) else { return };
        self.traffic.entry(connection.actor).or_default().bytes += bytes.len() as u64;
        connection.receive(self, bytes);
        self.connections.insert(id, connection);
        self.tell_idlers();
    }

    /// The next bytes for a client, at most `most`.
    pub fn take(&mut self, id: ConnectionId, most: usize, now: u64) -> Outgoing {
        self.advance(now);
        let Some(connection) = self.connections.get_mut(&id) else { return Outgoing::End };
        let outgoing = connection.take(most, now);
        if let Outgoing::Bytes(bytes) = &outgoing {
            self.traffic.entry(connection.actor).or_default().bytes += bytes.len() as u64;
        }
        outgoing
    }

    /// The client has gone.
    pub fn hang_up(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
    }

    /// Ends every connection.
    pub fn cut_all(&mut self) {
        self.connections.values_mut().for_each(Connection::cut);
    }

    /// Lets time pass: what was put off is done.
    pub fn advance(&mut self, now: u64) {
        self.now = self.now.max(now);
        while let Some(at) = self.ghosts.iter().position(|g| g.due <= self.now) {
            let mut ghost = self.ghosts.remove(at);
            self.overtaken += u32::from(self.traffic(ghost.connection.actor).logins.len() > ghost.logins);
            ghost.connection.execute(self, &ghost.command);
            self.tell_idlers();
        }
    }

    /// Tells clients that wait what has changed; for edits made from outside.
    pub fn tell_idlers(&mut self) {
        let ids: Vec<ConnectionId> = self.connections.iter().filter(|(_, c)| c.idles()).map(|(id, _)| *id).collect();
        for id in ids {
            if let Some(mut connection) = self.connections.remove(&id) {
                connection.tell(self);
                self.connections.insert(id, connection);
            }
        }
    }

    /// Replaces the faults that wait: each strikes the command of that number of its actor, counted from now.
    pub fn plan(&mut self, faults: Vec<(Actor, u32, Fault)>) {
        self.faults = faults;
        self.counted.clear();
    }

    /// The fault that strikes the command which comes next, left where it is.
    pub(super) fn upcoming(&self, actor: Actor) -> Option<&Fault> {
        let next = self.counted.get(&actor).copied().unwrap_or_default();
        self.faults.iter().find(|(a, at, _)| *a == actor && *at == next).map(|(_, _, fault)| fault)
    }

    /// Counts a command; the fault that strikes it.
    pub(super) fn strike(&mut self, actor: Actor) -> Option<Fault> {
        let fault = self.upcoming(actor).cloned();
        *self.counted.entry(actor).or_default() += 1;
        self.traffic.entry(actor).or_default().commands += 1;
        fault
    }

    pub(super) fn wiretap(&self, actor: Actor, sent: bool, bytes: &[u8]) {
        if let Some(tap) = self.tap.as_ref().filter(|_| !bytes.is_empty()) {
            tap(actor, sent, bytes);
        }
    }

    /// What an actor has cost.
    #[must_use]
    pub fn traffic(&self, actor: Actor) -> Traffic {
        self.traffic.get(&actor).cloned().unwrap_or_default()
    }

    /// Whether something with that chance happens now; nothing does when the server is calm.
    pub(super) fn lies(&mut self, per_mille: u32) -> bool {
        !self.calm && self.random.chance(per_mille)
    }

    /// All mailboxes.
    pub fn mailboxes(&self) -> impl Iterator<Item = &Mailbox> {
        self.mailboxes.values()
    }

    /// A mailbox by its id.
    #[must_use]
    pub fn mailbox(&self, id: u64) -> Option<&Mailbox> {
        self.mailboxes.get(&id)
    }

    /// The placement that a UIDVALIDITY and a UID have meant, whether it is still there or not.
    #[must_use]
    pub fn serial(&self, uid_validity: u32, uid: u32) -> Option<u64> {
        self.numbers.get(&(uid_validity, uid)).copied()
    }

    /// A mailbox by its name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Mailbox> {
        self.mailboxes.values().find(|m| m.name == name)
    }

    /// The time of the server's clock.
    #[must_use]
    pub fn moment(&self) -> Moment {
        Moment::utc(EPOCH + i64::try_from(self.now / 1000).unwrap_or_default())
    }

    /// Makes up a message that carries a token of its own.
    pub fn mint(&mut self, twin: bool, size: u16) -> Arc<Content> {
        let token = self.next_token;
        self.next_token += 1;
        let message_id = if twin { 0 } else { token };
        Arc::new(Content::new(letter::write(token, message_id, size), self.next_serial()))
    }

    /// The token that the next message will carry.
    pub fn next_token(&mut self) -> u64 {
        self.next_token += 1;
        self.next_token - 1
    }

    pub(super) fn next_serial(&mut self) -> u64 {
        self.next_serial += 1;
        self.next_serial
    }

    fn record(&mut self, actor: Actor, mailbox: u64, (serial, uid): (u64, u32), change: Change) {
        let at = self.now;
        self.log.push(Entry { at, actor, mailbox, serial, uid, change });
    }

    /// Adds a message; its UID.
    pub fn add(
        &mut self,
        actor: Actor,
        mailbox: u64,
        content: &Arc<Content>,
        flags: BTreeSet<String>,
        date: Option<Moment>,
    ) -> u32 {
        let uid = self.place(actor, mailbox, content, flags.clone(), date, None);
        let all = self.mailboxes.values().find(|m| m.special_use == Some("\\All")).map(|m| m.id);
        let hidden = matches!(self.mailboxes[&mailbox].special_use, Some("\\Trash" | "\\Junk"));
        if let Some(all) = all.filter(|all| *all != mailbox && !hidden) {
            let known = self.mailboxes[&all].placements.values().any(|p| p.content.email_id == content.email_id);
            if !known {
                self.place(actor, all, content, flags, date, None);
            }
        }
        uid
    }

    fn place(
        &mut self,
        actor: Actor,
        mailbox: u64,
        content: &Arc<Content>,
        flags: BTreeSet<String>,
        date: Option<Moment>,
        from: Option<u64>,
    ) -> u32 {
        let (serial, saved, until) = (self.next_serial(), self.moment(), self.late_until(actor));
        let Some(target) = self.mailboxes.get_mut(&mailbox) else { return 0 };
        let (uid, modseq) = (target.uid_next, target.bump());
        target.uid_next += 1;
        self.numbers.insert((target.uid_validity, uid), serial);
        let late = until.map(|until| Late { until, before: None });
        let date = date.unwrap_or(saved);
        let content = Arc::clone(content);
        let token = letter::token(&content.bytes).unwrap_or_default();
        target.placements.insert(uid, Placement { uid, serial, flags, date, saved, modseq, content, late });
        self.record(actor, mailbox, (serial, uid), Change::Added { token, from });
        uid
    }

    /// When a change by `actor` can be seen, where that is not at once.
    fn late_until(&self, actor: Actor) -> Option<u64> {
        let late = self.personality.late_data;
        (late > 0 && actor == FOREIGN && !self.calm).then(|| self.now + late)
    }

    /// Sets a flag or takes it away; whether that was a change.
    pub fn flag(&mut self, actor: Actor, mailbox: u64, uid: u32, flag: &str, set: bool) -> bool {
        let Some(email) = self.placement(mailbox, uid).filter(|p| p.has(flag) != set).map(|p| p.content.email_id)
        else {
            return false;
        };
        // A label's message is the same message everywhere.
        let twins: Vec<(u64, u32)> =
            if self.personality.labels && flag != "\\Deleted" { self.places_of(email) } else { vec![(mailbox, uid)] };
        for (mailbox, uid) in twins {
            self.flag_one(actor, mailbox, uid, flag, set);
        }
        true
    }

    fn flag_one(&mut self, actor: Actor, mailbox: u64, uid: u32, flag: &str, set: bool) {
        let until = self.late_until(actor);
        let Some(target) = self.mailboxes.get_mut(&mailbox) else { return };
        let modseq = target.modseq + 1;
        let Some(placement) = target.placements.get_mut(&uid).filter(|p| p.has(flag) != set) else { return };
        if let Some(until) = until {
            let before = match placement.late.take() {
                Some(late) if late.until > self.now => late.before,
                _ => Some((placement.flags.clone(), placement.modseq)),
            };
            placement.late = Some(Late { until, before });
        }
        if set {
            placement.flags.insert(flag.to_owned());
        } else {
            placement.flags.retain(|f| !f.eq_ignore_ascii_case(flag));
        }
        placement.modseq = modseq;
        let serial = placement.serial;
        target.modseq = modseq;
        self.record(actor, mailbox, (serial, uid), Change::Flag { flag: flag.to_owned(), set });
    }

    fn places_of(&self, email: u64) -> Vec<(u64, u32)> {
        let places = self.mailboxes.values().flat_map(|m| m.placements.values().map(move |p| (m.id, p)));
        places.filter(|(_, p)| p.content.email_id == email).map(|(mailbox, p)| (mailbox, p.uid)).collect()
    }

    pub(super) fn placement(&self, mailbox: u64, uid: u32) -> Option<&Placement> {
        self.mailboxes.get(&mailbox)?.placements.get(&uid)
    }

    /// Takes a message out for good.
    pub fn expunge(&mut self, actor: Actor, mailbox: u64, uid: u32) {
        let Some(placement) = self.mailboxes.get_mut(&mailbox).and_then(|m| m.remove(uid)) else { return };
        let token = letter::token(&placement.content.bytes).unwrap_or_default();
        self.record(actor, mailbox, (placement.serial, uid), Change::Expunged { token });
    }

    /// Copies a message; the UID of the copy.
    pub fn copy(&mut self, actor: Actor, mailbox: u64, uid: u32, to: u64) -> Option<u32> {
        let source = self.placement(mailbox, uid)?.clone();
        let same = if self.personality.labels {
            // A label that is there already stays one.
            let there = self.mailboxes.get(&to)?.placements.values();
            there.clone().find(|p| p.content.email_id == source.content.email_id).map(|p| p.uid)
        } else {
            None
        };
        if same.is_some() {
            return same;
        }
        let content = if self.personality.labels {
            Arc::clone(&source.content)
        } else {
            Arc::new(Content::new(source.content.bytes.clone(), self.next_serial()))
        };
        self.mailboxes.get(&to)?;
        Some(self.place(actor, to, &content, source.flags, Some(source.date), Some(source.serial)))
    }

    /// Makes a mailbox, unless there is one.
    pub fn create(&mut self, actor: Actor, name: &str) -> bool {
        if self.named(name).is_some() {
            return false;
        }
        let id = self.next_mailbox;
        self.next_mailbox += 1;
        let mailbox = Mailbox {
            id,
            name: name.to_owned(),
            uid_validity: self.next_validity(),
            uid_next: 1,
            modseq: 1,
            placements: BTreeMap::new(),
            vanished: Vec::new(),
            special_use: None,
            selectable: true,
        };
        self.mailboxes.insert(id, mailbox);
        self.record(actor, id, (0, 0), Change::Mailbox { name: name.to_owned(), gone: false });
        true
    }

    /// Says what a mailbox is for.
    pub fn use_for(&mut self, name: &str, usage: Option<&'static str>) {
        for mailbox in self.mailboxes.values_mut().filter(|m| m.name == name) {
            mailbox.special_use = usage.or(mailbox.special_use);
        }
    }

    fn next_validity(&mut self) -> u32 {
        self.validity += 1;
        self.validity
    }

    /// Gives a mailbox another name, and those below it; not INBOX, and not a name that is taken.
    pub fn rename(&mut self, actor: Actor, id: u64, name: &str) -> bool {
        let Some(old) = self.mailboxes.get(&id).filter(|m| m.special_use.is_none()).map(|m| m.name.clone()) else {
            return false;
        };
        let below = format!("{old}{}", self.personality.delimiter);
        if old == "INBOX" || self.named(name).is_some() || name.starts_with(&below) {
            return false;
        }
        for mailbox in self.mailboxes.values_mut() {
            if let Some(rest) = mailbox.name.strip_prefix(&below) {
                mailbox.name = format!("{name}{}{rest}", self.personality.delimiter);
            }
        }
        if let Some(mailbox) = self.mailboxes.get_mut(&id) {
            name.clone_into(&mut mailbox.name);
        }
        self.record(actor, id, (0, 0), Change::Mailbox { name: name.to_owned(), gone: false });
        true
    }

    /// Deletes a mailbox with all that is in it; not INBOX, nor one that has a special use.
    pub fn delete(&mut self, actor: Actor, id: u64) -> bool {
        let fixed = |m: &&Mailbox| m.name != "INBOX" && m.special_use.is_none() && m.selectable;
        let Some(mailbox) = self.mailboxes.get(&id).filter(fixed).cloned() else { return false };
        for placement in mailbox.placements.values() {
            let token = letter::token(&placement.content.bytes).unwrap_or_default();
            self.record(actor, id, (placement.serial, placement.uid), Change::Swept { token });
        }
        self.mailboxes.remove(&id);
        self.record(actor, id, (0, 0), Change::Mailbox { name: mailbox.name, gone: true });
        true
    }

    /// Gives all messages of a mailbox other UIDs, under another UIDVALIDITY.
    pub fn renumber(&mut self, id: u64) {
        let validity = self.next_validity();
        let first = self.random.below(3) as u32 + 1;
        let Some(mailbox) = self.mailboxes.get_mut(&id) else { return };
        mailbox.uid_validity = validity;
        mailbox.vanished.clear();
        mailbox.modseq += 1;
        let placements = std::mem::take(&mut mailbox.placements).into_values();
        let renumbered = placements.zip(first..).map(|(p, uid)| Placement { uid, modseq: mailbox.modseq, ..p });
        mailbox.placements = renumbered.map(|p| (p.uid, p)).collect();
        mailbox.uid_next = mailbox.placements.keys().next_back().map_or(first, |uid| uid + 1);
        let numbers: Vec<(u64, u32)> = mailbox.placements.values().map(|p| (p.serial, p.uid)).collect();
        self.record(FOREIGN, id, (0, 0), Change::Renumbered);
        for number in numbers {
            self.numbers.insert((validity, number.1), number.0);
            self.record(FOREIGN, id, number, Change::Renumbered);
        }
    }

    /// Lets a mailbox count its changes from the beginning again, and forget what has left.
    pub fn rewind(&mut self, id: u64) {
        let Some(mailbox) = self.mailboxes.get_mut(&id) else { return };
        mailbox.modseq = 1;
        mailbox.vanished.clear();
        mailbox.placements.values_mut().for_each(|placement| placement.modseq = 1);
    }

    /// A new UIDVALIDITY, without other UIDs.
    pub(super) fn shake_validity(&mut self, id: u64) {
        let validity = self.next_validity();
        if let Some(mailbox) = self.mailboxes.get_mut(&id) {
            mailbox.uid_validity = validity;
        }
    }
}
