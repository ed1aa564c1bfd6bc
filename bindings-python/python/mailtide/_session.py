"""Live IMAP with one account."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any

from . import _native
from ._account import Account, Net, Password, TokenSource, setup
from ._engine import Engine, default
from ._errors import usage
from ._mailboxes import Mailboxes
from ._types import Namespaces, RawReply


class Session(Mailboxes):
    """A small pool of connections to one account. Safe to share between tasks; nothing is stored."""

    def __init__(self, native: _native.NativeSession) -> None:
        super().__init__(native)
        self._native = native

    @property
    def account(self) -> str:
        """`user@host`, as in a `MessageRef`."""
        return self._native.account

    async def namespaces(self) -> Namespaces:
        return await self._native.namespaces()

    async def id(self, fields: Mapping[str, str | None] | None = None) -> dict[str, str | None]:
        """Says who we are (ID, RFC 2971), and gives what the server says of itself."""
        return dict(await self._native.id(list((fields or {}).items())))

    async def capabilities(self) -> list[str]:
        return await self._native.capabilities()

    async def noop(self) -> None:
        """Asks the server for a sign of life."""
        await self._native.noop()

    async def raw(self, command: str) -> RawReply:
        """Sends one command as it is, without its tag, and gives what came back."""
        return await self._native.raw(command)

    def __repr__(self) -> str:
        return f"<Session {self.account}{' closed' if self.closed else ''}>"


class Connecting:
    """A login that has not begun: `await` it for a session, or use it in `async with`, which closes the session."""

    def __init__(self, account: Account, engine: Engine | None) -> None:
        self._account = account
        self._engine = engine
        self._session: Session | None = None

    async def open(self) -> Session:
        """Logs in."""
        engine = self._engine or default()
        return Session(await engine._native.connect(setup(self._account)))

    def __await__(self) -> Generator[Any, Any, Session]:
        return self.open().__await__()

    async def __aenter__(self) -> Session:
        self._session = await self.open()
        return self._session

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()


def connect(
    account: str | Account,
    *,
    password: Password | None = None,
    token: TokenSource | None = None,
    mechanism: str | None = None,
    net: Net | None = None,
    read_only: bool | None = None,
    allow_cleartext: bool | None = None,
    engine: Engine | None = None,
) -> Connecting:
    """Logs in to an account, given by its URL or as an `Account`: `async with connect(…) as session`, or `await`.

    A password is a string or a function that is asked for it. `token` is an OAuth token or, better, a function that is
    given a `TokenRequest` and returns one; it is asked again when the token expires. Functions may be async, and are
    called on the event loop that runs now. `imap://` without encryption is refused but for loopback, unless
    `allow_cleartext`.
    """
    given: dict[str, Any] = {
        "password": password,
        "token": token,
        "mechanism": mechanism,
        "net": net,
        "read_only": read_only,
        "allow_cleartext": allow_cleartext,
    }
    return Connecting(described(account, given), engine)


def described(account: str | Account, given: Mapping[str, Any]) -> Account:
    """The account with what was given beside it."""
    given = {name: value for name, value in given.items() if value is not None}
    if isinstance(account, str):
        return Account(account, **given)
    if not isinstance(account, Account):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise usage("usage.address", "An account is a URL or an Account")
    return replace(account, **given) if given else account
