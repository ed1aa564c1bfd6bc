//! A small engine of the simulation's own: right as far as histories tell, and with mistakes that can be switched on, to
//! prove that the oracle sees them. It is no model for a real one: it keeps everything in memory and asks for everything.

mod bug;
mod client;
mod disk;
mod land;
mod mail;
mod pull;
mod push;

pub use bug::Bug;

use crate::device::{
    Acted, Device, Engine, Fate, LocalMailbox, LocalMessage, Note, Pass, Sent, Snapshot, Soon, StoreFault, Ticket, Verb,
};
use crate::letter;
use crate::model::Actor;
use crate::network::Network;
use crate::smtp::Sink;
use client::Client;
use disk::{Disk, Intent, Kind, Origin, Row, Store};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Makes reference devices, right or with one mistake.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference {
    /// The mistake.
    pub bug: Option<Bug>,
}

/// Why a pass stops.
#[derive(Debug)]
enum Stop {
    /// The process has died.
    Crash,
    /// The connection is of no use any more.
    Lost(String),
}

type Result<T> = std::result::Result<T, Stop>;

/// A device.
struct Installation {
    store: Store,
    network: Network,
    sink: Sink,
    number: Actor,
    bug: Option<Bug>,
    clock: i64,
}

impl Engine for Reference {
    fn device(&self, number: Actor, network: &Network, sink: &Sink) -> Box<dyn Device> {
        let (network, sink) = (network.clone(), sink.clone());
        Box::new(Installation { store: Store::new(self.bug), network, sink, number, bug: self.bug, clock: 0 })
    }
}

impl Installation {
    fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    fn now(&self) -> i64 {
        i64::try_from(self.network.now() / 1000).unwrap_or_default() + self.clock
    }

    fn disk(&self) -> &Disk {
        &self.store.disk
    }

    /// One transaction.
    fn write<T>(&mut self, work: impl FnOnce(&mut Disk) -> T) -> Result<T> {
        self.store.write(work)
    }

    async fn pass(&mut self) -> Result<Pass> {
        self.send_mail().await?;
        let mut client = Client::open(&self.network, self.number).await?;
        self.list(&mut client).await?;
        let all = self.push(&mut client).await?;
        let whole = self.pull(&mut client).await?;
        client.log_out().await;
        if all && whole { Ok(Pass::Done) } else { Ok(Pass::Failed("not all could be done".to_owned())) }
    }

    fn take(&mut self, verb: Verb) -> Result<std::result::Result<Ticket, String>> {
        let apart = self.has(Bug::JournalApart);
        let intent = match self.store.write(|disk| change(disk, verb))? {
            Ok(intent) => intent,
            Err(why) => return Ok(Err(why)),
        };
        if apart {
            return self.write(|disk| disk.journal(intent)).map(Ok);
        }
        // What `write` has committed already holds the row; the journal belongs to the same transaction.
        Ok(Ok(self.store.amend(|disk| disk.journal(intent))))
    }
}

/// What is changed at once, and what the server is to be told.
fn change(disk: &mut Disk, verb: Verb) -> std::result::Result<Intent, String> {
    let missing = || "no such message".to_owned();
    match verb {
        Verb::Flag { message, flag, set } => {
            let row = disk.rows.get_mut(&message).ok_or_else(missing)?;
            disk::set_flag(&mut row.flags, &flag, set);
            Ok(Intent::new(message, Kind::Flag { flag, set }))
        }
        Verb::Delete { message } => {
            disk.rows.get_mut(&message).ok_or_else(missing)?.hidden = true;
            Ok(Intent::new(message, Kind::Delete))
        }
        Verb::Move { message, to } => {
            let to = disk.named(&to).ok_or_else(missing)?.id;
            let mailbox = disk.rows.get(&message).ok_or_else(missing)?.mailbox;
            let uid_validity = disk.validity_of(mailbox);
            let row = disk.rows.get_mut(&message).ok_or_else(missing)?;
            let from = Origin { mailbox, uid_validity, uid: row.uid };
            (row.mailbox, row.uid, row.missing) = (to, None, false);
            Ok(Intent::new(message, Kind::Move { from, to }))
        }
        Verb::Copy { message, to } => {
            let to = disk.named(&to).ok_or_else(missing)?.id;
            let source = disk.rows.get(&message).ok_or_else(missing)?.clone();
            let copy = disk.add(Row { mailbox: to, uid: None, ..source });
            Ok(Intent::new(copy, Kind::Copy { source: message, to }))
        }
        Verb::Append { mailbox, bytes, flags } => {
            let to = disk.named(&mailbox).ok_or_else(missing)?.id;
            let row = disk.add(Row::local(to, Arc::new(bytes), flags));
            Ok(Intent::new(row, Kind::Append { to }))
        }
        Verb::Create { name } => {
            if disk.named(&name).is_some() {
                return Err("there is one already".to_owned());
            }
            disk.add_mailbox(&name);
            Ok(Intent::new(0, Kind::Create { name }))
        }
        Verb::Rename { .. } | Verb::Remove { .. } => Err("it leaves mailboxes as they are".to_owned()),
        Verb::Send { bytes } => Ok(Intent::new(0, Kind::Send { bytes: Arc::new(bytes) })),
    }
}

