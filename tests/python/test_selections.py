"""What must be refused is refused before anything is sent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import mailtide
from mailtide import MessageRef, Q, UidSet
from scripted import Scripted

BARE = [
    "123", "1:*", "ALL", "", b"123", bytearray(b"1"), None, True, False, 1.0, ["1"], [None], [True], {"a": 1}, object(),
    [[1]],
]  # fmt: skip
WRITES = ["flag", "move", "copy", "delete", "expunge"]


def write(mailbox: Any, name: str, selection: Any) -> Any:
    match name:
        case "flag":
            return mailbox.flag(selection, add=mailtide.Flag.SEEN)
        case "move" | "copy":
            return getattr(mailbox, name)(selection, "Archive")
        case _:
            return getattr(mailbox, name)(selection)


@pytest.mark.parametrize("name", WRITES)
def test_writes_refuse_what_does_not_say_which_messages(name: str):
    async def main() -> None:
        async with mailtide.connect(server.url, password="x") as session:
            inbox = session.mailbox("INBOX")
            for bare in [*BARE, (x for x in ["1"]), 0, -1, 2**32, [1, 0], inbox.fetch(), [1, MessageRef("a@b", "c", 1, 1)]]:
                with pytest.raises(mailtide.UsageError) as caught:
                    await write(inbox, name, bare)
                assert caught.value.code == "usage.selection", bare
                assert caught.value.context["hint"]

    with Scripted() as server:
        asyncio.run(main())
    assert not [c for c in server.commands if any(word in c for word in ("STORE", "MOVE", "COPY", "EXPUNGE"))]


def test_reads_refuse_what_is_no_selection():
    async def main() -> None:
        async with mailtide.connect(server.url, password="x") as session:
            inbox = session.mailbox("INBOX")
            for bad in (b"x", True, 0, 1.5, ["is:unread"], {"a": 1}):
                with pytest.raises(mailtide.UsageError):
                    await inbox.count(bad)
                with pytest.raises(mailtide.UsageError):
                    inbox.fetch(bad)
            for bad in ("1:*", "ALL", "UNSEEN", "nokey:1"):
                with pytest.raises(mailtide.QueryError):
                    await inbox.search(bad)

    with Scripted() as server:
        asyncio.run(main())


def test_flags_need_their_backslash_and_a_purpose():
    async def main() -> None:
        async with mailtide.connect(server.url, password="x") as session:
            inbox = session.mailbox("INBOX")
            for bad in ("Seen", "a b", "été", "\\Recent", "a\r\nb", ["Deleted"], [3]):
                with pytest.raises(mailtide.UsageError) as caught:
                    await inbox.flag(1, add=bad)
                assert caught.value.code == "usage.flag"
            with pytest.raises(mailtide.UsageError):
                await inbox.flag(1)
            with pytest.raises(mailtide.UsageError):
                await inbox.flag(1, add="$A", set="$B")

    with Scripted() as server:
        asyncio.run(main())


@pytest.mark.parametrize(
    "ref",
    [
        MessageRef("ada@127.0.0.1", "INBOX", 6, 1),
        MessageRef("ada@127.0.0.1", "Archive", 7, 1),
        MessageRef("grace@127.0.0.1", "INBOX", 7, 1),
    ],
)
def test_refs_of_elsewhere_or_of_before_are_refused(ref: MessageRef):
    async def main() -> None:
        async with mailtide.connect(server.url, password="x") as session:
            with pytest.raises(mailtide.MailError) as caught:
                await session.mailbox("INBOX").flag(ref, add=mailtide.Flag.SEEN)
            expected = "mailbox.reset" if ref.uid_validity == 6 else "usage.selection"
            assert caught.value.code == expected

    with Scripted() as server:
        asyncio.run(main())
    assert not [c for c in server.commands if "STORE" in c]


def test_mailbox_names_and_words_are_checked():
    async def main() -> None:
        async with mailtide.connect(server.url, password="x") as session:
            for bad in ("", "a\r\nb", "a\0b", [], ["a", ""], 3, None, b"INBOX"):
                with pytest.raises(mailtide.UsageError):
                    session.mailbox(bad)
            inbox = session.mailbox("INBOX")
            for options in ({"parts": "text"}, {"parts": ["texts"]}, {"order": "up"}, {"columns": ["sizes"]}):
                with pytest.raises(mailtide.UsageError):
                    inbox.fetch(**options)
            with pytest.raises(mailtide.UsageError):
                await inbox.delete(1, partial="ignore")
            with pytest.raises(mailtide.UsageError):
                await inbox.append("From: text is not bytes")

    with Scripted() as server:
        asyncio.run(main())


def test_a_read_only_session_writes_nothing():
    async def main() -> None:
        async with mailtide.connect(server.url, password="x", read_only=True) as session:
            for selection in (1, UidSet("1:3"), Q.unread()):
                with pytest.raises(mailtide.UsageError) as caught:
                    await session.mailbox("INBOX").expunge(selection)
                assert caught.value.code == "usage.read_only"

    with Scripted() as server:
        asyncio.run(main())
    assert not [c for c in server.commands if "SELECT" in c]
