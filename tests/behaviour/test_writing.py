"""What is written to a real server is there for another client, and nothing else is."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from mailtide import Flag, MailError, Role


def test_flags_are_added_removed_and_replaced(place: Any) -> None:
    place.put(3)
    one, two, three = place.ask("INBOX")

    async def main() -> None:
        async with place.connect() as session:
            inbox = session.mailbox("INBOX")
            result = await inbox.flag([one, two], add=[Flag.SEEN, "$Invoice"])
            assert sorted(done.source.uid for done in result.done) == [one, two]
            await inbox.flag(two, remove=[Flag.SEEN])
            await inbox.flag(three, set=[Flag.FLAGGED, Flag.ANSWERED])
            with pytest.raises(MailError) as caught:
                await inbox.flag(one, add=["Seen"])
            assert caught.value.code == "usage.flag"

    asyncio.run(main())
    assert place.flags("INBOX", one) == {"\\Seen", "$Invoice"}
    assert place.flags("INBOX", two) == {"$Invoice"}
    assert place.flags("INBOX", three) == {"\\Flagged", "\\Answered"}


def test_moved_and_copied_messages_are_where_the_result_says(place: Any) -> None:
    raws = place.put(4)
    one, two, three, four = place.ask("INBOX")

    async def main() -> None:
        async with place.connect() as session:
            inbox = session.mailbox("INBOX")
            moved = await inbox.move([one, three], Role.ARCHIVE)
            copied = await inbox.copy(two, ["Ablage", "Käfer & Motten"], create=True)
            for done in moved.done:
                assert done.target is not None
                assert place.raw("Archive", done.target.uid) == raws[done.source.uid - one]
            target = copied.done[0].target
            assert target is not None
            again = await session.mailbox(target.mailbox).fetch(target).first()
            assert again is not None and bytes(await again.raw()) == raws[1]

    asyncio.run(main())
    assert place.ask("INBOX") == [two, four]
    assert len(place.ask("Archive")) == 2


def test_delete_goes_to_the_trash_and_expunge_takes_these_and_no_others(place: Any) -> None:
    place.put(4)
    one, two, three, four = place.ask("INBOX")
    place.witness.select("INBOX")
    place.witness.uid("STORE", str(three), "+FLAGS", "(\\Deleted)")

    async def main() -> None:
        async with place.connect() as session:
            inbox = session.mailbox("INBOX")
            await inbox.delete(one)
            await inbox.expunge(two)
            with pytest.raises(MailError):
                await session.mailbox(Role.TRASH).delete(await session.mailbox(Role.TRASH).search())
            with pytest.raises(MailError) as caught:
                await inbox.delete("123")
            assert caught.value.code == "usage.selection"

    asyncio.run(main())
    assert place.ask("INBOX") == [three, four], "a message that somebody else had marked is still there"
    assert len(place.ask("Trash")) == 1


def test_an_appended_message_is_the_same_bytes_with_date_and_flags(place: Any) -> None:
    raw = "Subject: Grüße\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nfür später\r\n".encode()
    when = datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC)

    async def main() -> None:
        async with place.connect() as session:
            inbox = session.mailbox("INBOX")
            ref = await inbox.append(raw, flags=[Flag.SEEN, "$Kept"], received=when)
            assert ref is not None
            message = await inbox.fetch(ref).first()
            assert message is not None and message.received == when
            refs = await inbox.append_many([raw + b"%d\r\n" % n for n in range(5)])
            assert len({r.uid for r in refs if r}) == 5

    asyncio.run(main())
    first, *others = place.ask("INBOX")
    assert place.raw("INBOX", first) == raw and len(others) == 5
    assert place.flags("INBOX", first) == {"\\Seen", "$Kept"}
    assert place.raw("INBOX", others[4]) == raw + b"4\r\n"


def test_mailboxes_are_made_renamed_listed_and_deleted(place: Any) -> None:
    async def main() -> None:
        async with place.connect() as session:
            name = await session.create_mailbox("Отчёты & 報告")
            listed = {info.name: info for info in await session.mailboxes()}
            assert name in listed and listed["Trash"].role == Role.TRASH
            await session.rename_mailbox(name, "Überblick")
            await session.subscribe("Überblick")
            assert "Überblick" in [info.name for info in await session.mailboxes(subscribed=True)]
            await session.mailbox("Überblick").append(b"Subject: x\r\n\r\n.\r\n")
            with pytest.raises(MailError) as caught:
                await session.delete_mailbox("Überblick")
            assert caught.value.code == "mailbox.not_empty"
            assert (await session.status("Überblick")).messages == 1
            await session.delete_mailbox("Überblick", even_if_not_empty=True)
            with pytest.raises(MailError) as missing:
                await session.mailbox("Überblick").count()
            assert missing.value.code == "mailbox.missing"

    asyncio.run(main())
    assert not any(b"berblick" in line for line in place.witness.list()[1])
