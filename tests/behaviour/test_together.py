"""Several sessions, many calls at once, other clients' marks, and a watch that is taken up again."""

import asyncio
from typing import Any

from letters import run
from mailtide import Event, Flag, Flags, New, Removed


def test_two_sessions_and_many_calls_at_once_do_not_disturb_each_other(place: Any) -> None:
    place.put(30)

    async def scenario() -> None:
        async with place.connect() as one, place.connect() as other:
            inbox = one.mailbox("INBOX")

            async def mark(uid: int) -> None:
                await (inbox if uid % 2 else other.mailbox("INBOX")).flag(uid, add=Flag.SEEN)
                await one.mailbox("Archive").append(b"Subject: x\r\n\r\n.\r\n")

            await asyncio.gather(*(mark(uid) for uid in range(1, 31)))
            async for message in inbox.fetch():
                await inbox.copy(message, "Sent")
            assert await other.mailbox("Sent").count() == await other.mailbox("Archive").count() == 30

    run(scenario())
    assert place.ask("INBOX", "SEEN") == place.ask("Sent") == list(range(1, 31))


def test_a_message_that_another_client_has_marked_as_deleted_stays(place: Any) -> None:
    place.put(4)
    place.witness.select("INBOX")
    place.witness.uid("STORE", "3", "+FLAGS", r"(\Deleted)")

    async def scenario() -> None:
        async with place.connect() as session:
            await session.mailbox("INBOX").expunge([1])
            await session.mailbox("INBOX").move(2, "Archive")

    run(scenario())
    assert place.ask("INBOX") == [3, 4] and place.ask("INBOX", "DELETED") == [3]


def test_a_watch_goes_on_from_a_cursor(place: Any) -> None:
    place.put(2)

    def change() -> None:
        place.put(1)
        place.witness.select("INBOX")
        place.witness.uid("STORE", "1", "+FLAGS", r"(\Seen \Deleted)")
        place.witness.expunge()

    async def scenario() -> None:
        async with place.connect() as session:
            inbox = session.mailbox("INBOX")
            async with inbox.watch(since="all") as events:
                known = [await anext(events), await anext(events)]
            assert [uid_of(event) for event in known] == [1, 2]
            await asyncio.to_thread(change)
            async with inbox.watch(since=known[-1].cursor) as events:
                told = [await anext(events), await anext(events)]
            assert {(type(event), uid_of(event)) for event in told} == {(Removed, 1), (New, 3)}

    run(scenario())


def uid_of(event: Event) -> int:
    assert isinstance(event, New | Removed | Flags)
    return event.message.uid if isinstance(event, New) else event.ref.uid
