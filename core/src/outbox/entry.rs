//! A message to be sent, and how it goes from state to state: pure, with the clock and the randomness given.
//!
//! ```text
//! queued -> connected -> data_started -> dot_sent -> accepted | rejected | uncertain
//!    ^----------- later, or lost before the dot -------'             uncertain -> queued, by decision only
//! ```

use super::connection::Submitted;
use super::smtp::{Fate, Stage};
use crate::error::{Code, MailError, Result};
use crate::planted::{Bug, planted};

/// How far a message is. Each state is durable before what it stands for begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Waits for its time, or for a network.
    Queued,
    /// The server is there; nothing of the message has been said.
    Connected,
    /// The message is on its way.
    DataStarted,
    /// All of it is out, or about to be; whether it was taken is not known yet.
    DotSent,
    /// The server has taken it for at least one recipient, and nothing is left to be done.
    Accepted,
    /// The server will never take it.
    Rejected,
    /// The answer to the final dot was lost: it may have been sent. It is never sent again by itself.
    Uncertain,
    /// Taken back before it was sent.
    Cancelled,
}

/// What has become of one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecipientState {
    /// Not sent yet, or refused for the time being.
    Waiting,
    /// In the transaction that is going on.
    Sending,
    /// The server has taken the message for this one.
    Accepted,
    /// The server refused this one for good.
    Rejected,
    /// The answer was lost.
    Uncertain,
}

/// How far the copy in Sent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CopyState {
    /// To be found, where the server files it, or to be added.
    Wanted,
    /// About to be added: after a crash it is looked for first.
    Appending,
    /// There.
    Filed,
}

macro_rules! words {
    ($type:ident { $($name:ident = $text:literal),* $(,)? }) => {
        impl $type {
            /// The stable word for it, as a store keeps it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// What a stored word stands for.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

words!(State {
    Queued = "queued", Connected = "connected", DataStarted = "data_started", DotSent = "dot_sent",
    Accepted = "accepted", Rejected = "rejected", Uncertain = "uncertain", Cancelled = "cancelled",
});
words!(RecipientState {
    Waiting = "waiting", Sending = "sending", Accepted = "accepted", Rejected = "rejected", Uncertain = "uncertain",
});
words!(CopyState { Wanted = "wanted", Appending = "appending", Filed = "filed" });
words!(OnDoubt { Ask = "ask", Resend = "resend", AssumeSent = "assume_sent" });

/// What to do with a message that may have been sent, when it was looked for in Sent for 15 minutes and not found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnDoubt {
    /// Leave it to a person.
    #[default]
    Ask,
    /// Send it again: somebody may get it twice.
    Resend,
    /// Leave it: somebody may not get it.
    AssumeSent,
}

/// A recipient of the envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The address.
    pub address: String,
    /// What has become of it.
    pub state: RecipientState,
    /// What the server said about it last.
    pub reply: Option<String>,
}

/// A message to be sent. Times are in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the store; in the order in which they were queued.
    pub id: i64,
    /// Unique in the store: what is queued again with the same key is the same message.
    pub key: String,
    /// `Message-ID`, without its angle brackets.
    pub message_id: String,
    /// The sender of the envelope.
    pub sender: String,
    /// The recipients of the envelope.
    pub recipients: Vec<Recipient>,
    /// How far it is.
    pub state: State,
    /// Since when.
    pub changed: i64,
    /// When it was queued.
    pub created: i64,
    /// How often it was begun and put off.
    pub attempts: u32,
    /// Nothing is done about it before this.
    pub not_before: i64,
    /// What the server or the network said last.
    pub reply: Option<String>,
    /// The copy in Sent; `None` before the message was accepted, or where none is wanted.
    pub sent_copy: Option<CopyState>,
    /// What to do when it is not known whether it was sent.
    pub on_doubt: OnDoubt,
    /// Whether a copy is to be in Sent.
    pub wants_copy: bool,
}

/// What a person decides about a message that may have been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Send it again.
    Resend,
    /// It was sent.
    Sent,
    /// It is not to be sent any more.
    Drop,
}

