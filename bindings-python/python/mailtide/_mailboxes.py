"""What a session and a local store have alike: their mailboxes."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from . import _native
from ._mailbox import Mailbox, Target, unwrap
from ._names import Role
from ._types import MailboxInfo, MailboxStatus


class Mailboxes:
    """A `Session` or a `Mail`, for who does not care which."""

    def __init__(self, native: _native.NativeMailboxes) -> None:
        self._common = native

    @property
    def closed(self) -> bool:
        return self._common.closed

    def mailbox(self, name: Target) -> Mailbox:
        """A mailbox by its own name, by levels, or by special use. No I/O: a missing one shows when used."""
        return Mailbox(self._common.mailbox(unwrap(name)))

    async def mailboxes(
        self, pattern: str | None = None, *, subscribed: bool = False, status: bool = False
    ) -> list[MailboxInfo]:
        """All mailboxes, or those that fit a pattern (`*` and `%`); with their status where that is asked."""
        return await self._common.mailboxes(pattern, subscribed, status)

    async def create_mailbox(self, name: Target, *, role: Role | None = None, exist_ok: bool = False) -> str:
        """Creates a mailbox and gives its name."""
        return await self._common.create_mailbox(unwrap(name), role, exist_ok)

    async def rename_mailbox(self, name: Target, to: Target) -> None:
        await self._common.rename_mailbox(unwrap(name), unwrap(to))

    async def delete_mailbox(self, name: Target, *, even_if_not_empty: bool = False) -> None:
        """Deletes a mailbox. One that still holds messages or children is `mailbox.not_empty` unless you say so."""
        await self._common.delete_mailbox(unwrap(name), even_if_not_empty)

    async def subscribe(self, name: Target, *, on: bool = True) -> None:
        """Subscribes, or with `on=False` unsubscribes."""
        await self._common.subscribe(unwrap(name), on)

    async def status(self, name: Target) -> MailboxStatus:
        return await self._common.status(unwrap(name))

    async def close(self) -> None:
        """Ends what runs and logs out. Pending calls get `usage.closed`; closing twice is fine."""
        await self._common.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
