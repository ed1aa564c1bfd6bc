"""Random strings in every public argument reach the server as exactly one command with the same bytes, or not at all."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Awaitable
from typing import Any

import pytest

import mailtide
from mailtide import Q
from strict import Reader, mailbox_name

#: How many strings in all.
STRINGS = int(os.environ.get("MAILTIDE_STRINGS", "100000"))
TOGETHER = 500
SHARES = 5
PIECES = [
    "a", "B", "0", " ", "  ", '"', "\\", "{", "}", "(", ")", "%", "*", "&", "-", "+", "~", "[", "]", ",", "\r", "\n", "\r\n",
    "\0", "\t", "\x7f", "é", "日本", "😀", "\u202e", "NIL", "INBOX", "{5}", "{3+}\r\nabc", '" LOGOUT', "\r\nA1 LOGOUT\r\n", "&-",
    "&AOk-", "OR", "ALL", "1:*", "is:", "x" * 90, "é" * 40, "\x1b[2J",
]  # fmt: skip

def text(rng: random.Random) -> str:
    return "".join(rng.choice(PIECES) for _ in range(rng.randint(1, 6)))


class Calls:
    """One call for each kind of argument, and how to find the string in what the server read."""

    def __init__(self, session: mailtide.Session) -> None:
        self.session = session
        self.inbox = session.mailbox("INBOX")
        self.kinds = [
            self.status, self.create, self.subscribe, self.rename, self.copy, self.listed, self.id, self.id_name,
            self.sender, self.subject, self.header, self.keyword, self.append,
        ]  # fmt: skip

    def status(self, s: str) -> tuple[Awaitable[Any], Any]:
        return self.session.status(s), (b"STATUS", s)

    def create(self, s: str) -> tuple[Awaitable[Any], Any]:
        return self.session.create_mailbox(s), (b"CREATE", s)

    def subscribe(self, s: str) -> tuple[Awaitable[Any], Any]:
        return self.session.subscribe(s), (b"SUBSCRIBE", s)

    def rename(self, s: str) -> tuple[Awaitable[Any], Any]:
        return self.session.rename_mailbox("from", s), (b"RENAME", s)

    def copy(self, s: str) -> tuple[Awaitable[Any], Any]:
        return self.inbox.copy(1, s, partial="return"), (b"COPY", s)

    def listed(self, s: str) -> tuple[Awaitable[Any], Any]:
        return self.session.mailboxes(s), (b"LIST", s)

    def id(self, s: str) -> tuple[Awaitable[Any], Any]:
        return self.session.id({"name": s}), (b"ID", (b"name", s.encode()))

    def id_name(self, s: str) -> tuple[Awaitable[Any], Any]:
        return self.session.id({s: "v"}), (b"ID", (s.encode(), b"v"))

    def sender(self, s: str) -> tuple[Awaitable[Any], Any]:
        return self.inbox.search(Q.from_(s)), (b"FROM", s.encode())

    def subject(self, s: str) -> tuple[Awaitable[Any], Any]:
        async def search() -> Any:
            return await self.inbox.search(mailtide.q("subject:{s}", s=s))

        return search(), (b"SUBJECT", s.encode())

    def header(self, s: str) -> tuple[Awaitable[Any], Any]:
        return self.inbox.search(Q.header("X-Thing", s)), (b"X-Thing", s.encode())

    def keyword(self, s: str) -> tuple[Awaitable[Any], Any]:
        return self.inbox.flag(1, add=[s], partial="return"), (b"STORE", (s.encode(),))

    def append(self, s: str) -> tuple[Awaitable[Any], Any]:
        content = s.encode().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        return self.inbox.append(s.encode()), (b"APPEND", content)


def seen(command: tuple[Any, ...]) -> Any:
    """What a command was about, in the form of `Calls`."""
    match command:
        case (b"STATUS" | b"CREATE" | b"SUBSCRIBE" as name, mailbox, *_):
            return name, mailbox_name(mailbox)
        case (b"RENAME", b"from", mailbox):
            return b"RENAME", mailbox_name(mailbox)
        case (b"UID", b"COPY", b"1", mailbox):
            return b"COPY", mailbox_name(mailbox)
        case (b"LIST", b"", pattern, *_):
            return b"LIST", mailbox_name(pattern)
        case (b"UID", b"SEARCH", *_, field, value):
            return field, value
        case (b"UID", b"STORE", b"1", _, flags):
            return b"STORE", flags
        case (b"APPEND", b"INBOX", *_, content):
            return b"APPEND", content
    return command


def is_refusal(outcome: Any) -> bool:
    """Whether nothing was sent: the argument cannot be said in IMAP, or not to this server (NUL without BINARY)."""
    unsupported = isinstance(outcome, mailtide.ServerError) and outcome.code == "server.unsupported"
    return unsupported or isinstance(outcome, mailtide.UsageError | mailtide.QueryError | mailtide.LimitError)


@pytest.mark.parametrize("seed", range(SHARES))
def test_random_strings_become_one_command_each_or_none(seed: int) -> None:
    rng = random.Random(seed)

    async def main() -> None:
        reader = Reader()
        url = f"imap://ada@127.0.0.1:{await reader.start()}"
        async with mailtide.connect(url, password="x") as session:
            calls = Calls(session)
            for _ in range(STRINGS // SHARES // TOGETHER):
                batch = [rng.choice(calls.kinds)(text(rng)) for _ in range(TOGETHER)]
                outcomes = await asyncio.gather(*[call for call, _ in batch], return_exceptions=True)
                sent, refused = Counter[Any](), 0
                for outcome, (_, expected) in zip(outcomes, batch, strict=True):
                    if is_refusal(outcome):
                        refused += 1
                        continue
                    assert not isinstance(outcome, BaseException), (outcome, expected)
                    sent[expected] += 1
                assert reader.faults == []
                got = Counter(seen(command) for command in reader.commands)
                assert got == sent, (got - sent, sent - got)
                assert refused < TOGETHER
                reader.commands.clear()
        reader.stop()

    asyncio.run(main())


def test_user_names_and_passwords_arrive_as_they_are() -> None:
    rng = random.Random(8)

    async def main() -> None:
        from urllib.parse import quote

        reader = Reader()
        port = await reader.start()
        for _ in range(max(STRINGS // 500, 20)):
            user, password = text(rng), text(rng)
            try:
                session = await mailtide.connect(f"imap://{quote(user, safe='')}@127.0.0.1:{port}", password=password)
            except mailtide.UsageError:
                continue
            except mailtide.NetError:
                raise AssertionError((reader.faults, user, password)) from None
            await session.close()
            assert reader.logins.pop() == (user.encode(), password.encode())
        assert reader.faults == [] and reader.logins == []
        reader.stop()

    asyncio.run(main())


def test_a_raw_command_is_one_line() -> None:
    async def main() -> None:
        reader = Reader()
        url = f"imap://ada@127.0.0.1:{await reader.start()}"
        async with mailtide.connect(url, password="x") as session:
            for bad in ("NOOP\r\nA1 LOGOUT", "NOOP\n", "NOOP\r", "NO\0OP", "", " LOGOUT", "LOGOUT", "é"):
                with pytest.raises(mailtide.UsageError):
                    await session.raw(bad)
            await session.raw('XRAW "one" (two)')
        assert reader.commands == [(b"XRAW", b"one", (b"two",))] and reader.faults == []
        reader.stop()

    asyncio.run(main())