/// How long a message that may have been sent is looked for, and how often.
pub(super) const LOOKING: i64 = 15 * 60;
const LOOK_AGAIN: i64 = 60;
/// Most attempts at what a server puts off: with delays up to an hour some four days, as RFC 5321 section 4.5.4.1 asks.
const MOST_ATTEMPTS: u32 = 100;
/// The first delay and the last.
const FIRST_DELAY: i64 = 60;
const LAST_DELAY: i64 = 3600;

impl Entry {
    /// Whether nothing is left to be done, the copy in Sent included.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        let copied = matches!(self.sent_copy, None | Some(CopyState::Filed));
        copied && matches!(self.state, State::Accepted | State::Rejected | State::Cancelled)
    }

    /// Whether it waits for a person to decide; see [`Outbox::decide`](super::Outbox::decide).
    #[must_use]
    pub fn needs_decision(&self) -> bool {
        self.state == State::Uncertain && self.not_before == i64::MAX
    }

    /// Whether it is its turn. A clock that was ahead when it was queued or put off does not hold it back; a schedule does.
    pub(super) fn is_due(&self, now: i64) -> bool {
        let is_scheduled = self.state == State::Queued && self.attempts == 0 && self.not_before > self.created;
        let was_ahead = self.changed > now && !is_scheduled;
        self.not_before <= now || was_ahead && self.not_before < i64::MAX
    }

    /// The addresses that are still to be served.
    pub(super) fn waiting(&self) -> Vec<String> {
        let waiting = self.recipients.iter().filter(|r| r.state == RecipientState::Waiting);
        waiting.map(|r| r.address.clone()).collect()
    }

    /// What stands when a process finds it that did not leave it so: whatever was committed last has not ended well.
    pub(super) fn recovered(mut self, now: i64) -> Self {
        match self.state {
            State::Connected | State::DataStarted => {
                self.replace(RecipientState::Sending, RecipientState::Waiting);
                self.conclude(now);
            }
            State::DotSent => {
                self.replace(RecipientState::Sending, RecipientState::Uncertain);
                self.conclude(now);
            }
            _ => {}
        }
        self
    }

    /// The next step of the dialogue is about to begin. `self` is the entry as it was before the dialogue.
    pub(super) fn begun(&self, stage: Stage, fates: &[Fate], now: i64) -> Self {
        let (state, open) = match stage {
            Stage::Connected => (State::Connected, RecipientState::Waiting),
            Stage::DataStarted => (State::DataStarted, RecipientState::Sending),
            Stage::DotSent => (State::DotSent, RecipientState::Sending),
        };
        let mut next = self.clone();
        next.apply(fates, open);
        next.move_to(state, now);
        next
    }

    /// The dialogue has ended, well or not. `self` is the entry as it was before it; `random` is in `0.0..1.0`.
    pub(super) fn ended(&self, submitted: &Submitted, error: Option<&MailError>, now: i64, random: f64) -> Self {
        let mut next = self.clone();
        let uncertain = submitted.reached == Some(Stage::DotSent) && !planted(Bug::Resend);
        next.apply(&submitted.fates, if uncertain { RecipientState::Uncertain } else { RecipientState::Waiting });
        next.reply = error.map(ToString::to_string).or_else(|| next.last_reply());
        next.conclude(now);
        if next.state == State::Queued {
            next.put_off(now, random);
        }
        next
    }

    /// It was looked for in Sent.
    pub(super) fn looked(mut self, found: bool, now: i64) -> Self {
        if found {
            self.replace(RecipientState::Uncertain, RecipientState::Accepted);
            self.sent_copy = self.wants_copy.then_some(CopyState::Filed);
            self.conclude(now);
            return self;
        }
        if now < self.changed + LOOKING {
            self.not_before = now + LOOK_AGAIN;
            return self;
        }
        self.doubted(now)
    }

    /// Nobody can look, or nobody has found it.
    pub(super) fn doubted(self, now: i64) -> Self {
        match self.on_doubt {
            OnDoubt::Ask => Self { not_before: i64::MAX, ..self },
            OnDoubt::Resend => self.decided_as(RecipientState::Waiting, now),
            OnDoubt::AssumeSent => self.decided_as(RecipientState::Accepted, now),
        }
    }

    /// A person has decided.
    pub(super) fn decided(self, decision: Decision, now: i64) -> Result<Self> {
        if self.state != State::Uncertain {
            return Err(MailError::new(Code::UsageArgument, "Nothing about this message is left to be decided"));
        }
        Ok(match decision {
            Decision::Resend => self.decided_as(RecipientState::Waiting, now),
            Decision::Sent => self.decided_as(RecipientState::Accepted, now),
            Decision::Drop => {
                let mut dropped = self;
                dropped.replace(RecipientState::Waiting, RecipientState::Rejected);
                dropped.decided_as(RecipientState::Rejected, now)
            }
        })
    }

    /// It was taken back.
    pub(super) fn cancelled(mut self, now: i64) -> Result<Self> {
        if self.state != State::Queued {
            let text = format!("The message can no longer be taken back: it is {}", self.state.as_str());
            return Err(MailError::new(Code::UsageArgument, text));
        }
        let some = self.recipients.iter().any(|r| r.state == RecipientState::Accepted);
        self.replace(RecipientState::Waiting, RecipientState::Rejected);
        self.move_to(if some { State::Accepted } else { State::Cancelled }, now);
        self.not_before = now;
        Ok(self)
    }

    fn decided_as(mut self, state: RecipientState, now: i64) -> Self {
        self.replace(RecipientState::Uncertain, state);
        self.conclude(now);
        self
    }

    /// The fates of those who were waiting, in order; who is open yet is in state `open`.
    fn apply(&mut self, fates: &[Fate], open: RecipientState) {
        let asked = self.recipients.iter_mut().filter(|r| r.state == RecipientState::Waiting);
        for (recipient, fate) in asked.zip(fates) {
            let (state, reply) = match fate {
                Fate::Open => (open, None),
                Fate::Accepted(reply) => (RecipientState::Accepted, Some(reply)),
                Fate::Rejected(reply) => (RecipientState::Rejected, Some(reply)),
                Fate::Deferred(reply) => (RecipientState::Waiting, Some(reply)),
            };
            recipient.state = state;
            recipient.reply = reply.cloned().or(recipient.reply.take());
        }
    }

    fn replace(&mut self, from: RecipientState, to: RecipientState) {
        self.recipients.iter_mut().filter(|r| r.state == from).for_each(|r| r.state = to);
    }

    /// What the recipients add up to. Doubt comes first: whoever was put off waits until it is resolved.
    fn conclude(&mut self, now: i64) {
        let any = |state| self.recipients.iter().any(|r| r.state == state);
        let (accepted, uncertain) = (any(RecipientState::Accepted), any(RecipientState::Uncertain));
        let state = match (uncertain, any(RecipientState::Waiting), accepted) {
            (true, ..) => State::Uncertain,
            (false, true, _) => State::Queued,
            (false, false, true) => State::Accepted,
            (false, false, false) => State::Rejected,
        };
        if accepted && self.wants_copy && self.sent_copy.is_none() {
            self.sent_copy = Some(CopyState::Wanted);
        }
        self.move_to(state, now);
        self.not_before = now;
    }

    fn move_to(&mut self, state: State, now: i64) {
        (self.state, self.changed) = (state, now);
    }

    fn put_off(&mut self, now: i64, random: f64) {
        self.attempts = self.attempts.saturating_add(1);
        if self.attempts >= MOST_ATTEMPTS {
            self.replace(RecipientState::Waiting, RecipientState::Rejected);
            return self.conclude(now);
        }
        self.not_before = now + delay(self.attempts, random);
    }

    fn last_reply(&self) -> Option<String> {
        self.recipients.iter().rev().find_map(|r| r.reply.clone())
    }
}

/// Doubles up to an hour; between half of it and all of it, so that many messages do not come back at once.
fn delay(attempts: u32, random: f64) -> i64 {
    let bound = FIRST_DELAY.saturating_mul(1 << (attempts.saturating_sub(1)).min(16)).min(LAST_DELAY);
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "seconds of an hour")]
    let jitter = (bound as f64 / 2.0 * random.clamp(0.0, 1.0)) as i64;
    bound / 2 + jitter
}

#[cfg(test)]
mod tests;
