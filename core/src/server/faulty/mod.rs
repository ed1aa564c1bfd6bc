//! What a server does wrong on purpose, so that clients can be tested with it: capabilities taken away, faults that
//! servers are known for, and faults on command. Real servers have none of it.
//!
//! ```text
//! Faulty, one a server -> Tamper, one a connection: sees each command before it is done, each answer before it is sent
//! ```

mod fault;
mod log;
mod offer;
mod quirk;

pub use fault::{Fault, FaultKind};

use super::command::Command;
use super::parse::Bad;
use super::reply::{News, Refusal, Reply};
use super::wire::Interruption;
use crate::wire::Frame;
use fault::Struck;
use offer::Offer;
use quirk::Behaviour;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a whole server does wrong, and what it was told.
#[derive(Debug)]
pub(crate) struct Faulty {
    offer: Offer,
    quirks: Vec<&'static Behaviour>,
    armed: Mutex<Vec<Fault>>,
    commands: Mutex<log::Log>,
    /// Whether somebody has logged in.
    was_entered: AtomicBool,
}

impl Faulty {
    /// Without these capabilities, and with the faults of these rules of [`RULES`](crate::imap::quirk::RULES). A name that is
    /// not known is `usage.argument`.
    pub(crate) fn new(without: &[String], quirks: &[String]) -> crate::error::Result<Self> {
        let quirks = quirk::named(quirks)?;
        let own = quirks.iter().flat_map(|quirk| quirk.without).map(ToString::to_string);
        let offer = Offer::without(&without.iter().cloned().chain(own).collect::<Vec<_>>())?;
        let (armed, commands, was_entered) = (Mutex::default(), Mutex::default(), AtomicBool::new(false));
        Ok(Self { offer, quirks, armed, commands, was_entered })
    }

    /// Has a fault happen.
    pub(crate) fn arm(&self, fault: Fault) -> crate::error::Result<()> {
        lock(&self.armed).push(fault.checked()?);
        Ok(())
    }

    /// What clients have sent, in order, without secrets and contents.
    pub(crate) fn commands(&self) -> Vec<String> {
        lock(&self.commands).lines()
    }

    /// For a new connection.
    pub(super) fn tamper(self: &Arc<Self>) -> Tamper {
        Tamper { faulty: Arc::clone(self), seen: quirk::Seen::default() }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What becomes of a command.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// It is not done but answered with this.
    pub refusal: Option<Refusal>,
    /// What happens in the middle of its answer.
    pub interruption: Option<Interruption>,
    /// Whether that happens before the command is done.
    pub at_once: bool,
}

/// What one connection does wrong.
pub(super) struct Tamper {
    faulty: Arc<Faulty>,
    seen: quirk::Seen,
}

impl Tamper {
    /// The text of the greeting, and what happens to it.
    pub(super) fn greeting(&mut self, words: &str) -> (String, Verdict) {
        let names = self.faulty.quirks.iter().filter_map(|quirk| quirk.greeting);
        let name = names.collect::<Vec<_>>().join(", ");
        let name = if name.is_empty() { "Mailtide is ready".to_owned() } else { name };
        let verdict = self.struck("GREETING");
        match &verdict.refusal {
            Some(Refusal::Bad(text) | Refusal::No(_, text)) => (format!("* BYE {text}\r\n"), verdict),
            None => (format!("* OK [CAPABILITY {}] {name}\r\n", self.faulty.offer.words(words)), verdict),
        }
    }

    /// Looks at a command before it is done, and may change it.
    pub(super) fn command(&mut self, frame: &Frame, command: &mut Result<Command, Bad>) -> Verdict {
        self.seen.name = log::name(&frame.head);
        lock(&self.faulty.commands).push(frame);
        let mut verdict = self.struck(&self.seen.name);
        if verdict.refusal.is_none() {
            verdict.refusal = self.faulty.offer.refuses(frame, command.as_mut().ok());
        }
        if let (None, Ok(command)) = (&verdict.refusal, command) {
            let seen = &mut self.seen;
            verdict.refusal = self.faulty.quirks.iter().find_map(|quirk| (quirk.command)(seen, command));
            seen.is_named |= *command == Command::Id;
        }
        verdict
    }

    /// Looks at what a command is answered with before it is sent.
    pub(super) fn reply(&mut self, reply: &mut Reply) {
        self.faulty.offer.strip(reply);
        for quirk in &self.faulty.quirks {
            (quirk.reply)(&self.seen, reply);
        }
        if self.seen.wants_status {
            reply.news = News::Nothing;
        }
    }

    /// Somebody has logged in.
    pub(super) fn logged_in(&mut self) {
        self.seen.is_first = !self.faulty.was_entered.swap(true, Ordering::AcqRel);
    }

    /// How long an IDLE lasts before the connection ends.
    pub(super) fn idle(&self) -> Option<Duration> {
        self.faulty.quirks.iter().filter_map(|quirk| quirk.idle).min()
    }

    /// Whether news are not told now.
    pub(super) fn is_silent(&self) -> bool {
        self.seen.wants_status
    }

    fn struck(&self, name: &str) -> Verdict {
        match fault::strike(&mut lock(&self.faulty.armed), name) {
            None => Verdict::default(),
            Some(Struck::Refused(refusal)) => Verdict { refusal: Some(refusal), ..Verdict::default() },
            Some(Struck::Interrupted(interruption, at_once)) => {
                Verdict { refusal: None, interruption: Some(interruption), at_once }
            }
        }
    }
}
