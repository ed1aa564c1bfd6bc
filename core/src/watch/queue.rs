//! Events on their way to a user who may be slow: flag changes of one message are merged, nothing is dropped.

use super::cursor::{Step, Told};
use super::event::{Event, WatchEvent};
use super::snapshot::Snapshot;
use crate::error::{MailError, Result};
use crate::imap::Flag;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// An event that has not been taken, and how it moves the cursor.
#[derive(Debug)]
pub(super) struct Entry {
    pub event: Event,
    pub step: Option<Step>,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Entry>,
    cursor: Option<Told>,
    error: Option<MailError>,
    closed: bool,
    ended: bool,
}

/// How far back a flag event looks for one of the same message to be merged with.
const LOOK_BACK: usize = 256;

impl Queue {
    /// The place from which the user is told of changes.
    pub fn begin(&self, place: Arc<str>, told: &Snapshot) {
        self.lock().cursor = Some(Told::new(place, Arc::new(told.clone())));
        self.changed.notify_waiters();
    }

    pub fn push(&self, entries: impl IntoIterator<Item = Entry>) {
        let mut state = self.lock();
        for entry in entries {
            if !merged(&mut state.waiting, &entry) {
                state.waiting.push_back(entry);
            }
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// No more events will come.
    pub fn end(&self, error: Option<MailError>) {
        let mut state = self.lock();
        state.ended = true;
        state.error = error;
        drop(state);
        self.changed.notify_waiters();
    }

    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_waiters();
    }

    /// Returns when the watch was closed.
    pub async fn closed(&self) {
        self.when(|state| state.closed.then_some(())).await;
    }

    pub async fn ready(&self) -> Result<()> {
        self.when(|state| match (&state.cursor, &state.error) {
            (Some(_), _) => Some(Ok(())),
            (None, Some(error)) => Some(Err(error.clone())),
            (None, None) => (state.ended || state.closed).then(|| Err(crate::session::closed())),
        })
        .await
    }

    pub async fn next(&self) -> Result<Option<WatchEvent>> {
        self.when(State::next).await
    }

    pub fn at_hand(&self) -> Result<Option<WatchEvent>> {
        self.lock().next().unwrap_or(Ok(None))
    }

    async fn when<T>(&self, mut answer: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(answer) = answer(&mut self.lock()) {
                return answer;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What is known, or the end; `None` where it has to be waited for.
    fn next(&mut self) -> Option<Result<Option<WatchEvent>>> {
        if let Some(entry) = self.waiting.pop_front() {
            return self.deliver(entry).map(|event| Ok(Some(event)));
        }
        if let Some(error) = self.error.take() {
            return Some(Err(error));
        }
        (self.ended || self.closed).then_some(Ok(None))
    }

    fn deliver(&mut self, entry: Entry) -> Option<WatchEvent> {
        let cursor = self.cursor.clone()?;
        let cursor = match entry.step {
            Some(step) => cursor.after(step),
            None => cursor,
        };
        self.cursor = Some(cursor.clone());
        Some(WatchEvent { event: entry.event, cursor: cursor.into() })
    }
}

/// Merges a flag event into a waiting one of the same message, unless something else of that message lies between.
fn merged(waiting: &mut VecDeque<Entry>, entry: &Entry) -> bool {
    let Event::Flags { reference, added, removed } = &entry.event else { return false };
    for earlier in waiting.iter_mut().rev().take(LOOK_BACK) {
        match &mut earlier.event {
            Event::Flags { reference: same, added: a, removed: r } if same == reference => {
                merge(a, r, added, removed);
                earlier.step.clone_from(&entry.step);
                return true;
            }
            Event::New(message) if message.reference() == reference => return false,
            Event::Reset { .. } | Event::Gap { .. } => return false,
            _ => {}
        }
    }
    false
}

fn merge(added: &mut Vec<Flag>, removed: &mut Vec<Flag>, more: &[Flag], less: &[Flag]) {
    for flag in more {
        match removed.iter().position(|f| f == flag) {
            Some(at) => drop(removed.remove(at)),
            None => added.push(flag.clone()),
        }
    }
    for flag in less {
        match added.iter().position(|f| f == flag) {
            Some(at) => drop(added.remove(at)),
            None => removed.push(flag.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bulk::MessageRef;

    fn flags(uid: u32, added: &[Flag], removed: &[Flag], all: &[Flag]) -> Entry {
        let reference = MessageRef { account: "a@h".into(), mailbox: "INBOX".into(), uid_validity: 1, uid };
        let event = Event::Flags { reference, added: added.to_vec(), removed: removed.to_vec() };
        Entry { event, step: Some(Step::Put(uid, all.to_vec())) }
    }

    #[tokio::test]
    async fn a_slow_user_gets_flag_changes_of_one_message_as_one() {
        let queue = Queue::default();
        queue.begin("a@h/INBOX".into(), &Snapshot::new(1));
        queue.push([flags(1, &[Flag::SEEN], &[], &[Flag::SEEN]), flags(2, &[Flag::SEEN], &[], &[Flag::SEEN])]);
        queue.push([flags(1, &[Flag::FLAGGED], &[Flag::SEEN], &[Flag::FLAGGED])]);
        let first = queue.next().await.unwrap().unwrap();
        let Event::Flags { added, removed, .. } = first.event else { panic!("not a flag event") };
        assert_eq!((added, removed), (vec![Flag::FLAGGED], vec![]));
        let told = Told::read(&first.cursor.to_string(), "a@h/INBOX").unwrap();
        assert_eq!(told.flags_of(1), [Flag::FLAGGED]);
        assert!(told.flags_of(2).is_empty());
        assert!(queue.next().await.unwrap().is_some());
    }

    #[tokio::test]
    async fn what_is_known_is_given_before_the_end() {
        let queue = Queue::default();
        queue.begin("a@h/INBOX".into(), &Snapshot::new(1));
        queue.push([flags(1, &[Flag::SEEN], &[], &[])]);
        queue.close();
        assert!(queue.next().await.unwrap().is_some());
        assert!(queue.next().await.unwrap().is_none());
    }
}
