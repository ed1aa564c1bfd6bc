//! Answers of the engine as the plain data that cases compare.

use base64::Engine as _;
use mailtide::imap::{Flag, InternalDate, Role};
use mailtide::message::{Attachment, Draft, DraftAttachment, DraftContent, EmailAddress, Headers};
use mailtide::store::KeepRule;
use mailtide::sync::{Counts, Paused, SyncReport};
use mailtide::{
    BulkResult, DeletedMessage, Event, MailError, MailHit, MailboxInfo, MailboxStatus, Message, MessageRef, Namespace,
    Namespaces, WatchEvent,
};
use mailtide::{journal, outbox};
use serde_json::{Map, Value, json};

/// `INBOX/7/3`: mailbox, UIDVALIDITY, UID.
pub fn reference(reference: &MessageRef) -> Value {
    json!(format!("{}/{}/{}", reference.mailbox, reference.uid_validity, reference.uid))
}

/// Text where it is UTF-8, else `{"base64": …}`.
pub fn bytes(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({"base64": base64::engine::general_purpose::STANDARD.encode(bytes)}),
    }
}

pub fn error(error: &MailError) -> Value {
    let context = error.context();
    json!({
        "code": error.code().as_str(), "retry": error.retry().as_str(), "message": error.message(),
        "mailbox": context.mailbox, "uid": context.uid, "server": context.server, "server_code": context.server_code,
        "position": context.position, "hint": context.hint, "bulk": error.bulk().map(bulk),
    })
}

pub fn bulk(result: &BulkResult) -> Value {
    let done = result.done.iter().map(|d| (d.source.uid.to_string(), json!(d.target.as_ref().map(reference))));
    let failed = result.failed.iter().map(|(r, e)| (r.uid.to_string(), json!(e.code().as_str())));
    let unknown: Vec<u32> = result.unknown.iter().map(|r| r.uid).collect();
    json!({"done": done.collect::<Map<_, _>>(), "failed": failed.collect::<Map<_, _>>(), "unknown": unknown})
}

pub fn status(status: &MailboxStatus) -> Value {
    json!({
        "messages": status.messages, "unseen": status.unseen, "deleted": status.deleted, "uid_next": status.uid_next,
        "uid_validity": status.uid_validity, "size": status.size, "highest_mod_seq": status.highest_mod_seq,
        "append_limit": status.append_limit, "mailbox_id": status.mailbox_id,
    })
}

pub fn info(info: &MailboxInfo) -> Value {
    json!({
        "name": info.name, "delimiter": info.delimiter, "path": info.path, "role": info.role.map(Role::as_str),
        "role_guessed": info.role_guessed, "selectable": info.selectable, "has_children": info.has_children,
        "subscribed": info.subscribed, "attributes": info.attributes, "status": info.status.as_ref().map(status),
    })
}

pub fn namespaces(all: &Namespaces) -> Value {
    let list = |some: &[Namespace]| -> Value {
        some.iter().map(|n| json!({"prefix": n.prefix, "delimiter": n.delimiter})).collect()
    };
    json!({"personal": list(&all.personal), "other_users": list(&all.other_users), "shared": list(&all.shared)})
}

pub fn message(message: &Message) -> Value {
    json!({
        "ref": reference(message.reference()), "uid": message.uid(), "flags": flags(message.flags()),
        "size": message.size(), "received": date(message.received()), "date": date(message.date()),
        "subject": message.subject(), "from": addresses(&message.from_()), "sender": addresses(&message.sender()),
        "reply_to": addresses(&message.reply_to()), "to": addresses(&message.to()), "cc": addresses(&message.cc()),
        "bcc": addresses(&message.bcc()), "message_id": message.message_id(), "in_reply_to": message.in_reply_to(),
        "thread": message.thread(),
        "attachments": message.attachments().iter().map(attachment).collect::<Value>(),
        "problems": message.problems().len(),
    })
}

/// A hit; of a snippet, what is marked as text.
pub fn hit(hit: &MailHit) -> Value {
    let snippet = hit.snippet.as_ref().map(|snippet| {
        let marked: Vec<&str> = snippet.marks.iter().map(|mark| snippet.text.get(mark.clone()).unwrap()).collect();
        let (begins, ends) = (snippet.begins_inside, snippet.ends_inside);
        json!({"text": snippet.text, "marked": marked, "begins_inside": begins, "ends_inside": ends})
    });
    json!({"message": message(&hit.message), "score": hit.score, "snippet": snippet})
}

/// `2024-02-01T12:00:00+01:00`.
fn date(date: Option<InternalDate>) -> Value {
    let zoned = date.and_then(InternalDate::to_zoned);
    json!(zoned.map(|z| z.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()))
}

fn addresses(addresses: &[EmailAddress]) -> Value {
    addresses.iter().map(|a| json!({"name": a.name, "email": a.email})).collect()
}

fn attachment(attachment: &Attachment) -> Value {
    json!({
        "path": attachment.path(), "filename": attachment.filename, "media_type": attachment.media_type,
        "size": attachment.size(), "inline": attachment.inline, "content_id": attachment.content_id,
    })
}

