"""What happens in a watched mailbox: one union of frozen dataclasses, for `match`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ._errors import MailError
from ._native import Message, MessageRef


@dataclass(frozen=True, slots=True)
class New:
    """A message has arrived."""

    message: Message
    #: Give it to `watch(since=…)` to go on after this event.
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
    """The connection was lost; it is being made anew."""

    error: MailError
    cursor: str


@dataclass(frozen=True, slots=True)
class Online:
    """The connection is back."""

    cursor: str


Event: TypeAlias = New | Flags | Removed | Reset | Gap | Offline | Online
