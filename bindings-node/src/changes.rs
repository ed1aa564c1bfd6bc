//! The change feed of a local mailbox.

use crate::columns;
use crate::queue::Queue;
use crate::reply::{Reply, reference_json};
use crate::watch::names;
use mailtide::{MailChange, MailChanges, MailEvent, Result};
use napi_derive::napi;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::{Mutex, watch};

/// The changes of a store.
#[napi]
pub struct Changes {
    queue: Arc<Queue>,
    inner: Arc<Mutex<Feed>>,
    closed: watch::Sender<bool>,
}

/// The feed, and what fixing its beginning has found already.
struct Feed {
    changes: MailChanges,
    found: Option<MailChange>,
}

#[napi]
impl Changes {
    /// Ends when it is fixed where the feed begins.
    #[napi]
    pub fn ready(&self, id: u32) {
        let inner = Arc::clone(&self.inner);
        self.queue.start(id, async move { inner.lock().await.ready().await.map(Reply::from) });
    }

    /// Ends with a [`Batch`](crate::messages::Batch) whose rows are the change, or with null at the end.
    #[napi]
    pub fn next(&self, id: u32) {
        let (queue, inner, mut closed) = (Arc::clone(&self.queue), Arc::clone(&self.inner), self.closed.subscribe());
        self.queue.start(id, async move {
            let mut feed = inner.lock().await;
            let change = tokio::select! {
                change = feed.next() => change?,
                _ = closed.wait_for(|closed| *closed) => None,
            };
            let Some(change) = change else { return Ok(Reply::Null) };
            let text = change_json(&change);
            let messages = if let MailEvent::New(message) = change.event { vec![message] } else { Vec::new() };
            Ok(Reply::Batch(text, messages, queue))
        });
    }

    /// Ends the call that waits, and later ones.
    #[napi]
    pub fn close(&self) {
        self.closed.send_replace(true);
    }
}

impl Changes {
    pub fn new(queue: Arc<Queue>, inner: MailChanges) -> Self {
        let feed = Feed { changes: inner, found: None };
        Self { queue, inner: Arc::new(Mutex::new(feed)), closed: watch::Sender::new(false) }
    }
}

impl Feed {
    async fn ready(&mut self) -> Result<()> {
        if self.found.is_none() {
            self.found = self.changes.at_hand().await?;
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<MailChange>> {
        match self.found.take() {
            Some(change) => Ok(Some(change)),
            None => self.changes.next().await,
        }
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
        MailEvent::MailboxRenamed { from, to } => json!({ "type": "mailbox_renamed", "before": from, "mailbox": to }),
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
