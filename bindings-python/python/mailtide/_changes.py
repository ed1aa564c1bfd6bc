"""What changes in a local store: one union of frozen dataclasses, for `match`. Each has a cursor to go on from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ._events import New, Removed, Reset
from ._native import MessageRef


@dataclass(frozen=True, slots=True)
class Flagged:
    """A message has other flags: these are all of them."""

    ref: MessageRef
    flags: frozenset[str]
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
    """A message to be sent has another state; see `Mail.outbox`."""

    id: int
    cursor: str


Change: TypeAlias = (
    New
    | Flagged
    | Removed
    | Reset
    | MailboxAdded
    | MailboxChanged
    | MailboxRenamed
    | MailboxGone
    | PendingChanged
    | OutgoingChanged
)
