"""The whole of a session on a real server; what happened is looked up with another client."""

from __future__ import annotations

import asyncio
import gc
import io
import pickle
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from pathlib import Path

import pytest

import mailtide
from conftest import Box, letter
from mailtide import Flag, Q, Role, UidSet, q


def composed() -> EmailMessage:
    """A message with text, HTML and two attachments, one of which wants out of its folder."""
    message = EmailMessage()
    message["From"] = "Grace Hopper <grace@example.org>"
    message["To"] = "Ada Lovelace <ada@example.org>, Büro <buero@example.org>"
    message["Subject"] = "<b>Motte</b> im Relais №5"
    message.set_content("Die Motte, schön.\n")
    message.add_alternative("<p>Die <b>Motte</b></p>", subtype="html")
    message.add_attachment(b"%PDF" + bytes(range(256)) * 40, maintype="application", subtype="pdf", filename="log.pdf")
    message.add_attachment(b"x", maintype="text", subtype="plain", filename="../../evil.txt")
    return message


def test_a_message_tells_what_it_is(box: Box, tmp_path: Path):
    async def main() -> None:
        async with box.connect() as session:
            inbox = session.mailbox(Role.INBOX)
            when = datetime(2024, 2, 29, 12, 0, tzinfo=timezone(timedelta(hours=2)))
            ref = await inbox.append(composed(), flags=[Flag.FLAGGED, "$Invoice"], received=when)
            message = await inbox.fetch(ref).first()
            assert message is not None and message.ref == ref
            assert message.flags >= {Flag.FLAGGED, "$Invoice"} and isinstance(message.flags, frozenset)
            assert message.received == when and message.received.utcoffset() is not None
            assert message.subject == "<b>Motte</b> im Relais №5"
            assert [(a.name, a.email) for a in message.to] == [
                ("Ada Lovelace", "ada@example.org"),
                ("Büro", "buero@example.org"),
            ]
            assert message.sender is message.from_ is message.reply_to and message.cc == ()
            assert (await message.text()).strip() == "Die Motte, schön."
            assert (await message.html() or "").strip() == "<p>Die <b>Motte</b></p>"
            assert (await message.headers())["to"].startswith("Ada Lovelace")
            assert message.size == len(await message.raw())
            assert "&lt;b&gt;Motte" in message._repr_html_() and "<b>" not in message._repr_html_()
            pdf, evil = message.attachments
            assert (pdf.filename, pdf.media_type, pdf.inline) == ("log.pdf", "application/pdf", False)
            assert (await pdf.bytes())[:4] == b"%PDF"
            assert b"".join([bytes(p) async for p in pdf.stream()]) == bytes(await pdf.bytes())
            saved = [await a.save(tmp_path) for a in (pdf, pdf, evil)]
            assert len(set(saved)) == 3 and {p.parent for p in saved} == {tmp_path}
            assert saved[0].read_bytes() == bytes(await pdf.bytes()) and saved[0].name == "log.pdf"
            copy = pickle.loads(pickle.dumps(message))
            assert (copy.ref, copy.subject, copy.to) == (ref, message.subject, message.to)
            assert [a.filename for a in copy.attachments] == [a.filename for a in message.attachments]
            with pytest.raises(mailtide.UsageError, match="by its ref"):
                copy.text()
            assert Flag.SEEN not in (await inbox.fetch(ref).list())[0].flags

    asyncio.run(main())


def test_messages_come_from_bytes_files_and_streams(box: Box, tmp_path: Path):
    file = tmp_path / "letter.eml"
    file.write_bytes(letter(2))

    async def slowly():
        for start in range(0, 300, 50):
            await asyncio.sleep(0)
            yield letter(4)[start : start + 50]

    async def broken():
        yield b"Subject: half"
        raise LookupError("no more")

    async def main() -> None:
        async with box.connect() as session:
            inbox = session.mailbox("INBOX")
            contents = [letter(1), file, io.BytesIO(letter(3)), slowly(), iter([letter(5)]), memoryview(letter(6))]
            for content in contents:
                await inbox.append(content)
            refs = await inbox.append_many([letter(7), file, io.BytesIO(letter(8))])
            assert len({ref.uid for ref in refs if ref}) == 3
            raws = [bytes(await m.raw()) for m in await inbox.fetch().list()]
            assert raws == [letter(n) for n in (1, 2, 3, 4, 5, 6, 7, 2, 8)]
            with pytest.raises(LookupError, match="no more"):
                await inbox.append(broken())
            assert await inbox.count() == 9

    asyncio.run(main())


