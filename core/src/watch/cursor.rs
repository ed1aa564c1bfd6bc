//! Where a watch stands, as a string that can be kept.

use super::snapshot::Snapshot;
use crate::error::{Code, MailError, Result};
use crate::imap::{Flag, UidSet};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A step from one snapshot to the next.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Put(u32, Vec<Flag>),
    Remove(u32),
    Replace(Arc<Snapshot>),
}

/// Where a watch stands after an event. It prints as a string for [`Since::Cursor`](crate::Since::Cursor): of a live
/// mailbox what the user has been told until then, a few hundred bytes for most mailboxes; of a local one a place in the
/// feed. Cheap to clone: the string is made when it is asked for.
#[derive(Clone, Debug)]
pub struct WatchCursor(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Told(Told),
    Feed(Arc<str>),
}

impl WatchCursor {
    /// A place in the feed of a store, as its text.
    pub(crate) fn feed(text: &str) -> Self {
        Self(Kind::Feed(text.into()))
    }
}

impl From<Told> for WatchCursor {
    fn from(told: Told) -> Self {
        Self(Kind::Told(told))
    }
}

impl fmt::Display for WatchCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Told(told) => told.fmt(f),
            Kind::Feed(text) => f.write_str(text),
        }
    }
}

/// What the user of a watch on a live mailbox has been told.
#[derive(Clone)]
pub(super) struct Told {
    place: Arc<str>,
    base: Arc<Snapshot>,
    steps: Arc<Mutex<Vec<Step>>>,
    taken: usize,
}

/// Steps that are kept before they are applied to a new base.
const STEPS: usize = 1024;

impl Told {
    /// `place` names account and mailbox.
    pub(super) fn new(place: Arc<str>, base: Arc<Snapshot>) -> Self {
        Self { place, base, steps: Arc::default(), taken: 0 }
    }

    /// The cursor after one step more.
    pub(super) fn after(&self, step: Step) -> Self {
        let mut next = if self.taken >= STEPS {
            Self::new(Arc::clone(&self.place), Arc::new(self.snapshot()))
        } else {
            self.clone()
        };
        let mut steps = next.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.truncate(next.taken);
        steps.push(step);
        drop(steps);
        next.taken += 1;
        next
    }

    /// What the user knows here.
    pub(super) fn snapshot(&self) -> Snapshot {
        let mut snapshot = (*self.base).clone();
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        for step in steps.iter().take(self.taken) {
            match step {
                Step::Put(uid, flags) => snapshot.put(*uid, flags),
                Step::Remove(uid) => snapshot.remove(&[*uid].into_iter().collect()),
                Step::Replace(other) => snapshot = (**other).clone(),
            }
        }
        snapshot
    }

    /// Reads a cursor of the mailbox `place`.
    pub(super) fn read(text: &str, place: &str) -> Result<Snapshot> {
        let value =
            decode(text).ok_or_else(|| MailError::new(Code::UsageArgument, "This is not a cursor of a watch"))?;
        if value.get("at").and_then(Value::as_str) != Some(place) {
            return Err(MailError::new(Code::UsageArgument, "This cursor belongs to another mailbox or account"));
        }
        snapshot_of(&value).ok_or_else(|| MailError::new(Code::UsageArgument, "This cursor is damaged"))
    }
}

fn decode(text: &str) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix("w1.")?).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn snapshot_of(value: &Value) -> Option<Snapshot> {
    let number = |key: &str| u32::try_from(value.get(key)?.as_u64()?).ok();
    let set = |text: &str| if text.is_empty() { Some(UidSet::default()) } else { UidSet::parse(text).ok() };
    let mut snapshot = Snapshot::new(number("validity")?);
    snapshot.uid_next = number("next")?;
    snapshot.uids = set(value.get("uids")?.as_str()?)?;
    for (flag, uids) in value.get("flags")?.as_object()? {
        snapshot.flags.insert(Flag::from_server(flag.as_bytes()), set(uids.as_str()?)?);
    }
    Some(snapshot)
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = self.snapshot();
        let flags: Map<String, Value> =
            s.flags.iter().map(|(flag, uids)| (flag.as_str().to_owned(), uids.to_string().into())).collect();
        let value = json!({
            "at": &*self.place, "validity": s.uid_validity, "next": s.uid_next, "uids": s.uids.to_string(), "flags": flags,
        });
        write!(f, "w1.{}", URL_SAFE_NO_PAD.encode(value.to_string()))
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Told").field("place", &self.place).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_being_written_down() {
        let mut base = Snapshot::new(9);
        base.put(1, &[Flag::SEEN]);
        let cursor = Told::new("ada@h/INBOX".into(), Arc::new(base));
        let later = cursor.after(Step::Put(5, vec![Flag::FLAGGED])).after(Step::Remove(1));
        let read = Told::read(&later.to_string(), "ada@h/INBOX").unwrap();
        assert_eq!(read, later.snapshot());
        assert_eq!((read.uids.to_string().as_str(), read.uid_next), ("5", 6));
        assert_eq!(cursor.snapshot().uids.to_string(), "1");
    }

    #[test]
    fn a_cursor_of_elsewhere_or_none_is_refused() {
        let cursor = Told::new("ada@h/INBOX".into(), Arc::new(Snapshot::new(9)));
        for (text, place) in [(cursor.to_string().as_str(), "ada@h/Sent"), ("w1.e30", "x"), ("w1.%", "x"), ("", "x")] {
            assert_eq!(Told::read(text, place).unwrap_err().code(), Code::UsageArgument);
        }
    }

    #[test]
    fn many_steps_are_folded_into_a_new_base() {
        let mut cursor = Told::new("x".into(), Arc::new(Snapshot::new(1)));
        for uid in 1..=3000 {
            cursor = cursor.after(Step::Put(uid, Vec::new()));
        }
        assert!(cursor.taken <= STEPS);
        assert_eq!(cursor.snapshot().uids.to_string(), "1:3000");
    }
}
