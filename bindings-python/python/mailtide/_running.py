"""What every server in this process has, whatever it serves."""

from __future__ import annotations

from collections.abc import Generator
from types import TracebackType
from typing import Any, Self, TypeVar

from . import _native
from ._errors import usage
from ._types import AppPassword, ServerUser

Handle = TypeVar("Handle")


def started(handle: Handle | None) -> Handle:
    if handle is None:
        raise usage("usage.closed", "The server was not started", "Write async with Server(…), or await it")
    return handle


class Running:
    """A server in this process: where it is, who may log in, and its end.

    All users see the same mailboxes. Changes hold at once, for open connections too: whoever came in by what was taken
    away is sent away.
    """

    def __init__(self) -> None:
        self._running: _native.NativeServer | None = None

    @property
    def url(self) -> str:
        """What a client on this machine connects to: `imap://ada@127.0.0.1:1143`; with TLS `imaps://`, and with STARTTLS
        `imap+starttls://`.
        """
        return self._native.url

    @property
    def host(self) -> str:
        return self._native.address[0]

    @property
    def port(self) -> int:
        return self._native.address[1]

    async def users(self) -> list[ServerUser]:
        """All who may log in, by name."""
        return await self._native.users()

    async def set_user(self, name: str, password: str) -> None:
        """Sets a user up, or gives one another password. The store keeps a verifier of it, never the password."""
        await self._native.set_user(name, password)

    async def disable_user(self, name: str, disabled: bool = True) -> None:
        """Keeps a user out, whatever the password or token; or lets it in again."""
        await self._native.disable_user(name, disabled)

    async def remove_user(self, name: str) -> None:
        """Takes a user away, with its app passwords. The mail stays."""
        await self._native.remove_user(name)

    async def app_passwords(self, user: str) -> list[AppPassword]:
        """The app passwords of a user, by label."""
        return await self._native.app_passwords(user)

    async def add_app_password(self, user: str, label: str) -> str:
        """Makes a password for one program, which logs in with it as `user+label`. It is told here once."""
        return await self._native.add_app_password(user, label)

    async def revoke_app_password(self, user: str, label: str) -> None:
        """Takes an app password back, and sends away whoever is in by it."""
        await self._native.revoke_app_password(user, label)

    async def start(self) -> Self:
        """Starts it: what `await` and `async with` do."""
        if self._running is not None:
            raise usage("usage.argument", "The server was started already")
        self._running = await self._begin()
        return self

    async def close(self) -> None:
        """Stops listening and ends all connections. What was acknowledged is kept; closing twice is fine."""
        if self._running is not None:
            await self._end(self._running)

    async def _begin(self) -> _native.NativeServer:
        raise NotImplementedError

    async def _end(self, running: _native.NativeServer) -> None:
        await running.close()

    @property
    def _native(self) -> _native.NativeServer:
        return started(self._running)

    def __await__(self) -> Generator[Any, Any, Self]:
        return self.start().__await__()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<Server {self.url if self._running is not None else 'not started'}>"