def test_writes_happen_on_the_server(box: Box):
    box.fill(6)

    async def main() -> None:
        async with box.connect() as session:
            inbox = session.mailbox("INBOX")
            await inbox.flag(UidSet("1:3"), add=[Flag.SEEN, "$A"], remove=Flag.FLAGGED)
            await inbox.flag(2, set=["$B"])
            first, *_ = await inbox.search("is:read")
            copied = await inbox.copy(first, ["Archive", "News"], create=True)
            assert copied.ok and copied.done[0].target is not None
            assert copied.done[0].target.mailbox == "Archive/News"
            await inbox.delete(Q.flag("$B"))
            await inbox.expunge([await _message(inbox, 6), 5])
            with pytest.raises(mailtide.MailError, match="expunge"):
                await session.mailbox(Role.TRASH).delete(UidSet("1:9"))

    asyncio.run(main())
    assert box.flags() == {1: {"\\Seen", "$A"}, 3: {"\\Seen", "$A"}, 4: set()}
    assert box.flags("Trash") == {1: {"$B", "\\Recent"}}


async def _message(mailbox: mailtide.Mailbox, uid: int) -> int:
    message = await mailbox.fetch(uid).first()
    assert message is not None
    return message.uid


def test_a_limit_refuses_beforehand(box: Box):
    box.fill(3)

    async def main() -> None:
        async with box.connect() as session:
            with pytest.raises(mailtide.MailError):
                await session.mailbox("INBOX").flag(UidSet("1:3"), add=Flag.SEEN, limit=2)

    asyncio.run(main())
    assert box.flags() == {1: set(), 2: set(), 3: set()}


def test_queries_find(box: Box):
    box.fill(12)

    async def main() -> None:
        async with box.connect() as session:
            inbox = session.mailbox("INBOX")
            await inbox.flag([2, 4], add=Flag.SEEN)
            assert await inbox.count("is:unread") == 10
            assert [r.uid for r in await inbox.search('subject:"Letter 1"')] == [1, 10, 11, 12]
            assert [r.uid for r in await inbox.search(q("subject:{s} is:read", s="Letter"))] == [2, 4]
            messages = inbox.fetch(Q.from_("GRACE") & ~Q.read(), limit=2, order="newest", columns=["subject"])
            found = await messages.list()
            assert [m.uid for m in found] == [12, 11] and messages.exact is not None
            assert found[0].subject == "Letter 12" and found[0].size is None
            assert await inbox.fetch("from:nobody").first() is None

    asyncio.run(main())


def test_mailboxes_come_and_go(box: Box):
    async def main() -> None:
        async with box.connect() as session:
            assert await session.create_mailbox(["Würste", "2024"]) == "Würste/2024"
            with pytest.raises(mailtide.MailboxError) as caught:
                await session.create_mailbox("Würste/2024")
            assert caught.value.code == "mailbox.exists"
            await session.create_mailbox("Würste/2024", exist_ok=True)
            await session.rename_mailbox("Würste/2024", session.mailbox("Käse"))
            await session.subscribe("Käse")
            assert [m.name for m in await session.mailboxes(subscribed=True)] == ["Käse"]
            await session.mailbox("Käse").append(letter(1))
            with pytest.raises(mailtide.MailboxError) as caught:
                await session.delete_mailbox("Käse")
            assert caught.value.code == "mailbox.not_empty"
            info = next(m for m in await session.mailboxes(status=True) if m.name == "Käse")
            assert info.status is not None and info.status.messages == 1
            await session.delete_mailbox(info, even_if_not_empty=True)
            with pytest.raises(mailtide.MailboxMissingError):
                await session.status("Käse")
            roles = {m.role for m in await session.mailboxes()}
            assert {Role.ARCHIVE, Role.TRASH, Role.INBOX} <= roles and all(r is None or r is Role(r) for r in roles)

    asyncio.run(main())


