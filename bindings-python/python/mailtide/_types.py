"""Plain data that calls return: frozen, comparable, picklable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ._errors import MailError
from ._names import Role
from ._native import MessageRef


@dataclass(frozen=True, slots=True)
class Done:
    """One message that a write has reached."""

    source: MessageRef
    #: Where a copy or move has put it; `None` where the server does not say or nothing moved.
    target: MessageRef | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """One message for which a write did not happen, and why."""

    ref: MessageRef
    error: MailError


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What a write on many messages has come to."""

    done: tuple[Done, ...] = ()
    failed: tuple[Failed, ...] = ()
    #: Messages for which the connection was lost before the answer: it may or may not have happened.
    unknown: tuple[MessageRef, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything was done."""
        return not self.failed and not self.unknown

    def __repr__(self) -> str:
        return f"<BulkResult: {len(self.done)} done, {len(self.failed)} failed, {len(self.unknown)} unknown>"

    def _repr_html_(self) -> str:
        from ._views import bulk_html

        return bulk_html(self)


class Headers(Mapping[str, str]):
    """The header of a message, decoded. Names have no case; the first field of a name is its value.

    Iterating gives each name once, as it was written first; `fields` has all, in order, and repeated ones.
    """

    __slots__ = ("fields", "_first")

    def __init__(self, fields: Iterable[tuple[str, str]]) -> None:
        self.fields = tuple(fields)
        self._first: dict[str, tuple[str, str]] = {}
        for name, value in self.fields:
            self._first.setdefault(name.lower(), (name, value))

    def __getitem__(self, name: str) -> str:
        return self._first[name.lower()][1]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._first

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._first.values())

    def __len__(self) -> int:
        return len(self._first)

    def get_all(self, name: str) -> list[str]:
        """The values of every field of this name."""
        return [value for field, value in self.fields if field.lower() == name.lower()]

    def __repr__(self) -> str:
        return f"<Headers: {', '.join(self)}>"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long call has come: reported at most ten times a second, and at the end."""

    phase: str
    #: Mailboxes, messages, changes, or bytes of one body; and of how many where that is known.
    done: int
    total: int | None
    #: Bytes that have crossed the network for this call.
    bytes: int
    #: Of `Mail.sync`: the mailbox that it is at, bytes a second, and seconds that the phase may still take; `None`
    #: before that can be said.
    mailbox: str | None = None
    rate: float | None = None
    remaining: float | None = None


@dataclass(frozen=True, slots=True)
class MailboxStatus:
    """STATUS of a mailbox. What a server does not tell is `None`."""

    messages: int | None = None
    unseen: int | None = None
    deleted: int | None = None
    uid_next: int | None = None
    uid_validity: int | None = None
    size: int | None = None
    highest_mod_seq: int | None = None
    append_limit: int | None = None
    mailbox_id: str | None = None


@dataclass(frozen=True, slots=True)
class MailboxInfo:
    """A mailbox as LIST describes it."""

    name: str
    delimiter: str | None
    path: tuple[str, ...]
    role: Role | None
    #: Whether the role was guessed from a well-known name, since the server does not say.
    role_guessed: bool
    selectable: bool
    has_children: bool | None
    subscribed: bool | None
    attributes: tuple[str, ...]
    status: MailboxStatus | None = None

    def __post_init__(self) -> None:
        if self.role is not None:
            object.__setattr__(self, "role", Role(self.role))


@dataclass(frozen=True, slots=True)
class Namespace:
    """What the names of some mailboxes begin with, and their delimiter."""

    prefix: str
    delimiter: str | None


@dataclass(frozen=True, slots=True)
class Namespaces:
    """NAMESPACE (RFC 2342)."""

    personal: tuple[Namespace, ...] = ()
    other_users: tuple[Namespace, ...] = ()
    shared: tuple[Namespace, ...] = ()


@dataclass(frozen=True, slots=True)
class RawReply:
    """The answer to a raw command: untagged responses, and the text of the tagged OK."""

    untagged: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Stats:
    """What an engine has done so far."""

    connections: int
    opened: int
    commands: int
    bytes_in: int
    bytes_out: int


@dataclass(frozen=True, slots=True)
class PasswordRequest:
    """Whose password is asked for."""

    user: str
    host: str


@dataclass(frozen=True, slots=True)
class ServerUser:
    """Somebody who may log in to a `Server`."""

    name: str
    #: Kept out for now.
    disabled: bool


@dataclass(frozen=True, slots=True)
class AppPassword:
    """A password for one program, without the password itself. Of `ada`, the program logs in as `ada+label`."""

    label: str
    created: datetime


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """Why a token is needed: what a `token=` callback is given."""

    user: str
    host: str
    reason: Literal["first", "expired", "rejected"]
    #: The token used before, so that the callback does not give it again.
    previous: str | None = None

    def __repr__(self) -> str:
        return f"TokenRequest(user={self.user!r}, host={self.host!r}, reason={self.reason!r})"


@dataclass(frozen=True, slots=True)
class Token:
    """A token and when it ends. A callback may return it, a dict with the same keys, or a plain string."""

    token: str
    expires_at: datetime | float | None = None

    def __repr__(self) -> str:
        return f"Token(…, expires_at={self.expires_at!r})"

    def __getstate__(self) -> Any:
        raise TypeError("a token is not pickled")
