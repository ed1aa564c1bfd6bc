"""What happens in a watched mailbox, live or local, or anywhere in a local store: one union of frozen dataclasses, for
`match`. Each has a cursor to go on from. `MailboxAdded` and what follows it are told of a store alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ._errors import MailError
from ._native import Message, MessageRef


@dataclass(frozen=True, slots=True)
class New:
    """A message has arrived."""

    message: Message
    #: Give it to `watch(since=…)` or `changes(since=…)` to go on after this event.
    cursor: str


@dataclass(frozen=True, slots=True)
class Flags:
    """Flags of a message have changed."""

    ref: MessageRef
    added: frozenset[str]
    removed: frozenset[str]
    cursor: str


@dataclass(frozen=True, slots=True)
class Removed:
    """A message is gone."""

    ref: MessageRef
    cursor: str


@dataclass(frozen=True, slots=True)
class Reset:
    """The mailbox has a new UIDVALIDITY: what is known of it means nothing any more."""

    mailbox: str
    uid_validity: int
    cursor: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Changes may have been missed; what is there now should be read again."""

    mailbox: str
    cursor: str


@dataclass(frozen=True, slots=True)
class Offline:
    """The connection was lost; it is being made anew. Of a store: `keep_in_sync` cannot reach the server."""

    error: MailError
    cursor: str


@dataclass(frozen=True, slots=True)
class Online:
    """The connection is back."""

    cursor: str


@dataclass(frozen=True, slots=True)
class MailboxAdded:
    """A mailbox is new."""

    mailbox: str
    cursor: str


@dataclass(frozen=True, slots=True)
class MailboxChanged:
    """A mailbox has another state, role or subscription."""

    mailbox: str
    cursor: str


@dataclass(frozen=True, slots=True)
class MailboxRenamed:
    """A mailbox has another name."""

    before: str
    mailbox: str
    cursor: str


@dataclass(frozen=True, slots=True)
class MailboxGone:
    """A mailbox is gone, with all in it."""

    mailbox: str
    cursor: str


@dataclass(frozen=True, slots=True)
class PendingChanged:
    """A local change has another state; see `Mail.pending`."""

    id: int
    cursor: str


@dataclass(frozen=True, slots=True)
class OutgoingChanged:
    """A message to be sent has another state; see `Mail.outgoing`."""

    id: int
    cursor: str


Event: TypeAlias = (
    New
    | Flags
    | Removed
    | Reset
    | Gap
    | Offline
    | Online
    | MailboxAdded
    | MailboxChanged
    | MailboxRenamed
    | MailboxGone
    | PendingChanged
    | OutgoingChanged
)
