//! The change feed of a local mailbox.

use crate::columns;
use crate::queue::Queue;
use crate::reply::{Reply, reference_json};
use crate::watch::names;
use mailtide::{MailChange, MailChanges, MailEvent};
use napi_derive::napi;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::{Mutex, Notify};

/// The changes of a store.
#[napi]
pub struct Changes {
    queue: Arc<Queue>,
    inner: Arc<Mutex<MailChanges>>,
    closed: Arc<Notify>,
}

#[napi]
impl Changes {
    /// Ends with a [`Batch`](crate::messages::Batch) whose rows are the change, or with null at the end.
    #[napi]
    pub fn next(&self, id: u32) {
        let (queue, inner, closed) = (Arc::clone(&self.queue), Arc::clone(&self.inner), Arc::clone(&self.closed));
        self.queue.start(id, async move {
            let mut changes = inner.lock().await;
            let change = tokio::select! {
                change = changes.next() => change?,
                () = closed.notified() => None,
            };
            let Some(change) = change else { return Ok(Reply::Null) };
            let text = change_json(&change);
            let messages = if let MailEvent::New(message) = change.event { vec![message] } else { Vec::new() };
            Ok(Reply::Batch(text, messages, queue))
        });
    }

    /// Ends the call that waits.
    #[napi]
    pub fn close(&self) {
        self.closed.notify_one();
    }
}

impl Changes {
    pub fn new(queue: Arc<Queue>, inner: MailChanges) -> Self {
        Self { queue, inner: Arc::new(Mutex::new(inner)), closed: Arc::default() }
    }
}

fn change_json(change: &MailChange) -> String {
    let cursor = &change.cursor;
    let mut value = match &change.event {
        MailEvent::New(message) => {
            let batch = columns::batch(std::slice::from_ref(message));
            return format!("{{\"type\":\"new\",\"cursor\":{},\"batch\":{batch}}}", json!(cursor));
        }
        MailEvent::Flags { reference, flags } => {
            json!({ "type": "flags", "ref": reference_json(reference), "flags": names(flags) })
        }
        MailEvent::Removed(reference) => json!({ "type": "removed", "ref": reference_json(reference) }),
        MailEvent::Reset { mailbox, uid_validity } => {
            json!({ "type": "reset", "mailbox": mailbox, "uidValidity": uid_validity })
        }
        MailEvent::MailboxAdded(mailbox) => json!({ "type": "mailbox_added", "mailbox": mailbox }),
        MailEvent::MailboxChanged(mailbox) => json!({ "type": "mailbox_changed", "mailbox": mailbox }),
        MailEvent::MailboxRenamed { from, to } => json!({ "type": "mailbox_renamed", "from": from, "mailbox": to }),
        MailEvent::MailboxGone(mailbox) => json!({ "type": "mailbox_gone", "mailbox": mailbox }),
        MailEvent::Pending(id) => json!({ "type": "pending", "id": id }),
        MailEvent::Outbox(id) => json!({ "type": "outbox", "id": id }),
        _ => json!({ "type": "other" }),
    };
    if let Some(fields) = value.as_object_mut() {
        fields.insert("cursor".to_owned(), Value::from(cursor.as_str()));
    }
    value.to_string()
}
