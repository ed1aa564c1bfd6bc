"""The private Dovecot of the benchmarks: filled once a run of them, with what each task needs."""

import imaplib
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from mailgen import messages
from servers.dovecot import Dovecot

#: How much a message of `huge` is written at once.
PIECE = 1 << 20
#: Messages of INBOX in an account of many mailboxes.
BOX = 500


class Server:
    """Accounts: `mail` has generated messages; others are made for a task."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.dovecot = Dovecot()
        self.env: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self.env = self.dovecot.__enter__().env
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.dovecot.__exit__(kind, error, traceback)

    def port(self, tls: bool) -> int:
        return int(self.env["imaps_port" if tls else "imap_port"])

    def settings(self, tls: bool, user: str, port: int, count: int) -> dict[str, str]:
        """What every peer is told."""
        return {
            "BENCH_HOST": "localhost" if tls else "127.0.0.1",
            "BENCH_PORT": str(port),
            "BENCH_TLS": str(int(tls)),
            "BENCH_CA": str(self.env["ca"]),
            "BENCH_USER": user,
            "BENCH_PASS": self.env["password"],
            "BENCH_BOX": "INBOX",
            "BENCH_N": str(count),
            "BENCH_SMALL": str(self.home / "small"),
            "BENCH_FILE": str(self.home / "huge.eml"),
            "NODE_EXTRA_CA_CERTS": str(self.env["ca"]),
        }

    @contextmanager
    def client(self, user: str) -> Iterator[imaplib.IMAP4]:
        client = imaplib.IMAP4("127.0.0.1", self.port(tls=False))
        client.login(user, self.env["password"])
        client.select("INBOX")
        yield client
        client.logout()

    def fill(self, user: str, count: int) -> None:
        """Generated messages into INBOX, asked for once so that the server has them in its cache."""
        with self.client(user) as client:
            for mail in messages(count):
                received = imaplib.Time2Internaldate(mail.received)
                client.append("INBOX", " ".join(mail.flags), received, mail.raw)
            client.select("INBOX")
            for first in range(1, count + 1, 1000):
                client.fetch(f"{first}:{min(first + 999, count)}", "(ENVELOPE BODYSTRUCTURE INTERNALDATE RFC822.SIZE)")

    def write_small(self, count: int) -> None:
        """Messages to append, each after its length."""
        with (self.home / "small").open("wb") as file:
            for mail in messages(count, seed=3):
                file.write(struct.pack(">I", len(mail.raw)) + mail.raw)

    def write_huge(self, size: int) -> None:
        """A message of just this size, lines of text."""
        line = b"The moth was in relay 70, and this line says so again and again, until it is full.\r\n"
        block = line * (PIECE // len(line))
        with (self.home / "huge.eml").open("wb") as file:
            left = size - file.write(b"Subject: huge\r\nContent-Type: text/plain\r\n\r\n")
            while left > 0:
                left -= file.write(block[:left])

    def append_huge(self, user: str) -> None:
        """That message into INBOX, without holding it: what a peer inherits counts as its memory."""
        file = self.home / "huge.eml"
        with socket.create_connection(("127.0.0.1", self.port(tls=False))) as connection:
            answers = connection.makefile("rb")
            login = f"a LOGIN {user} {self.env['password']}\r\n"
            for command in (login, f"b APPEND INBOX {{{file.stat().st_size}}}\r\n"):
                answers.readline()
                connection.sendall(command.encode())
            while not answers.readline().startswith(b"+"):
                pass
            with file.open("rb") as content:
                connection.sendfile(content)
            connection.sendall(b"\r\n")
            assert answers.readline().startswith(b"b OK")

    def fill_boxes(self, user: str, mailboxes: int) -> None:
        """So many mailboxes beside INBOX, a few messages in each."""
        mails = messages(mailboxes + BOX, seed=4)
        with self.client(user) as client:
            for _ in range(BOX):
                client.append("INBOX", None, None, next(mails).raw)
            for number in range(mailboxes - 1):
                client.create(f"box{number:03}")
                client.append(f"box{number:03}", None, None, next(mails).raw)

    def change(self, user: str) -> None:
        """What somebody else does to INBOX: flags of 100 messages, 10 expunged, 20 new."""
        with self.client(user) as client:
            uids = client.uid("SEARCH", "ALL")[1][0].split()
            flagged = client.uid("SEARCH", "FLAGGED")[1][0].split()
            change = "-FLAGS.SILENT" if flagged else "+FLAGS.SILENT"
            client.uid("STORE", b",".join(uids[10:110]).decode(), change, r"(\Flagged)")
            client.uid("STORE", b",".join(uids[:10]).decode(), "+FLAGS.SILENT", r"(\Deleted)")
            client.expunge()
            for mail in messages(20, seed=time.time_ns()):
                client.append("INBOX", None, None, mail.raw)

    def messages_of(self, user: str) -> int:
        """How many messages are in all mailboxes."""
        with self.client(user) as client:
            names = [line.rsplit(b" ", 1)[-1].decode() for line in client.list()[1] if isinstance(line, bytes)]
            told = [client.status(name, "(MESSAGES)")[1][0] for name in names]
        return sum(int(line.rsplit(b" ", 1)[-1].rstrip(b")")) for line in told if isinstance(line, bytes))

    def prepared(self, task: str, user: str, count: int) -> str:
        """The account for a run of a task, which may be a fresh one."""
        if task in ("append", "append-huge", "idle"):
            return f"{user}{time.time_ns()}"
        if task == "sync-changed":
            self.change(user)
        if task.startswith("flags"):
            with self.client(user) as client:
                client.store(f"1:{count}", "-FLAGS.SILENT", r"(\Seen)")
        return user

    def check(self, task: str, user: str, count: int, figures: dict[str, Any]) -> None:
        """Whether the server has what the peer says it did."""
        if task.startswith("flags"):
            with self.client(user) as client:
                seen = len(client.search(None, f"1:{count}", "SEEN")[1][0].split())
            assert seen == count, f"{task}: {seen} of {count} flags set"
        elif task in ("append", "append-huge"):
            with self.client(user) as client:
                there = int((client.select("INBOX")[1][0] or b"0").decode())
            assert there == (count if task == "append" else 1), f"{task}: {there} messages there"
        elif task in ("sync-first", "sync-search", "sync-again", "sync-changed"):
            there = self.messages_of(user)
            assert figures["messages"] == there, f"{task}: {figures['messages']} of {there} messages"
        elif task in ("headers", "bodies", "parse"):
            assert figures["messages"] == count, f"{task}: {figures['messages']} of {count} messages"
