"""Messages of one mailbox: read, write, watch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from . import _native
from ._append import Content, sources
from ._errors import usage
from ._messages import Messages
from ._native import Message, MessageRef, Q, UidSet
from ._names import Role
from ._progress import OnProgress
from ._types import BulkResult, MailboxInfo, MailboxStatus
from ._watch import Watch

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

Part = Literal["text", "html", "headers", "raw"]
Column = Literal[
    "uid", "ref", "flags", "received", "size", "date", "subject", "from_", "sender", "reply_to", "to", "cc", "bcc",
    "message_id", "in_reply_to", "thread", "attachments",
]  # fmt: skip
Order = Literal["oldest", "newest"]

#: One message, however it is named.
One: TypeAlias = Message | MessageRef | int
#: What a write takes. A bare string is refused: `delete("123")` must not be a search.
Chosen: TypeAlias = One | Iterable[One] | UidSet | Q
#: What a read takes: a query as well.
Selection: TypeAlias = Chosen | str


#: `limit, partial, create, tz` and `parts, columns, limit, order, exact, tz, progress`, as the native half takes them.
WriteOptions: TypeAlias = tuple[int | None, bool, bool, str | None]
FetchOptions: TypeAlias = tuple[list[str], list[str] | None, int | None, str, bool, str | None, OnProgress]


class Mailbox:
    """A mailbox by its name. Making one does no I/O; every call opens it as it needs to."""

    def __init__(self, native: _native.NativeMailbox) -> None:
        self._native = native

    @property
    def name(self) -> str:
        """How it was named."""
        return self._native.label

    def fetch(
        self,
        selection: Selection | None = None,
        *,
        parts: Iterable[Part] = (),
        columns: Iterable[Column] | None = None,
        limit: int | None = None,
        order: Order = "oldest",
        exact: bool = False,
        tz: str | ZoneInfo | None = None,
        progress: OnProgress = None,
    ) -> Messages:
        """The messages that a selection names, all of them for `None`. Reading marks nothing as seen.

        `parts` loads content ahead, `columns` restricts what is asked of the server. With `exact` the engine matches
        words itself where a server might match them otherwise. `tz` is what `after:`, `before:` and `on:` mean.
        """
        options = (_words("parts", parts), None if columns is None else _words("columns", columns), limit, order)
        return Messages(self._native.fetch(selection, (*options, exact, zone(tz), progress)))

    async def count(self, selection: Selection | None = None, *, tz: str | ZoneInfo | None = None) -> int:
        """How many messages a selection names."""
        return await self._native.count(selection, zone(tz))

    async def search(
        self, selection: Selection | None = None, *, exact: bool = False, tz: str | ZoneInfo | None = None
    ) -> list[MessageRef]:
        """The refs of the messages that a selection names, by ascending UID."""
        return await self._native.search(selection, exact, zone(tz))

    async def status(self) -> MailboxStatus:
        return await self._native.status()

    async def flag(
        self,
        selection: Chosen,
        *,
        add: str | Iterable[str] | None = None,
        remove: str | Iterable[str] | None = None,
        set: str | Iterable[str] | None = None,
        limit: int | None = None,
        partial: Literal["raise", "return"] = "raise",
        tz: str | ZoneInfo | None = None,
    ) -> BulkResult:
        """Adds and removes flags; or `set`, which goes without the others, replaces them all."""
        return await self._native.flag(selection, add, remove, set, _write(limit, partial, False, tz))

    async def move(
        self,
        selection: Chosen,
        to: Target,
        *,
        create: bool = False,
        limit: int | None = None,
        partial: Literal["raise", "return"] = "raise",
        tz: str | ZoneInfo | None = None,
    ) -> BulkResult:
        """Moves messages; with `create` the target is created if it is missing."""
        return await self._native.move(selection, unwrap(to), _write(limit, partial, create, tz))

    async def copy(
        self,
        selection: Chosen,
        to: Target,
        *,
        create: bool = False,
        limit: int | None = None,
        partial: Literal["raise", "return"] = "raise",
        tz: str | ZoneInfo | None = None,
    ) -> BulkResult:
        """Copies messages; with `create` the target is created if it is missing."""
        return await self._native.copy(selection, unwrap(to), _write(limit, partial, create, tz))

    async def delete(
        self,
        selection: Chosen,
        *,
        limit: int | None = None,
        partial: Literal["raise", "return"] = "raise",
        tz: str | ZoneInfo | None = None,
    ) -> BulkResult:
        """Moves messages to the Trash. Without one, or there already, that is an error: see `expunge()`."""
        return await self._native.delete(selection, _write(limit, partial, False, tz))

    async def expunge(
        self,
        selection: Chosen,
        *,
        limit: int | None = None,
        partial: Literal["raise", "return"] = "raise",
        tz: str | ZoneInfo | None = None,
    ) -> BulkResult:
        """Removes messages for good: these and no others (UID EXPUNGE)."""
        return await self._native.expunge(selection, _write(limit, partial, False, tz))

    async def append(
        self,
        message: Content,
        *,
        flags: str | Iterable[str] = (),
        received: datetime | None = None,
        create: bool = False,
        progress: OnProgress = None,
    ) -> MessageRef | None:
        """Adds a message: bytes, a path, a file, an iterable of chunks (async or not), or an `EmailMessage`.

        Gives its ref where the server tells it (UIDPLUS).
        """
        async with sources([message]) as ready:
            refs = await self._native.append(ready, flags, received, create, progress)
        return refs[0]

    async def append_many(
        self,
        messages: Iterable[Content],
        *,
        flags: str | Iterable[str] = (),
        received: datetime | None = None,
        create: bool = False,
        progress: OnProgress = None,
    ) -> list[MessageRef | None]:
        """Adds many messages, in few commands where the server has MULTIAPPEND."""
        async with sources(messages) as ready:
            return await self._native.append(ready, flags, received, create, progress)

    def watch(self, *, since: str = "now", poll: int | None = None) -> Watch:
        """What happens from now on, with `since="all"` also what is there, or from the `cursor` of an event on.

        Use it in `async with`, or just iterate. Of a session it has a connection of its own and survives a lost network;
        `poll` is how often to ask, in seconds, where the server has no IDLE. Of a store it tells what changes here,
        without a gap over restarts too, as `Mail.changes` does of all mailboxes.
        """
        return Watch(lambda: self._native.watch(since, poll))

    def __repr__(self) -> str:
        return f"<Mailbox {self.name!r}>"


#: A mailbox: the server's exact name, levels of the hierarchy, or what it is for.
Target: TypeAlias = str | Sequence[str] | Role | Mailbox | MailboxInfo


def unwrap(target: Target | None) -> Any:
    """The target as the native half takes it."""
    if isinstance(target, Mailbox):
        return target._native
    return target.name if isinstance(target, MailboxInfo) else target


def _words(name: str, words: Iterable[str]) -> list[str]:
    if isinstance(words, str):
        raise usage("usage.argument", f"{name}= takes several words", f"Write {name}=[{words!r}]")
    return list(words)


def zone(tz: str | ZoneInfo | None) -> str | None:
    return tz if tz is None or isinstance(tz, str) else tz.key


def _write(limit: int | None, partial: str, create: bool, tz: str | ZoneInfo | None) -> WriteOptions:
    if partial not in ("raise", "return"):
        raise usage("usage.argument", 'partial= is "raise" or "return"')
    return limit, partial == "return", create, zone(tz)
