"""A store for other mail clients: an IMAP server in this process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from os import PathLike, fspath
from typing import Any, TypeAlias, TypedDict

from . import _native
from ._errors import usage
from ._mail import Mail
from ._running import Running

#: Whether there is TLS: with a self-signed certificate (`True`), or with these files in PEM: certificates, and key.
Tls: TypeAlias = bool | tuple[str | PathLike[str], str | PathLike[str]]
#: Says whether an OAuth token lets a user in: `check(user, token)`.
TokenCheck: TypeAlias = Callable[[str, str], bool] | Callable[[str, str], Awaitable[bool]]


class ServeOptions(TypedDict):
    """As the native half takes them."""

    address: str
    user: str | None
    password: str | None
    users: list[tuple[str, str]]
    tls: bool
    files: tuple[str, str] | None
    starttls: bool
    tokens: Callable[[tuple[str, str]], Any] | None
    append_limit: int | None


class Server(Running):
    """Serves a store over IMAP to any mail client, in this process: `async with Server(…) as server`, or `await`.

    Given a path, it is the mail in that file, which is made where there is none: a mailbox of its own, with an inbox and
    the usual mailboxes. Given a `Mail`, it is a gateway: clients read and change that mailbox also while its account's
    server is away, and what they do arrives there with the next `sync`; what is not held is fetched, and refused while
    that cannot be done. The `Mail` stays yours to close.

    `user` may log in with `password`; without one a password is made, another one each time: `server.password` has it.
    `users` are further ones with their passwords. Those may log in as well who were set up before. The address is an IP
    address and a port, 0 for any free one; beyond this machine it takes `tls` and a user. `tls=True` makes a self-signed
    certificate beside the store, which `server.certificate` gives for clients to trust; with `starttls=True` a client
    begins in clear, and can only log in after STARTTLS. `append_limit` bounds the messages that clients may add, in bytes.

    With `tokens`, clients may log in with an OAuth token (OAUTHBEARER, XOAUTH2): the function is asked with the user and
    the token, where the server was started, and lets in by `True` alone. Where it raises, the client is told to try later.
    """

    def __init__(
        self,
        store: str | PathLike[str] | Mail,
        *,
        user: str | None = None,
        password: str | None = None,
        users: Mapping[str, str] | None = None,
        address: str = "127.0.0.1:0",
        tls: Tls = False,
        starttls: bool = False,
        tokens: TokenCheck | None = None,
        append_limit: int | None = None,
    ) -> None:
        super().__init__()
        if tokens is not None and not callable(tokens):
            raise usage("usage.argument", "tokens= is a function of user and token")
        self._store = store
        self._options: ServeOptions = {
            "address": address,
            "user": user,
            "password": password,
            "users": list((users or {}).items()),
            "tls": bool(tls),
            "files": None if isinstance(tls, bool) else (fspath(tls[0]), fspath(tls[1])),
            "starttls": starttls,
            "tokens": None if tokens is None else lambda asked: tokens(*asked),
            "append_limit": append_limit,
        }

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

    async def _begin(self) -> _native.NativeServer:
        if isinstance(self._store, Mail):
            return await self._store._native.serve(self._options)
        return await _native.serve(fspath(self._store), self._options)
