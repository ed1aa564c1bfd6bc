"""Two sides of one account: the local mailbox under test, and the server as imaplib sees it, which shares no code with it."""

import asyncio
import base64
import imaplib
import re
from collections import Counter
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mailtide
from mailgen import connect
from mailgen.mailbox import encode_name, quoted
from servers.between import Between

#: No scenario may take longer, in seconds.
PATIENCE = 100
#: Passes after which everything must be quiet.
PASSES = 8

#: What a side holds: a mailbox's name, and of each message its bytes and flags. As often as it is there.
Contents = dict[str, "Counter[tuple[bytes, frozenset[str]]]"]


@dataclass
class Both:
    """An account of its own on a server, behind a network that can be cut."""

    env: dict[str, Any]
    between: Between
    user: str
    folder: Path
    #: Whether what is moved away or expunged stays on the server, marked: it cannot expunge one message (no UIDPLUS).
    marks: bool
    witness: imaplib.IMAP4 = field(init=False)
    prefix: str = field(init=False)
    delimiter: str = field(init=False)

    def __post_init__(self) -> None:
        self.witness = connect(self.env, self.user)
        personal = re.match(rb'\(\("([^"]*)" "(.)"\)', self.witness.namespace()[1][0])
        assert personal is not None
        self.prefix, self.delimiter = personal[1].decode(), personal[2].decode()

    def close(self) -> None:
        self.witness.shutdown()

    def open(self, device: str = "one") -> Any:
        """A device's store."""
        url = f"imap://{self.user}@localhost:{self.between.port}"
        return mailtide.open(self.folder / f"{device}.mail", url, password=self.env["password"])

    def name(self, *levels: str) -> str:
        """A mailbox's name on this server."""
        return self.prefix + self.delimiter.join(levels)

    # What imaplib does.

    def put(self, mailbox: str, *raws: bytes, flags: str = "") -> None:
        for raw in raws:
            when = imaplib.Time2Internaldate(datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC))
            self.check(self.witness.append(wire(mailbox), flags, when, raw))

    def uids(self, mailbox: str, criteria: str = "ALL") -> list[int]:
        self.check(self.witness.select(wire(mailbox)))
        return [int(uid) for uid in self.check(self.witness.uid("SEARCH", criteria))[0].split()]

    def store(self, mailbox: str, criteria: str, change: str, *flags: str) -> None:
        """`change` is +FLAGS or -FLAGS, of the messages that fit the criteria."""
        for uid in self.uids(mailbox, criteria):
            self.check(self.witness.uid("STORE", str(uid), change, f"({' '.join(flags)})"))

    def take_away(self, mailbox: str, criteria: str) -> None:
        self.store(mailbox, criteria, "+FLAGS.SILENT", "\\Deleted")
        self.check(self.witness.expunge())

    def carry(self, mailbox: str, criteria: str, to: str) -> None:
        """Copies, then takes the original away."""
        for uid in self.uids(mailbox, criteria):
            self.check(self.witness.uid("COPY", str(uid), wire(to)))
        self.take_away(mailbox, criteria)

    def ask(self, command: str, *mailboxes: str) -> None:
        """CREATE, RENAME, DELETE, SUBSCRIBE, UNSUBSCRIBE, of mailboxes that are not selected meanwhile."""
        self.check(self.witness.select("INBOX", readonly=True))
        self.check(self.witness.close())  # expunges nothing, since it was opened read-only
        self.check(getattr(self.witness, command.lower())(*map(wire, mailboxes)))

    def validity(self, mailbox: str) -> bytes:
        return re.search(rb"UIDVALIDITY \d+", self.check(self.witness.status(wire(mailbox), "(UIDVALIDITY)"))[0])[0]

    def check(self, answer: Any) -> Any:
        assert answer[0] == "OK", answer
        return answer[1]

    def names(self, command: str = "list") -> set[str]:
        """All mailboxes that hold messages, or with `lsub` those subscribed."""
        found = set()
        for line in self.check(getattr(self.witness, command)()):
            attributes, name = re.match(rb'\(([^)]*)\) "[^"]*" (.*)', line).groups()
            if b"\\noselect" not in attributes.lower() and b"\\nonexistent" not in attributes.lower():
                found.add(decode(name.strip(b'"').decode()))
        return found

    def there(self) -> Contents:
        """Everything on the server."""
        found: Contents = {}
        for mailbox in self.names():
            self.check(self.witness.select(wire(mailbox), readonly=True))
            rows = self.check(self.witness.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")) or []
            found[mailbox] = Counter(
                (row[1], shown(flag.decode() for flag in imaplib.ParseFlags(flags_of(rows, at))))
                for at, row in enumerate(rows)
                if isinstance(row, tuple)
            )
        return found

    # What Mailtide does.

    async def here(self, mail: Any) -> Contents:
        """Everything in a store."""
        found: Contents = {}
        for info in await mail.mailboxes():
            if info.selectable:
                messages = await mail.mailbox(info.name).fetch(parts=["raw"]).list()
                found[info.name] = Counter([(bytes(await message.raw()), shown(message.flags)) for message in messages])
        return found

    async def settle(self, mail: Any) -> None:
        """Passes until nothing is left to do; what is tried again later is waited for."""
        for _ in range(PASSES):
            report = await mail.sync()
            assert report.problems == (), report.problems
            waiting = [one for one in await mail.pending() if one.state != "parked"]
            if not waiting and report.added == report.removed == report.flags == report.applied == report.bodies == 0:
                return
            times = [one.not_before for one in waiting if one.not_before]
            if times:
                await asyncio.sleep(max(0.0, (min(times) - datetime.now(UTC)).total_seconds()))
        raise AssertionError(f"no calm after {PASSES} passes: {report!r}, {waiting}")

    async def agree(self, mail: Any, parked: int = 0) -> Contents:
        """Both sides hold the same once nothing is left to do; what that is."""
        await self.settle(mail)
        left = await mail.pending()
        assert len(left) == parked, left
        here, there = await self.here(mail), await asyncio.to_thread(self.there)
        assert here.keys() == there.keys()
        for mailbox, messages in there.items():
            assert here[mailbox] == messages, (mailbox, summary(here[mailbox]), summary(messages))
        assert await mail.check() == []
        return there

    def numbers(self, contents: Contents, mailbox: str) -> list[int]:
        """The numbers of the messages of a mailbox, without what is only left there marked."""
        kept = contents.get(mailbox, Counter())
        left = [raw for (raw, flags), count in kept.items() for _ in range(count) if not self.is_left(flags)]
        return sorted(number_of(raw) for raw in left)

    def is_left(self, flags: frozenset[str]) -> bool:
        return self.marks and "\\Deleted" in flags

    def flags(self, contents: Contents, mailbox: str, number: int) -> set[str]:
        (flags,) = [flags for raw, flags in contents[mailbox] if number_of(raw) == number and not self.is_left(flags)]
        return set(flags)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Runs a scenario to its end; one that hangs fails."""
    asyncio.run(asyncio.wait_for(scenario, PATIENCE))


def letter(number: int, body: str = "Found in relay 70.") -> bytes:
    """A small message; its number is in subject and body."""
    return (
        f"From: Grace Hopper <grace@example.org>\r\nTo: ada@example.org\r\nSubject: Letter {number}\r\n"
        f"Message-ID: <{number}@example.org>\r\nDate: Mon, 13 Oct 2025 10:00:00 +0200\r\n\r\n{body} {number}\r\n"
    ).encode()


def shown(flags: Iterable[str]) -> frozenset[str]:
    """\\Recent belongs to a session, not to a message."""
    return frozenset(flags) - {"\\Recent"}


def number_of(raw: bytes) -> int:
    found = re.search(rb"Subject: Letter (\d+)\r\n", raw)
    assert found is not None, raw[:200]
    return int(found[1])


def summary(messages: "Counter[tuple[bytes, frozenset[str]]]") -> list[tuple[bytes, list[str], int]]:
    """What a failure shows."""
    rows = ((raw[:300].partition(b"Subject: ")[2][:20], sorted(flags), count) for (raw, flags), count in messages.items())
    return sorted(rows)


def flags_of(rows: list[Any], at: int) -> bytes:
    """The text around a literal: some servers tell the flags before it, some after."""
    after = rows[at + 1] if at + 1 < len(rows) and isinstance(rows[at + 1], bytes) else b""
    return rows[at][0] + after


def wire(name: str) -> str:
    return quoted(encode_name(name))


def decode(name: str) -> str:
    """Modified UTF-7 (RFC 3501 section 5.1.3)."""

    def shifted(found: re.Match[str]) -> str:
        text = found[1].replace(",", "/")
        return base64.b64decode(text + "=" * (-len(text) % 4)).decode("utf-16-be") if text else "&"

    return re.sub(r"&([^-]*)-", shifted, name)
