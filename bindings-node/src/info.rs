//! What a server says of its mailboxes, as JSON.

use mailtide::{MailboxInfo, MailboxStatus, Namespace, Namespaces, RawReply};
use serde_json::{Value, json};

pub fn info_json(info: &MailboxInfo) -> Value {
    json!({
        "name": info.name,
        "delimiter": info.delimiter,
        "path": info.path,
        "role": info.role.map(mailtide::imap::Role::as_str),
        "roleGuessed": info.role_guessed,
        "selectable": info.selectable,
        "hasChildren": info.has_children,
        "subscribed": info.subscribed,
        "attributes": info.attributes,
        "status": info.status.as_ref().map(status_json),
    })
}

/// Numbers of 63 bits are text: JavaScript's numbers have 53.
pub fn status_json(status: &MailboxStatus) -> Value {
    json!({
        "messages": status.messages,
        "unseen": status.unseen,
        "deleted": status.deleted,
        "uidNext": status.uid_next,
        "uidValidity": status.uid_validity,
        "size": status.size,
        "highestModSeq": status.highest_mod_seq.map(|n| n.to_string()),
        "appendLimit": status.append_limit,
        "mailboxId": status.mailbox_id,
    })
}

pub fn namespaces_json(namespaces: &Namespaces) -> Value {
    let list = |those: &[Namespace]| -> Value {
        those.iter().map(|n| json!({ "prefix": n.prefix, "delimiter": n.delimiter })).collect()
    };
    json!({
        "personal": list(&namespaces.personal),
        "otherUsers": list(&namespaces.other_users),
        "shared": list(&namespaces.shared),
    })
}

pub fn raw_json(reply: &RawReply) -> Value {
    json!({ "untagged": reply.untagged, "text": reply.text })
}
