"""Answers of the Python package as the plain data that conformance cases compare."""

from __future__ import annotations

import base64
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

import mailtide
from mailtide import Address, Attachment, BulkResult, Bytes, Headers, MailError, Message, MessageRef


def answer(value: Any) -> Any:
    """Anything that a call gives."""
    match value:
        case MessageRef():
            return f"{value.mailbox}/{value.uid_validity}/{value.uid}"
        case BulkResult():
            return bulk(value)
        case Bytes() | bytes():
            return content(bytes(value))
        case Headers():
            return dict(value)
        case list() | tuple():
            return [answer(one) for one in value]
        case frozenset():
            return sorted(value)
        case dict():
            return {key: answer(one) for key, one in value.items()}
        case datetime():
            return value.isoformat()
        case MailError():
            return error(value)
        case Address():
            return {"name": value.name, "email": value.email}
        case Message():
            return message(value)
        case mailtide.Snippet(text, marks):
            marked = [text[start:end] for start, end in marks]
            return {**{field.name: getattr(value, field.name) for field in fields(value)}, "marked": marked}
        case Attachment():
            names = ("path", "filename", "media_type", "size", "inline", "content_id")
            return {name: getattr(value, name) for name in names}
        case _ if is_dataclass(value):
            return {field.name.rstrip("_"): answer(getattr(value, field.name)) for field in fields(value)}
    return value


def content(data: bytes) -> Any:
    """Text where it is UTF-8, else `{"base64": …}`."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


PROPERTIES = (
    "ref", "uid", "flags", "size", "received", "date", "subject", "sender", "reply_to", "to", "cc", "bcc", "message_id",
    "in_reply_to", "thread", "attachments",
)  # fmt: skip


def message(message: Message) -> dict[str, Any]:
    known = {name: answer(getattr(message, name)) for name in PROPERTIES}
    return {**known, "from": answer(message.from_), "problems": len(message.problems)}


def bulk(result: BulkResult) -> dict[str, Any]:
    return {
        "done": {str(one.source.uid): answer(one.target) for one in result.done},
        "failed": {str(one.ref.uid): one.error.code for one in result.failed},
        "unknown": [ref.uid for ref in result.unknown],
    }


def error(error: MailError) -> dict[str, Any]:
    result = error.result if isinstance(error, mailtide.PartialError) else None
    known = {"code": error.code, "retry": error.retry, "message": error.message, "bulk": bulk(result) if result else None}
    names = ("mailbox", "uid", "server", "server_code", "position", "hint")
    return {**known, **{name: error.context.get(name) for name in names}}


def event(event: mailtide.Event) -> dict[str, Any]:
    match event:
        case mailtide.New(new):
            return {"type": "new", "ref": answer(new.ref), "uid": new.uid, "message": message(new)}
        case mailtide.Flags(ref, added, removed):
            return {"type": "flags", "uid": ref.uid, "added": sorted(added), "removed": sorted(removed)}
        case mailtide.MailboxAdded(mailbox):
            return {"type": "mailbox_added", "mailbox": mailbox}
        case mailtide.MailboxChanged(mailbox):
            return {"type": "mailbox_changed", "mailbox": mailbox}
        case mailtide.MailboxRenamed(before, mailbox):
            return {"type": "mailbox_renamed", "before": before, "mailbox": mailbox}
        case mailtide.MailboxGone(mailbox):
            return {"type": "mailbox_gone", "mailbox": mailbox}
        case mailtide.PendingChanged(id):
            return {"type": "pending", "id": id}
        case mailtide.OutgoingChanged(id):
            return {"type": "outbox", "id": id}
        case mailtide.Removed(ref):
            return {"type": "removed", "uid": ref.uid}
        case mailtide.Reset(mailbox, uid_validity):
            return {"type": "reset", "mailbox": mailbox, "uid_validity": uid_validity}
        case mailtide.Gap(mailbox):
            return {"type": "gap", "mailbox": mailbox}
        case mailtide.Offline(cause):
            return {"type": "offline", "error": error(cause)}
        case mailtide.Online():
            return {"type": "online"}
