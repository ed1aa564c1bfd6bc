"""The servers that the behaviour suite runs on, and an account of its own for each test."""

import imaplib
import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import mailgen
import mailtide
from mailtide import Net
from servers.cyrus import Cyrus
from servers.dovecot import Dovecot

SERVERS = {
    "dovecot": Dovecot,
    "dovecot-maildir": lambda: Dovecot(maildir=True, plugins=True),
    "cyrus": Cyrus,
}
NUMBERS = itertools.count(1)


@dataclass
class Place:
    """An account: through Mailtide, and through imaplib, which shares no code with it."""

    env: dict[str, Any]
    user: str
    witness: imaplib.IMAP4

    def connect(self, scheme: str = "imaps", **options: Any) -> Any:
        port = self.env["imaps_port" if scheme == "imaps" else "imap_port"]
        url = f"{scheme}://{self.user}@{self.env['host']}:{port}"
        options = {"password": self.env["password"]} | options
        return mailtide.connect(url, net=Net(ca=self.env["ca"]), **options)

    def put(self, count: int, mailbox: str = "INBOX") -> list[bytes]:
        """Small messages, numbered from 1, and what they are."""
        raws = [b"Message-ID: <%d@test>\r\nSubject: Letter %d\r\n\r\nHello %d\r\n" % (n, n, n) for n in range(1, count + 1)]
        for raw in raws:
            assert self.witness.append(mailbox, "", "", raw)[0] == "OK"
        return raws

    def ask(self, mailbox: str, criteria: str = "ALL") -> list[int]:
        """UIDs by imaplib, in a mailbox that it opens anew."""
        word, answer = self.witness.select(mailbox, readonly=True)
        assert word == "OK", answer
        return [int(uid) for uid in self.witness.uid("SEARCH", criteria)[1][0].split()]

    def flags(self, mailbox: str, uid: int) -> set[str]:
        self.witness.select(mailbox, readonly=True)
        row = self.witness.uid("FETCH", str(uid), "(FLAGS)")[1][0]
        return {flag.decode() for flag in imaplib.ParseFlags(row)} - {"\\Recent"}

    def raw(self, mailbox: str, uid: int) -> bytes:
        self.witness.select(mailbox, readonly=True)
        return self.witness.uid("FETCH", str(uid), "(BODY.PEEK[])")[1][0][1]


@pytest.fixture(scope="module", params=list(SERVERS))
def env(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    with SERVERS[request.param]() as server:
        yield server.env


@pytest.fixture
def place(env: dict[str, Any]) -> Iterator[Place]:
    user = f"tester{next(NUMBERS)}"
    with mailgen.connect(env, user) as witness:
        yield Place(env, user, witness)
