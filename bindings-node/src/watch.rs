//! Watches and their events.

use crate::columns;
use crate::error::error_json;
use crate::queue::Queue;
use crate::reply::{Reply, reference_json};
use mailtide::imap::Flag;
use mailtide::{Event, WatchCloser, WatchEvent};
use napi_derive::napi;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Mutex;

/// The events of a mailbox or a store.
#[napi]
pub struct Watch {
    queue: Arc<Queue>,
    inner: Arc<Mutex<mailtide::Watch>>,
    closer: WatchCloser,
}

#[napi]
impl Watch {
    #[napi]
    pub fn ready(&self, id: u32) {
        let inner = Arc::clone(&self.inner);
        self.queue.start(id, async move { inner.lock().await.ready().await.map(Reply::from) });
    }

    /// Ends with a [`Batch`](crate::messages::Batch) whose rows are the event, or with null at the end.
    #[napi]
    pub fn next(&self, id: u32) {
        let (queue, inner) = (Arc::clone(&self.queue), Arc::clone(&self.inner));
        self.queue.start(id, async move {
            let Some(event) = inner.lock().await.next().await? else { return Ok(Reply::Null) };
            let text = event_json(&event);
            let messages = if let Event::New(message) = event.event { vec![message] } else { Vec::new() };
            Ok(Reply::Batch(text, messages, queue))
        });
    }

    #[napi]
    pub fn close(&self) {
        self.closer.close();
    }
}

impl Watch {
    pub fn new(queue: Arc<Queue>, inner: mailtide::Watch) -> Self {
        let closer = inner.closer();
        Self { queue, inner: Arc::new(Mutex::new(inner)), closer }
    }
}

fn event_json(event: &WatchEvent) -> String {
    let cursor = event.cursor.to_string();
    let mut value = match &event.event {
        Event::New(message) => {
            return format!(
                "{{\"type\":\"new\",\"cursor\":{},\"batch\":{}}}",
                json!(cursor),
                columns::batch(std::slice::from_ref(message))
            );
        }
        Event::Flags { reference, added, removed } => {
            json!({ "type": "flags", "ref": reference_json(reference), "added": names(added), "removed": names(removed) })
        }
        Event::Removed(reference) => json!({ "type": "removed", "ref": reference_json(reference) }),
        Event::Reset { mailbox, uid_validity } => {
            json!({ "type": "reset", "mailbox": mailbox, "uidValidity": uid_validity })
        }
        Event::Gap { mailbox } => json!({ "type": "gap", "mailbox": mailbox }),
        Event::Offline(error) => json!({ "type": "offline", "error": error_json(error) }),
        Event::Online => json!({ "type": "online" }),
        Event::MailboxAdded(mailbox) => json!({ "type": "mailbox_added", "mailbox": mailbox }),
        Event::MailboxChanged(mailbox) => json!({ "type": "mailbox_changed", "mailbox": mailbox }),
        Event::MailboxRenamed { from, to } => json!({ "type": "mailbox_renamed", "before": from, "mailbox": to }),
        Event::MailboxGone(mailbox) => json!({ "type": "mailbox_gone", "mailbox": mailbox }),
        Event::Pending(id) => json!({ "type": "pending", "id": id }),
        Event::Outbox(id) => json!({ "type": "outbox", "id": id }),
        _ => json!({ "type": "other" }),
    };
    if let Some(fields) = value.as_object_mut() {
        fields.insert("cursor".to_owned(), Value::from(cursor));
    }
    value.to_string()
}

/// Flags as their words.
fn names(flags: &[Flag]) -> Vec<&str> {
    flags.iter().map(Flag::as_str).collect()
}