/// A draft.
pub fn draft(draft: &Draft) -> Value {
    let attach = |file: &DraftAttachment| {
        let content = match &file.content {
            DraftContent::Bytes(content) => bytes(content),
            DraftContent::File(path) => json!(path),
        };
        json!({"filename": file.filename, "media_type": file.media_type, "content": content})
    };
    json!({
        "to": addresses(&draft.to), "cc": addresses(&draft.cc), "subject": draft.subject, "text": draft.text,
        "in_reply_to": draft.in_reply_to, "references": draft.references,
        "attach": draft.attachments.iter().map(attach).collect::<Value>(),
    })
}

/// The first field of each name, decoded.
pub fn headers(headers: &Headers) -> Value {
    let mut fields = Map::new();
    for (name, value) in headers.iter() {
        fields.entry(name.into_owned()).or_insert_with(|| json!(value));
    }
    Value::Object(fields)
}

pub fn event(event: &WatchEvent) -> Value {
    match &event.event {
        Event::New(new) => {
            json!({"type": "new", "ref": reference(new.reference()), "uid": new.uid(), "message": message(new)})
        }
        Event::Flags { reference: r, added, removed } => {
            json!({"type": "flags", "uid": r.uid, "added": flags(added), "removed": flags(removed)})
        }
        Event::Removed(r) => json!({"type": "removed", "uid": r.uid}),
        Event::Reset { mailbox, uid_validity } => {
            json!({"type": "reset", "mailbox": mailbox, "uid_validity": uid_validity})
        }
        Event::Gap { mailbox } => json!({"type": "gap", "mailbox": mailbox}),
        Event::Offline(cause) => json!({"type": "offline", "error": error(cause)}),
        Event::Online => json!({"type": "online"}),
        Event::MailboxAdded(mailbox) => json!({"type": "mailbox_added", "mailbox": mailbox}),
        Event::MailboxChanged(mailbox) => json!({"type": "mailbox_changed", "mailbox": mailbox}),
        Event::MailboxRenamed { from, to } => json!({"type": "mailbox_renamed", "before": from, "mailbox": to}),
        Event::MailboxGone(mailbox) => json!({"type": "mailbox_gone", "mailbox": mailbox}),
        Event::Pending(id) => json!({"type": "pending", "id": id}),
        Event::Outbox(id) => json!({"type": "outbox", "id": id}),
        other => json!({"type": format!("{other:?}")}),
    }
}

/// Sorted, since flags have no order.
fn flags(flags: &[Flag]) -> Value {
    let mut names: Vec<&str> = flags.iter().map(Flag::as_str).collect();
    names.sort_unstable();
    json!(names)
}

/// What a pass did.
pub fn report(report: &SyncReport) -> Value {
    let Value::Object(mut fields) = counts(&report.total) else { panic!("counts are an object") };
    let steps = report.work.iter().map(|work| json!({"mailbox": work.mailbox, "text": work.to_string()}));
    let more = json!({
        "work": steps.collect::<Value>(), "paused": report.paused.iter().map(paused).collect::<Value>(),
        "mailboxes": report.mailboxes.iter().map(|(name, c)| (name.clone(), counts(c))).collect::<Map<_, _>>(),
        "stuck": report.stuck.iter().map(pending).collect::<Value>(), "problems": report.problems.len(),
    });
    fields.extend(more.as_object().unwrap().clone());
    Value::Object(fields)
}

fn counts(counts: &Counts) -> Value {
    json!({
        "asked": counts.asked, "added": counts.added, "removed": counts.removed, "flags": counts.flags,
        "applied": counts.applied, "superseded": counts.superseded, "parked": counts.parked, "bodies": counts.bodies,
        "bytes": counts.bytes,
    })
}

/// A mailbox that waits for a word of the user.
pub fn paused(paused: &Paused) -> Value {
    json!({"mailbox": paused.mailbox, "reason": paused.reason, "advice": paused.advice})
}

/// Which bodies are held.
pub fn keep(rule: &KeepRule) -> Value {
    json!({"what": rule.keep.as_str(), "days": rule.days, "largest": rule.largest})
}

/// A message that was deleted.
pub fn deleted(deleted: &DeletedMessage) -> Value {
    json!({
        "id": deleted.id, "subject": deleted.subject, "from": addresses(&deleted.from), "date": date(deleted.date),
        "message_id": deleted.message_id, "received": date(Some(deleted.received)), "size": deleted.size,
        "mailboxes": deleted.mailboxes, "held": deleted.held,
    })
}

/// A local change that waits.
pub fn pending(pending: &journal::Pending) -> Value {
    let entry = &pending.entry;
    json!({
        "id": entry.id, "kind": entry.intent.kind(), "mailbox": entry.intent.mailbox().name.as_str(),
        "text": entry.intent.to_string(), "state": entry.state.name(), "reason": pending.reason(),
        "why": pending.why(), "advice": pending.advice(), "server": pending.server(), "behind": pending.behind,
        "attempts": entry.attempts,
    })
}

/// A message to be sent.
pub fn outgoing(entry: &outbox::Entry) -> Value {
    let recipient = |r: &outbox::Recipient| json!({"address": r.address, "state": r.state.as_str(), "reply": r.reply});
    json!({
        "id": entry.id, "message_id": entry.message_id, "sender": entry.sender, "state": entry.state.as_str(),
        "recipients": entry.recipients.iter().map(recipient).collect::<Value>(), "attempts": entry.attempts,
        "needs_decision": entry.needs_decision(), "reply": entry.reply,
    })
}
