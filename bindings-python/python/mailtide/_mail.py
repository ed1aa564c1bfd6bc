"""The local mailbox: a store in step with an account, which works offline."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from datetime import datetime
from os import PathLike, fspath
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeAlias

from . import _native
from ._account import Account, Net, Password, TokenSource, setup
from ._draft import Draft
from ._engine import Engine, default
from ._local import Evicted, Keep, Outgoing, Pending, SyncReport, Usage
from ._mailbox import Mailbox, Target, unwrap
from ._names import Role
from ._progress import OnProgress
from ._session import described
from ._types import MailboxInfo, MailboxStatus
from ._watch import Watch

#: How much of the messages is held here; see `Keep`.
Keeping: TypeAlias = Literal["headers", "text", "all"] | Keep


class Mail:
    """A local mailbox in step with an account, or one with nothing behind it. Safe to share between tasks.

    Reads come from disk, online or not. Writes show here at once, and are kept until `sync` or `keep_in_sync` has
    brought them to the server.
    """

    def __init__(self, native: _native.NativeMail) -> None:
        self._native = native

    @property
    def account(self) -> str | None:
        """`user@host`; `None` where there is nothing behind the store."""
        return self._native.account

    @property
    def closed(self) -> bool:
        return self._native.closed

    def mailbox(self, name: Target) -> Mailbox:
        """A mailbox by its name, by levels, or by special use. No I/O: a missing one shows when used."""
        return Mailbox(self._native.mailbox(unwrap(name)))

    async def mailboxes(
        self, pattern: str | None = None, *, subscribed: bool = False, status: bool = False
    ) -> list[MailboxInfo]:
        """All mailboxes, or those that fit a pattern (`*` and `%`); with their status where that is asked."""
        return await self._native.mailboxes(pattern, subscribed, status)

    async def create_mailbox(self, name: Target, *, role: Role | None = None, exist_ok: bool = False) -> str:
        """Creates a mailbox and gives its name."""
        return await self._native.create_mailbox(unwrap(name), role, exist_ok)

    async def rename_mailbox(self, name: Target, to: Target) -> None:
        await self._native.rename_mailbox(unwrap(name), unwrap(to))

    async def delete_mailbox(self, name: Target, *, even_if_not_empty: bool = False) -> None:
        """Deletes a mailbox. One that still holds messages or children is `mailbox.not_empty` unless you say so."""
        await self._native.delete_mailbox(unwrap(name), even_if_not_empty)

    async def subscribe(self, name: Target, *, on: bool = True) -> None:
        """Subscribes, or with `on=False` unsubscribes."""
        await self._native.subscribe(unwrap(name), on)

    async def status(self, name: Target) -> MailboxStatus:
        return await self._native.status(unwrap(name))

    async def sync(
        self, *, dry_run: bool = False, bytes_a_day: int | None = None, progress: OnProgress = None
    ) -> SyncReport:
        """Brings both sides in step, once, and says what it did; with `dry_run` what it would do, changing nothing.

        What is interrupted, by an error or by cancelling, goes on where it was with the next pass. `bytes_a_day` bounds
        the bodies that are fetched in a day, over all passes. The loss of the network is an error (`net.…`); a mailbox
        or message that cannot be read is in the report.
        """
        return await self._native.sync(dry_run, bytes_a_day, progress)

    async def keep_in_sync(self) -> None:
        """Follows the server and what is changed here until it is cancelled or the store is closed.

        A lost network is waited for; what needs a person, such as a new password, is raised.
        """
        await self._native.keep_in_sync()

    def changes(self, *, since: str = "now") -> Watch:
        """What changes in the store, whoever changed it: from now on, or from the `cursor` of an event on, without a
        gap, over restarts too.

        Keep the cursor with what you make of the events, and you see each of them once. One that is too old is
        `cursor.expired`: read everything anew, then go on from now.
        """
        return Watch(lambda: self._native.changes(since))

    async def pending(self) -> list[Pending]:
        """Local changes that the server has not confirmed, the oldest first; parked ones with their reason."""
        return await self._native.pending()

    async def retry(self, change: Pending | int) -> None:
        """Lets a parked change be tried again with the next pass."""
        await self._native.retry(_id(change))

    async def drop(self, change: Pending | int) -> None:
        """Gives a change up: the next pass makes the message here as it is on the server."""
        await self._native.drop(_id(change))

    async def usage(self) -> Usage:
        """What the store takes."""
        return await self._native.usage()

    async def evict(self, bytes: int) -> Evicted:
        """Lets bodies go that can be fetched again, the oldest first, until so many bytes are free; the file shrinks."""
        return await self._native.evict(bytes)

    async def backup(self, path: str | PathLike[str]) -> None:
        """Writes a whole copy of the store, while it is in use."""
        await self._native.backup(fspath(path))

    async def close(self) -> None:
        """Ends what runs and logs out. Pending calls get `usage.closed`; closing twice is fine."""
        await self._native.close()

    async def __aenter__(self) -> Mail:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<Mail {self.account or 'of its own'}{' closed' if self.closed else ''}>"
