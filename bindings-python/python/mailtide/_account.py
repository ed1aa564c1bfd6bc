"""Accounts and how their servers are reached."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields
from os import PathLike, fspath
from pathlib import Path
from typing import Any, TypeAlias

from . import _native
from ._errors import usage
from ._types import PasswordRequest, Token, TokenRequest

#: A password, or a function that is asked for it: with nothing, or with a `PasswordRequest`.
Password: TypeAlias = (
    str
    | Callable[[], str]
    | Callable[[], Awaitable[str]]
    | Callable[[PasswordRequest], str]
    | Callable[[PasswordRequest], Awaitable[str]]
)
TokenAnswer: TypeAlias = str | Token | Mapping[str, Any]
#: An OAuth token, or a function that is asked for one, and for a newer one when it expires.
TokenSource: TypeAlias = (
    str | Callable[[TokenRequest], TokenAnswer] | Callable[[TokenRequest], Awaitable[TokenAnswer]]
)
Path_: TypeAlias = str | PathLike[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """How long things may take, in seconds; `None` is the engine's default."""

    #: TCP and TLS handshakes.
    connect: float | None = None
    #: The greeting once connected.
    greeting: float | None = None
    #: Silence of the server while a command waits; progress of any kind starts it anew.
    progress: float | None = None
    #: The same for commands that make a server work in silence, such as SEARCH and COPY.
    slow_progress: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Bounds on what a server may send; `None` is the engine's default. Lengths are in bytes."""

    line: int | None = None
    literal: int | None = None
    body: int | None = None
    depth: int | None = None
    items: int | None = None
    response: int | None = None
    literals: int | None = None
    mailboxes: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Net:
    """How servers are reached and whom we trust to be them."""

    #: `socks5://…` or `http://…`; it resolves the names.
    proxy: str | None = field(default=None, repr=False)
    #: Authorities to trust instead of the system's: a PEM file, or its content as bytes.
    ca: Path_ | bytes | None = None
    #: A PEM file with certificate chain and key, or one file each.
    client_cert: Path_ | tuple[Path_, Path_] | None = None
    #: The name that the server's certificate must carry, where it is not the host's.
    server_name: str | None = None
    timeouts: Timeouts = Timeouts()


@dataclass(frozen=True, slots=True)
class Account:
    """Where a person's mail is and how to log in.

    The URL is `imaps://user@host`, `imap+starttls://user@host`, or on this machine `imap://user@host`; user and
    password in it are percent-encoded.
    """

    url: str = field(repr=False)
    password: Password | None = field(default=None, repr=False, kw_only=True)
    token: TokenSource | None = field(default=None, repr=False, kw_only=True)
    #: A SASL mechanism to log in with, and no other; else the strongest that is offered.
    mechanism: str | None = field(default=None, kw_only=True)
    net: Net = field(default=Net(), kw_only=True)
    limits: Limits = field(default=Limits(), kw_only=True)
    #: Open mailboxes with EXAMINE, and refuse every write.
    read_only: bool = field(default=False, kw_only=True)
    #: Let mail and password cross a network unencrypted.
    allow_cleartext: bool = field(default=False, kw_only=True)

    def __repr__(self) -> str:
        shown = re.sub(r"(//[^/@:]*):[^/]*@", r"\1:…@", self.url)
        return f"Account({shown!r})"


def setup(account: Account) -> _native.AccountSetup:
    """The account as the engine takes it. Callbacks belong to the event loop that runs now."""
    made = _native.AccountSetup(account.url)
    made.modes(account.read_only, account.allow_cleartext)
    _credentials(made, account)
    if account.mechanism is not None:
        made.mechanism(account.mechanism)
    _net(made, account.net)
    bounds = {**_given(account.limits), **_given(account.net.timeouts)}
    made.limits(bounds)
    return made


def _credentials(made: _native.AccountSetup, account: Account) -> None:
    password, token = account.password, account.token
    if password is not None and token is not None:
        raise usage("usage.argument", "An account has a password or a token, not both")
    if isinstance(password, str):
        made.password(password)
    elif password is not None:
        made.ask_password(_with_request(password))
    if isinstance(token, str):
        made.ask_token(lambda request: token)
    elif token is not None:
        made.ask_token(token)


def _with_request(ask: Callable[..., Any]) -> Callable[[PasswordRequest], Any]:
    """Gives the request to those who want it: `getpass.getpass` does not."""
    from inspect import Parameter, signature

    try:
        parameters = signature(ask).parameters.values()
    except (TypeError, ValueError):
        return lambda request: ask()
    positional = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    if any(p.kind in positional and p.default is Parameter.empty for p in parameters):
        return ask
    return lambda request: ask()


def _net(made: _native.AccountSetup, net: Net) -> None:
    if net.proxy is not None:
        made.proxy(net.proxy)
    if isinstance(net.ca, str) and "-----BEGIN" in net.ca:
        made.ca_pem(net.ca.encode())
    elif isinstance(net.ca, bytes):
        made.ca_pem(net.ca)
    elif net.ca is not None:
        made.ca_file(fspath(net.ca))
    if net.client_cert is not None:
        chain, key = net.client_cert if isinstance(net.client_cert, tuple) else (net.client_cert, net.client_cert)
        made.client_certificate(Path(chain).read_bytes(), Path(key).read_text())
    if net.server_name is not None:
        made.server_name(net.server_name)


def _given(bounds: Limits | Timeouts) -> dict[str, float]:
    values = {f.name: getattr(bounds, f.name) for f in fields(bounds)}
    return {name: value for name, value in values.items() if value is not None}
