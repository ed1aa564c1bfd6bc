"""The blocking twin: the same names without await."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import mailtide
from conftest import Box, letter
from mailtide import blocking
from scripted import Scripted


def connect(box: Box, **options: Any) -> blocking.Session:
    return blocking.connect(box.url, **{"password": box.password, "net": box.net, **options})


def test_it_does_what_the_other_does(box: Box):
    box.fill(3)
    with connect(box) as session:
        inbox = session.mailbox("INBOX")
        messages = inbox.fetch(parts=["text"]).list()
        assert [m.text() for m in messages] == [f"Hello {n}\n" for n in (1, 2, 3)]
        assert [bytes(m.raw()) for m in inbox.fetch()] == [letter(n) for n in (1, 2, 3)]
        assert b"".join(bytes(piece) for piece in messages[0].stream()) == letter(1)
        assert inbox.flag(messages, add=mailtide.Flag.SEEN).ok
        assert box.flags() == {n: {"\\Seen"} for n in (1, 2, 3)}
        assert inbox.move(messages[0], session.mailbox("Archive"), create=True).done[0].source == messages[0].ref
        ref = inbox.append(letter(9), flags=["$X"])
        assert ref is not None and inbox.search(ref) == [ref]
        assert session.status(mailtide.Role.ARCHIVE).messages == 1
    assert session.closed


def test_every_method_of_the_asyncio_classes_has_a_twin():
    for name in ("Session", "Mail", "Mailboxes", "Mailbox", "Messages", "Watch", "Engine"):
        public = {n for n in vars(getattr(mailtide, name)) if not n.startswith("_")}
        assert public - set(vars(getattr(blocking, name))) == set(), name


def test_it_works_inside_a_running_loop(box: Box):
    async def cell() -> int:
        with connect(box) as session:
            return len(session.mailboxes())

    assert asyncio.run(cell()) > 0


def test_threads_may_share_a_session_and_an_iterator(box: Box):
    box.fill(30)
    with connect(box) as session, ThreadPoolExecutor(8) as pool:
        inbox = session.mailbox("INBOX")
        assert set(pool.map(lambda _: inbox.count(), range(40))) == {30}
        messages = inbox.fetch()
        taken = pool.map(lambda _: [m.uid for m in messages], range(1))
        assert sorted(uid for uids in taken for uid in uids) == list(range(1, 31))


def test_other_threads_run_while_one_is_blocked():
    with Scripted() as server:
        session = blocking.connect(server.url, password="x")
        blocked = threading.Thread(target=lambda: pytest.raises(mailtide.MailError, session.noop))
        blocked.start()
        assert server.heard.wait(10)
        started = time.monotonic()
        assert sum(range(10_000)) and time.monotonic() - started < 5
        server.hang_up()
        blocked.join(10)
        assert not blocked.is_alive()


def test_a_watch_ends_when_another_thread_closes_it(box: Box):
    with connect(box) as session:
        inbox = session.mailbox("INBOX")
        with inbox.watch() as events:
            inbox.append(letter(1))
            event = next(iter(events))
            assert isinstance(event, mailtide.New) and event.message.subject == "Letter 1"
            closer = threading.Timer(0.05, events.close)
            closer.start()
            assert list(events) == []


def test_it_obeys_ctrl_c():
    with Scripted() as server:
        code = (
            # A job that a shell has put into the background inherits an ignored SIGINT.
            "import mailtide.blocking, signal, sys\n"
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            f"session = mailtide.blocking.connect({server.url!r}, password='x')\n"
            "try: session.noop()\n"
            "except KeyboardInterrupt: sys.exit(7)\n"
        )
        child = subprocess.Popen([sys.executable, "-c", code])
        try:
            assert server.heard.wait(20)
            child.send_signal(signal.SIGINT)
            assert child.wait(20) == 7
        finally:
            child.kill()


def test_an_unawaitable_object_inside_is_an_error():
    async def wrong() -> None:
        await asyncio.sleep(1)

    with pytest.raises(RuntimeError):
        mailtide._native.run_blocking(wrong())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_session_from_before_a_fork_is_refused_and_a_new_one_works(box: Box):
    box.fill(1)
    session = connect(box)
    message = session.mailbox("INBOX").fetch().first()
    assert message is not None
    child = os.fork()
    if child == 0:
        os._exit(_in_the_child(box, session, message))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert session.mailbox("INBOX").count() == 1
    session.close()


def _in_the_child(box: Box, session: blocking.Session, message: Any) -> int:
    try:
        for use in (session.noop, message.text, session.mailboxes):
            try:
                use()
                return 1
            except mailtide.UsageError as error:
                if error.code != "usage.closed" or "fork" not in str(error):
                    return 2
        if message.subject != "Letter 1" or not session.closed:
            return 3
        with connect(box) as mine:
            if mine.mailbox("INBOX").count() != 1:
                return 4
        return asyncio.run(_async_in_the_child(box))
    except BaseException:
        return 5


async def _async_in_the_child(box: Box) -> int:
    async with box.connect() as session:
        return 0 if await session.mailbox("INBOX").count() == 1 else 6
