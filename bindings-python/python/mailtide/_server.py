"""A store for other mail clients: an IMAP server in this process."""

from __future__ import annotations

from collections.abc import Generator
from os import PathLike, fspath
from types import TracebackType
from typing import Any, Self, TypeAlias

from . import _native
from ._errors import usage
from ._mail import Mail

#: Whether there is TLS: with a self-signed certificate (`True`), or with these files in PEM: certificates, and key.
Tls: TypeAlias = bool | tuple[str | PathLike[str], str | PathLike[str]]


class Server:
    """Serves a store over IMAP to any mail client, in this process: `async with Server(…) as server`, or `await`.

    Given a path, it is the mail in that file, which is made where there is none: a mailbox of its own, with an inbox and
    the usual mailboxes. Given a `Mail`, it is a gateway: clients read and change that mailbox also while its account's
    server is away, and what they do arrives there with the next `sync`; what is not held is fetched, and refused while
    that cannot be done. The `Mail` stays yours to close.

    `user` may log in with `password`; without one a password is made, another one each time: `server.password` has it.
    Without a user those may log in who were set up before. The address is an IP address and a port, 0 for any free one;
    beyond this machine it takes `tls` and a user. `tls=True` makes a self-signed certificate beside the store, which
    `server.certificate` gives for clients to trust. `append_limit` bounds the messages that clients may add, in bytes.
    """

    def __init__(
        self,
        store: str | PathLike[str] | Mail,
        *,
        user: str | None = None,
        password: str | None = None,
        address: str = "127.0.0.1:0",
        tls: Tls = False,
        append_limit: int | None = None,
    ) -> None:
        self._store = store
        files = None if isinstance(tls, bool) else (fspath(tls[0]), fspath(tls[1]))
        self._options = (address, user, password, bool(tls), files, append_limit)
        self._running: _native.NativeServer | None = None

    @property
    def url(self) -> str:
        """What a client on this machine connects to: `imap://ada@127.0.0.1:1143`, and `imaps://` with TLS."""
        return self._native.url

    @property
    def host(self) -> str:
        return self._native.address[0]

    @property
    def port(self) -> int:
        return self._native.address[1]

    @property
    def user(self) -> str | None:
        return self._native.user

    @property
    def password(self) -> str | None:
        """The password of that user, given or made."""
        return self._native.password

    @property
    def certificate(self) -> str | None:
        """The certificate in PEM, for `Net(ca=…)`; `None` without TLS."""
        return self._native.certificate

    async def start(self) -> Self:
        """Starts it: what `await` and `async with` do."""
        if self._running is not None:
            raise usage("usage.argument", "The server was started already")
        if isinstance(self._store, Mail):
            self._running = await self._store._native.serve(self._options)
        else:
            self._running = await _native.serve(fspath(self._store), self._options)
        return self

    async def close(self) -> None:
        """Stops listening and ends all connections. What was acknowledged is kept; closing twice is fine."""
        if self._running is not None:
            await self._running.close()

    @property
    def _native(self) -> _native.NativeServer:
        if self._running is None:
            raise usage("usage.closed", "The server was not started", "Write async with Server(…), or await it")
        return self._running

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