def test_a_watch_tells_each_event_once_and_goes_on_from_its_cursor(box: Box):
    box.fill(2)

    async def main() -> None:
        async with box.connect() as session, box.connect() as other:
            inbox, theirs = session.mailbox("INBOX"), other.mailbox("INBOX")
            async with inbox.watch() as events:
                await theirs.flag(1, add=Flag.FLAGGED)
                flags = await anext(events)
                assert isinstance(flags, mailtide.Flags) and (flags.ref.uid, flags.added) == (1, {"\\Flagged"})
                await theirs.expunge(2)
                removed = await anext(events)
                assert isinstance(removed, mailtide.Removed) and removed.ref.uid == 2
            assert [event async for event in events] == []
            await theirs.append(letter(3))
            async for event in inbox.watch(since=removed.cursor):
                assert isinstance(event, mailtide.New) and event.message.subject == "Letter 3"
                copy = pickle.loads(pickle.dumps(event))
                assert (copy.cursor, copy.message.ref) == (event.cursor, event.message.ref)
                assert await event.message.text() == "Hello 3\n"
                break
            watch = inbox.watch()
            waiting = asyncio.create_task(anext(watch))
            await watch.ready()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await theirs.append(letter(4))
            assert isinstance(await anext(watch), mailtide.New)

    asyncio.run(main())


def test_closing_the_session_ends_a_watch(box: Box):
    async def main() -> None:
        session = await box.connect()
        watch = session.mailbox("INBOX").watch()
        await watch.ready()
        listening = asyncio.create_task(_all(watch))
        await asyncio.sleep(0)
        await session.close()
        assert await listening == []

    asyncio.run(main())


async def _all(watch: mailtide.Watch) -> list[mailtide.Event]:
    return [event async for event in watch]


def test_progress_is_told_on_the_loop(box: Box):
    box.fill(3)
    told: list[mailtide.Progress] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def progress(state: mailtide.Progress) -> None:
            assert asyncio.get_running_loop() is loop
            told.append(state)

        async with box.connect() as session:
            assert len(await session.mailbox("INBOX").fetch(progress=progress).list()) == 3
            await asyncio.sleep(0)

    asyncio.run(main())
    assert told[-1].done == 3 and told[-1].phase


def test_messages_do_not_burden_the_collector(box: Box):
    box.fill(2)

    async def main() -> None:
        async with box.connect() as session:
            messages = await session.mailbox("INBOX").fetch().list()
            assert not any(gc.is_tracked(m) for m in messages)
            assert not gc.is_tracked(messages[0].from_[0]) and not gc.is_tracked(messages[0].ref)
            assert not any(gc.is_tracked(ref) for ref in await session.mailbox("INBOX").search())

    asyncio.run(main())


def test_tables_need_their_packages(box: Box, monkeypatch: pytest.MonkeyPatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pandas", None)

    async def main() -> None:
        async with box.connect() as session:
            inbox = session.mailbox("INBOX")
            with pytest.raises(mailtide.UsageError, match="pip install pyarrow"):
                await inbox.fetch().to_arrow()
            with pytest.raises(mailtide.UsageError, match="pip install pandas"):
                await inbox.fetch().to_pandas()

    asyncio.run(main())


def test_tables_have_a_column_a_property(box: Box):
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pandas")
    box.fill(3)

    async def main() -> None:
        async with box.connect() as session:
            inbox = session.mailbox("INBOX")
            table = await inbox.fetch().to_arrow()
            assert isinstance(table, pyarrow.Table) and table.column("uid").to_pylist() == [1, 2, 3]
            assert table.column("from_").to_pylist()[0] == ["Grace Hopper <grace@example.org>"]
            frame = await inbox.fetch().to_pandas()
            assert list(frame["subject"]) == ["Letter 1", "Letter 2", "Letter 3"]
            assert str(frame["received"].dtype).endswith("UTC]")

    asyncio.run(main())
