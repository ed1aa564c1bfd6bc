"""What is left of a message that was pickled: everything but its session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from ._errors import usage

if TYPE_CHECKING:
    from ._native import Attachment, Message

PROPERTIES = (
    "ref", "uid", "flags", "size", "received", "date", "subject", "from_", "sender", "reply_to", "to", "cc", "bcc",
    "message_id", "in_reply_to", "mod_seq", "thread", "problems",
)  # fmt: skip
PARTS = ("path", "filename", "media_type", "size", "inline", "content_id")


class Snapshot:
    """The properties of a message or attachment. What would need the server is an error that says so."""

    def __init__(self, known: dict[str, Any]) -> None:
        self.__dict__.update(known)

    def _gone(self, *args: object, **kwargs: object) -> NoReturn:
        raise usage("usage.closed", "A pickled message has no session", "Fetch it again by its ref")

    text = html = headers = raw = stream = reply = forward = bytes = save = _gone

    def __reduce__(self) -> tuple[Any, ...]:
        return Snapshot, (dict(self.__dict__),)

    def __repr__(self) -> str:
        return f"<Snapshot of {self.__dict__.get('ref') or self.__dict__.get('path')}>"


def reduce(message: Message) -> tuple[Any, ...]:
    """How a message is pickled."""
    known = {name: getattr(message, name) for name in PROPERTIES}
    return Snapshot, ({**known, "attachments": tuple(map(_attachment, message.attachments))},)


def _attachment(attachment: Attachment) -> Snapshot:
    return Snapshot({name: getattr(attachment, name) for name in PARTS})
