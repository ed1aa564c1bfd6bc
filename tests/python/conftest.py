"""A private Dovecot for the whole run, and a fresh account for each test."""

from __future__ import annotations

import asyncio
import functools
import imaplib
import ssl
import sys
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import mailtide

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from servers.dovecot import Dovecot

_numbers = count(1)


def letter(number: int, body: str = "Hello") -> bytes:
    """A small message; its number is in subject and body."""
    return (
        f"From: Grace Hopper <grace@example.org>\r\nTo: ada@example.org\r\nSubject: Letter {number}\r\n"
        f"Message-ID: <{number}@example.org>\r\nDate: Mon, 13 Oct 2025 10:00:00 +0200\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{body} {number}\r\n"
    ).encode()


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A test written as a coroutine."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


@dataclass
class Box:
    """An account of its own on the server."""

    env: dict[str, Any]
    user: str

    @property
    def url(self) -> str:
        return f"imaps://{self.user}@{self.env['host']}:{self.env['imaps_port']}"

    @property
    def password(self) -> str:
        return str(self.env["password"])

    @property
    def net(self) -> mailtide.Net:
        return mailtide.Net(ca=self.env["ca"])

    def connect(self, **options: Any) -> Any:
        return mailtide.connect(self.url, **{"password": self.password, "net": self.net, **options})

    def imaplib(self) -> imaplib.IMAP4_SSL:
        """Somebody else's client, to look at the result."""
        context = ssl.create_default_context(cafile=self.env["ca"])
        client = imaplib.IMAP4_SSL(self.env["host"], self.env["imaps_port"], ssl_context=context)
        client.login(self.user, self.password)
        return client

    def fill(self, many: int, mailbox: str = "INBOX") -> None:
        with self.imaplib() as client:
            for number in range(1, many + 1):
                client.append(mailbox, "", "", letter(number))

    def flags(self, mailbox: str = "INBOX") -> dict[int, set[str]]:
        """UID to flags, as the server has them."""
        with self.imaplib() as client:
            client.select(mailbox, readonly=True)
            lines = client.uid("FETCH", "1:*", "(FLAGS)")[1]
        found: dict[int, set[str]] = {}
        for line in lines:
            if isinstance(line, bytes) and b"UID" in line:
                uid = int(line.split(b"UID ")[1].split()[0].rstrip(b")"))
                found[uid] = set(line.split(b"FLAGS (")[1].split(b")")[0].decode().split())
        return found


@pytest.fixture(scope="session")
def dovecot() -> Iterator[dict[str, Any]]:
    with Dovecot() as server:
        yield server.env


@pytest.fixture
def box(dovecot: dict[str, Any]) -> Box:
    return Box(dovecot, f"user{next(_numbers)}")