impl Device for Installation {
    fn sync(&mut self) -> Soon<'_, Pass> {
        Box::pin(async {
            match self.pass().await {
                Ok(pass) => pass,
                Err(Stop::Crash) => Pass::Crashed,
                Err(Stop::Lost(why)) => Pass::Failed(why),
            }
        })
    }

    fn act(&mut self, verb: Verb) -> Soon<'_, Acted> {
        Box::pin(async {
            match self.take(verb) {
                Ok(Ok(ticket)) => Acted::Taken(ticket),
                Ok(Err(why)) => Acted::Refused(why),
                Err(Stop::Lost(why)) => Acted::Refused(why),
                Err(Stop::Crash) => Acted::Crashed,
            }
        })
    }

    fn snapshot(&mut self) -> Soon<'_, Snapshot> {
        let disk = self.disk();
        let mailbox = |m: &disk::Mailbox| {
            let rows = disk.rows.iter().filter(|(_, row)| row.mailbox == m.id && !row.hidden);
            let messages = rows.map(|(id, row)| LocalMessage {
                id: *id,
                uid: row.uid,
                flags: row.flags.clone(),
                token: letter::token(&row.envelope).or_else(|| row.body.as_ref().and_then(|b| letter::token(b))),
                body: row.body.as_ref().map(|body| letter::hash(body)),
                is_refused: false,
            });
            (m.name.clone(), LocalMailbox { uid_validity: m.uid_validity, messages: messages.collect() })
        };
        let shown: Snapshot = disk.mailboxes.iter().map(mailbox).collect();
        Box::pin(async { shown })
    }

    fn fates(&mut self) -> Soon<'_, BTreeMap<Ticket, Fate>> {
        let fates = self.disk().intents.iter().map(|(ticket, intent)| (*ticket, intent.fate.clone())).collect();
        Box::pin(async { fates })
    }

    fn outbox(&mut self) -> Soon<'_, BTreeMap<Ticket, Sent>> {
        let sent = self.disk().outbox.iter().map(|(ticket, mail)| (*ticket, mail.state)).collect();
        Box::pin(async { sent })
    }

    fn changes(&mut self, after: u64) -> Soon<'_, (Vec<Note>, u64)> {
        let feed = &self.disk().feed;
        let notes = feed.get(usize::try_from(after).unwrap_or(usize::MAX)..).unwrap_or_default().to_vec();
        let end = feed.len() as u64;
        Box::pin(async move { (notes, end) })
    }

    fn crash_at(&mut self, call: Option<u32>) {
        self.store.crash_at(call);
    }

    fn fail_at(&mut self, fault: Option<(u32, StoreFault)>) {
        // It has no lease, and asks its disk for nothing before it writes.
        self.store.fail_at(fault.filter(|(_, fault)| *fault != StoreFault::LeaseLost).map(|(call, _)| call));
    }

    fn restart(&mut self) -> Soon<'_, ()> {
        self.store.crash_at(None);
        self.doubt_mail();
        Box::pin(async {})
    }

    fn set_clock(&mut self, ahead: i64) {
        self.clock = ahead;
    }
}
