"""The bridge: cancelling, breaking off, collecting, closing; whatever is left must stay usable."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
import weakref
from collections.abc import Callable

import pytest

import mailtide
from conftest import Box, letter
from scripted import Scripted


def test_await_and_async_with_both_connect(box: Box):
    async def main() -> None:
        session = await box.connect()
        await session.noop()
        await session.close()
        assert session.closed
        async with box.connect() as other:
            assert not other.closed
        assert other.closed
        await other.close()

    asyncio.run(main())


def test_calls_are_coroutines_for_tasks_groups_and_gather(box: Box):
    async def main() -> None:
        async with box.connect() as session:
            task = asyncio.create_task(session.noop())
            async with asyncio.TaskGroup() as group:
                status = group.create_task(session.status("INBOX"))
                native = group.create_task(session._native.noop())
            await task
            assert (await status).messages == 0 and native.result() is None
            names = await asyncio.gather(*[session.mailboxes() for _ in range(50)])
            assert all(found == names[0] for found in names)

    asyncio.run(main())


def test_cancelling_a_task_leaves_a_usable_session(box: Box):
    box.fill(3)

    async def main() -> None:
        async with box.connect() as session:
            inbox = session.mailbox("INBOX")
            cancelled = 0
            while cancelled < 30:
                task = asyncio.create_task(inbox.fetch(parts=["text"]).list())
                await asyncio.sleep(0)
                if task.done():
                    continue  # Answered before this thread went on: nothing is left to be cancelled.
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                cancelled += 1
            assert await inbox.count() == 3

    asyncio.run(main())


def test_a_call_that_is_never_answered_can_be_given_up():
    async def main() -> None:
        session = await mailtide.connect(server.url, password="x")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(session.noop(), 0.1)
        assert server.heard.is_set()

    with Scripted() as server:
        asyncio.run(main())


def test_a_lost_connection_is_an_error_for_everybody_who_waits():
    async def main() -> None:
        session = await mailtide.connect(server.url, password="x")
        tasks = [asyncio.create_task(session.noop()) for _ in range(5)]
        await asyncio.to_thread(server.heard.wait, 10)
        server.hang_up()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(outcome, mailtide.NetError | mailtide.ServerError), outcome
            assert outcome.retry == "reconnect"

    with Scripted() as server:
        asyncio.run(main())


def test_breaking_off_a_loop_leaves_a_usable_session(box: Box):
    box.fill(5)

    async def main() -> None:
        async with box.connect() as session:
            inbox = session.mailbox("INBOX")
            for _ in range(5):
                async for message in inbox.fetch():
                    assert message.uid == 1
                    break
            messages = inbox.fetch()
            assert (await anext(messages)).uid == 1
            del messages
            gc.collect()
            assert [m.uid for m in await inbox.fetch(order="newest", limit=2).list()] == [5, 4]
            first = await inbox.fetch().first()
            assert first is not None and await first.text() == "Hello 1\n"

    asyncio.run(main())


def test_messages_are_read_once(box: Box):
    box.fill(2)

    async def main() -> None:
        async with box.connect() as session:
            messages = session.mailbox("INBOX").fetch()
            assert len(await messages.list()) == 2
            with pytest.raises(mailtide.UsageError):
                await messages.list()

    asyncio.run(main())


def test_two_tasks_may_share_one_iterator(box: Box):
    box.fill(40)

    async def main() -> None:
        async with box.connect() as session:
            messages = session.mailbox("INBOX").fetch()

            async def take() -> list[int]:
                return [message.uid async for message in messages]

            taken = await asyncio.gather(take(), take(), take())
            assert sorted(uid for uids in taken for uid in uids) == list(range(1, 41))

    asyncio.run(main())


def test_other_calls_inside_the_loop_are_fine(box: Box):
    box.fill(4)

    async def main() -> None:
        async with box.connect() as session:
            inbox = session.mailbox("INBOX")
            async for message in inbox.fetch():
                assert (await message.headers())["subject"] == message.subject
                moved = await inbox.move(message, "Archive", create=True)
                assert moved.done[0].source == message.ref
            assert await inbox.count() == 0
            assert await session.mailbox("Archive").count() == 4

    asyncio.run(main())


def test_a_loop_that_closes_with_calls_pending_is_harmless():
    loop = asyncio.new_event_loop()

    async def begin() -> None:
        session = await mailtide.connect(server.url, password="x")
        global kept
        kept = (session, asyncio.ensure_future(session.noop()))
        await asyncio.sleep(0)

    with Scripted() as server:
        loop.run_until_complete(begin())
        loop.close()
        server.hang_up()
        assert server.left.wait(10)
        assert not globals()["kept"][1].done()
        known = weakref.ref(globals().pop("kept")[1])
        gone = weakref.ref(loop)
        del loop
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert _eventually(lambda: known() is None and gone() is None)


def _eventually(condition: Callable[[], bool]) -> bool:
    """The engine lets go a moment after the connection ends."""
    waiting = threading.Event()
    for _ in range(200):
        # What the engine's threads let go is let go by the next call into the native half.
        mailtide._native.codes()
        gc.collect()
        if condition():
            return True
        waiting.wait(0.05)
    return False


def test_each_loop_has_a_bridge_of_its_own(box: Box):
    async def once() -> int:
        async with box.connect() as session:
            return len(await session.mailboxes())

    counts = [asyncio.run(once()) for _ in range(3)]
    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(asyncio.run(once()))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts + results == [counts[0]] * 6


def test_a_session_may_be_used_from_another_loop(box: Box):
    async def connect() -> mailtide.Session:
        return await box.connect()

    session = asyncio.run(connect())
    assert asyncio.run(session.status("INBOX")).messages == 0
    asyncio.run(session.close())


class WithoutReaders(asyncio.SelectorEventLoop):
    """What Windows' Proactor loop is like."""

    def add_reader(self, fd: object, callback: object, *args: object) -> None:
        if type(callback).__name__ == "Reader":
            raise NotImplementedError
        super().add_reader(fd, callback, *args)  # type: ignore[misc,arg-type]


def test_a_loop_without_readers_works_too(box: Box):
    async def main() -> int:
        async with box.connect() as session:
            await asyncio.gather(*[session.noop() for _ in range(20)])
            return len(await session.mailboxes())

    with asyncio.Runner(loop_factory=WithoutReaders) as runner:
        assert runner.run(main()) > 0


def test_a_call_that_is_never_awaited_warns(box: Box):
    async def main() -> None:
        async with box.connect() as session:
            with pytest.warns(RuntimeWarning, match="never awaited"):
                session._native.noop()
                gc.collect()

    asyncio.run(main())


def test_a_stream_can_be_given_up(box: Box):
    with box.imaplib() as client:
        client.append("INBOX", "", "", letter(1, "x" * 2_000_000))

    async def main() -> None:
        async with box.connect() as session:
            inbox = session.mailbox("INBOX")
            message = await inbox.fetch().first()
            assert message is not None
            async for piece in message.stream():
                assert 0 < len(piece) <= 256 * 1024
                break
            total = 0
            async for piece in message.stream():
                total += len(piece)
            assert total == message.size
            assert await inbox.count() == 1

    asyncio.run(main())
