"""A local mailbox in step with a real server that comes and goes; what it holds is looked up with another client."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import mailtide
from conftest import Box, letter
from mailtide import Draft, Flag, Q, Role, UidSet, blocking
from servers.dovecot import Dovecot
from servers.private import free_ports


@pytest.fixture(scope="module")
def machine() -> Iterator[Dovecot]:
    """A server that a test may stop; it comes back on the same ports."""
    with Dovecot() as server:
        yield server


@pytest.fixture
def away(machine: Dovecot, request: pytest.FixtureRequest) -> Iterator[Box]:
    """A fresh account there."""
    bring_back(machine)
    yield Box(machine.env, f"mail-{abs(hash(request.node.name))}")
    bring_back(machine)


def bring_back(machine: Dovecot) -> None:
    if machine.pid() is None:
        machine.launch()
    assert machine.wait_until_up(machine.env["imap_port"]), machine.log


def open_(box: Box, path: Path, **options: Any) -> Any:
    given: dict[str, Any] = {"password": box.password, "net": box.net, **options}
    return mailtide.open(path / "ada.mail", box.url, **given)


async def flagged(events: mailtide.Watch) -> mailtide.Flags:
    """The next change of flags."""
    while not isinstance(event := await asyncio.wait_for(anext(events), 30), mailtide.Flags):
        pass
    return event


def test_opening_needs_no_network_and_no_account(tmp_path: Path, box: Box):
    async def main() -> None:
        nowhere = mailtide.open(tmp_path / "a.mail", "imaps://ada@nowhere.invalid", password="x")
        async with nowhere as mail:
            with pytest.raises(mailtide.NetError):
                await mail.sync()
            with pytest.raises(mailtide.MailboxMissingError):
                await mail.mailbox("INBOX").count()
        assert mail.closed
        async with mailtide.open(tmp_path / "b.mail") as mail:
            await mail.create_mailbox("Notes", exist_ok=True)
            notes = mail.mailbox("Notes")
            ref = await notes.append(letter(1), flags=[Flag.SEEN, "$A"])
            message = await notes.fetch(ref).first()
            assert message is not None and message.flags == {Flag.SEEN, "$A"} and message.ref == ref
            assert bytes(await message.raw()) == letter(1)
        mail = await mailtide.open(tmp_path / "b.mail")
        assert await mail.mailbox("Notes").count("is:read") == 1
        await mail.close()
        with pytest.raises(mailtide.UsageError) as caught:
            await mail.mailbox("Notes").count()
        assert caught.value.code == "usage.closed"

    asyncio.run(main())


def test_what_was_synced_is_read_without_the_server(tmp_path: Path, away: Box, machine: Dovecot):
    away.fill(5)

    async def first() -> None:
        seen: list[mailtide.Progress] = []
        async with open_(away, tmp_path) as mail:
            report = await mail.sync(progress=seen.append)
            assert report.added == 5 and report.problems == ()
        assert seen and all(one.done <= (one.total or one.done) for one in seen)

    async def offline() -> None:
        async with open_(away, tmp_path) as mail:
            inbox = mail.mailbox(Role.INBOX)
            messages = await inbox.fetch(order="newest").list()
            assert [m.subject for m in messages] == [f"Letter {n}" for n in (5, 4, 3, 2, 1)]
            assert isinstance(messages[0], mailtide.Message) and messages[0].from_[0].email == "grace@example.org"
            assert await messages[0].text() == "Hello 5\n"
            assert bytes(await messages[0].raw()) == letter(5) and messages[0].size == len(letter(5))
            assert b"".join([bytes(piece) async for piece in messages[1].stream()]) == letter(4)
            assert (await messages[0].headers())["message-id"] == "<5@example.org>"
            assert await inbox.count("subject:\"Letter 2\"") == 1 and await inbox.count(Q.read()) == 0
            assert [ref.uid for ref in await inbox.search("from:grace")] == [m.uid for m in reversed(messages)]
            assert (await inbox.status()).messages == 5
            assert {"INBOX", "Archive", "Sent"} <= {box.name for box in await mail.mailboxes()}
            copy = pickle.loads(pickle.dumps(messages[0]))
            assert copy.ref == messages[0].ref and copy.subject == "Letter 5"

    asyncio.run(first())
    machine.stop()
    asyncio.run(offline())


def test_changes_made_offline_show_at_once_and_arrive_later(tmp_path: Path, away: Box, machine: Dovecot):
    away.fill(4)

    async def main() -> None:
        async with open_(away, tmp_path) as mail:
            await mail.sync()
        # A connection that is open may outlive the server for a moment.
        machine.stop()
        async with open_(away, tmp_path) as mail:
            inbox = mail.mailbox("INBOX")
            one, two, three, four = await inbox.fetch().list()
            await inbox.flag(one, add=[Flag.SEEN, "$A"])
            moved = await inbox.move(two, Role.ARCHIVE)
            assert moved.ok and moved.done[0].source == two.ref
            await inbox.delete(three)
            await inbox.expunge(four.ref)
            await inbox.append(letter(9), flags=[Flag.DRAFT])
            assert [m.subject for m in await inbox.fetch().list()] == ["Letter 1", "Letter 9"]
            assert await mail.mailbox(Role.ARCHIVE).count() == await mail.mailbox(Role.TRASH).count() == 1
            waiting = await mail.pending()
            assert {one.kind for one in waiting} >= {"flag", "move", "append"}
            assert pickle.loads(pickle.dumps(waiting)) == waiting
            with pytest.raises(mailtide.NetError):
                await mail.sync()
            bring_back(machine)
            assert (await mail.sync()).applied >= 5
            assert await mail.pending() == []

    asyncio.run(main())
    assert {frozenset(flags - {"\\Recent"}) for flags in away.flags().values()} == {
        frozenset({"\\Seen", "$A"}),
        frozenset({"\\Draft"}),
    }
    assert len(away.flags("Archive")) == len(away.flags("Trash")) == 1


def test_a_mailbox_that_loses_much_at_once_waits_for_a_word(tmp_path: Path, away: Box):
    away.fill(30)

    async def main() -> None:
        async with open_(away, tmp_path, keep="headers") as mail:
            assert (await mail.sync()).mailboxes["INBOX"].added == 30
            imap = away.imaplib()
            imap.select()
            imap.store("1:25", "+FLAGS", "\\Deleted")
            imap.expunge()
            imap.logout()
            report = await mail.sync()
            (paused,) = await mail.paused()
            assert report.paused == (paused,) and report.removed == 0 and "confirm" in str(paused)
            assert pickle.loads(pickle.dumps(report)).mailboxes == report.mailboxes
            assert await mail.mailbox("INBOX").count() == 30
            await mail.confirm(paused.mailbox)
            assert (await mail.sync()).mailboxes["INBOX"].removed == 25
            assert await mail.paused() == [] and await mail.mailbox("INBOX").count() == 5

    asyncio.run(main())


def test_a_sync_that_is_cancelled_leaves_the_store_usable(tmp_path: Path, away: Box):
    away.fill(300)

    async def main() -> None:
        async with open_(away, tmp_path) as mail:
            begun = asyncio.Event()
            task = asyncio.create_task(mail.sync(progress=lambda _: begun.set()))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await mail.pending() == []
            await mail.sync()
            inbox = mail.mailbox("INBOX")
            assert sorted([bytes(await m.raw()) for m in await inbox.fetch().list()]) == sorted(map(letter, range(1, 301)))

    asyncio.run(main())


def test_a_plan_changes_nothing(tmp_path: Path, away: Box):
    away.fill(2)

    async def main() -> None:
        async with open_(away, tmp_path) as mail:
            plan = await mail.sync(dry_run=True)
            assert plan.work and all(str(step) for step in plan.work)
            assert await mail.mailboxes() == []

    asyncio.run(main())


def test_changes_are_told_once_across_restarts(tmp_path: Path, away: Box):
    away.fill(2)

    async def main() -> None:
        async with open_(away, tmp_path) as mail:
            await mail.sync()
            inbox = mail.mailbox("INBOX")
            async with mail.changes() as events:
                await inbox.flag(UidSet("1"), add=[Flag.SEEN])
                event = await flagged(events)
                assert event.added == {Flag.SEEN} and event.ref.uid == 1
            await inbox.flag(UidSet("2"), add=["$B"])
        async with open_(away, tmp_path) as mail:
            async with mail.changes(since=event.cursor) as events:
                told = await flagged(events)
                assert (told.ref.uid, told.added) == (2, {"$B"})
                assert pickle.loads(pickle.dumps(told)) == told
            with pytest.raises(mailtide.UsageError):
                await anext(mail.changes(since="nonsense"))
            async with mailtide.open(tmp_path / "other.mail") as other:
                with pytest.raises(mailtide.CursorExpiredError):
                    await anext(other.changes(since=event.cursor))
            waiting = mail.changes()
            asyncio.get_running_loop().call_later(0.1, waiting.close)
            assert [event async for event in waiting] == []

    asyncio.run(main())


def test_it_follows_the_server_until_it_is_cancelled(tmp_path: Path, away: Box):
    away.fill(1)

    async def main() -> None:
        async with open_(away, tmp_path) as mail:
            await mail.sync()
            told: list[mailtide.Progress] = []
            following = asyncio.create_task(mail.keep_in_sync(progress=told.append))
            async with mail.changes() as events:
                away.fill(1)
                while not isinstance(event := await asyncio.wait_for(anext(events), 30), mailtide.New):
                    pass
                assert event.message.subject == "Letter 1"
                await mail.mailbox("INBOX").flag(event.message, add="$Here")
                while await mail.pending():
                    await asyncio.wait_for(anext(events), 30)
            following.cancel()
            with pytest.raises(asyncio.CancelledError):
                await following
            assert {"headers", "bodies"} <= {progress.phase for progress in told}

    asyncio.run(main())
    assert {"$Here"} in [flags - {"\\Recent"} for flags in away.flags().values()]


def test_a_body_that_is_not_held_is_an_error_and_never_empty(tmp_path: Path, away: Box, machine: Dovecot):
    away.fill(1)

    async def main() -> None:
        async with open_(away, tmp_path, keep="headers") as mail:
            await mail.sync()
        machine.stop()
        async with open_(away, tmp_path) as mail:
            message = await mail.mailbox("INBOX").fetch().first()
            assert message is not None and message.subject == "Letter 1"
            with pytest.raises(mailtide.BodyNotHereError):
                await message.text()
            bring_back(machine)
            assert await message.text() == "Hello 1\n"

    asyncio.run(main())


def test_a_message_to_be_sent_waits_in_the_store(tmp_path: Path, away: Box, machine: Dovecot):
    machine.stop()

    async def main() -> None:
        async with open_(away, tmp_path, smtp=f"smtp://localhost:{free_ports(1)[0]}") as mail:
            draft = Draft(to="Grace <grace@example.org>", subject="Re: moth", text="See the log.", from_="ada@example.org")
            sent = await mail.send(draft)
            assert sent.state == "queued" and [one.address for one in sent.recipients] == ["grace@example.org"]
            with pytest.raises(mailtide.UsageError):
                await mail.send(Draft(subject="to nobody"))
            later = await mail.send(draft, at=datetime.now(UTC) + timedelta(days=1), key="once")
            assert (await mail.send(draft, key="once")).id == later.id
            assert (await mail.cancel(later)).state == "cancelled"
            assert [one.id for one in await mail.outbox()] == [sent.id]
        async with open_(away, tmp_path) as mail:
            assert [one.message_id for one in await mail.outbox()] == [sent.message_id]
            with pytest.raises(mailtide.UsageError, match="submission server"):
                await mail.send(draft)

    asyncio.run(main())


def test_a_backup_is_a_store_of_its_own(tmp_path: Path, away: Box):
    away.fill(3)

    async def main() -> None:
        async with open_(away, tmp_path) as mail:
            await mail.sync()
            usage = await mail.usage()
            assert usage.messages >= 3 and usage.file > 0
            await mail.backup(tmp_path / "backup.mail")
            with pytest.raises(mailtide.MailError):
                await mail.backup(tmp_path / "nowhere" / "backup.mail")
        async with mailtide.open(tmp_path / "backup.mail") as copy:
            assert await copy.mailbox("INBOX").count() == 3

    asyncio.run(main())


def test_what_is_no_store_is_a_typed_error(tmp_path: Path):
    (tmp_path / "letter.mail").write_bytes(letter(1) * 100)

    async def main() -> None:
        with pytest.raises(mailtide.StoreError):
            await mailtide.open(tmp_path / "letter.mail")
        with pytest.raises(mailtide.MailError):
            await mailtide.open(tmp_path / "nowhere" / "ada.mail")

    asyncio.run(main())


def test_the_blocking_twin_does_the_same(tmp_path: Path, away: Box):
    away.fill(2)
    with blocking.open(tmp_path / "ada.mail", away.url, password=away.password, net=away.net) as mail:
        assert mail.sync(progress=lambda _: None).added == 2
        inbox = mail.mailbox("INBOX")
        assert [m.text() for m in inbox.fetch()] == ["Hello 1\n", "Hello 2\n"]
        assert inbox.flag(inbox.fetch().list(), add=Flag.SEEN).ok
        assert len(mail.pending()) > 0 and mail.sync().applied > 0
    assert mail.closed
    assert [flags - {"\\Recent"} for flags in away.flags().values()] == [{"\\Seen"}] * 2


def test_what_is_imported_reaches_the_server_once(tmp_path: Path, away: Box):
    away.fill(2)

    async def main() -> None:
        async with open_(away, tmp_path) as mail:
            await mail.sync()
            seen: list[mailtide.Progress] = []
            await mail.mailbox("INBOX").flag(UidSet("1"), add=[Flag.FLAGGED, "$A"])
            done = await mail.export(tmp_path / "out", format="maildir", mailbox="INBOX", progress=seen.append)
            assert (done.messages, seen[-1].done, seen[-1].total) == (2, 2, 2)
            assert (await mail.import_(tmp_path / "out", to="Old")).messages == 2
            assert (await mail.import_(tmp_path / "out", to="INBOX")).known == 2
            assert (await mail.sync()).problems == ()
            assert (await mail.import_(tmp_path / "out", to="Old")).known == 2
            assert await mail.pending() == []

    asyncio.run(main())
    flags = sorted(sorted(one - {"\\Recent"}) for one in away.flags("Old").values())
    assert flags == [[], ["$A", "\\Flagged"]]


def test_a_body_that_is_not_held_is_fetched_for_an_export_or_is_an_error(tmp_path: Path, away: Box, machine: Dovecot):
    away.fill(3)

    async def main() -> None:
        async with open_(away, tmp_path, keep="headers") as mail:
            await mail.sync()
            assert (await mail.export(tmp_path / "one.mbox", mailbox="INBOX")).messages == 3
        machine.stop()
        async with open_(away, tmp_path, keep="headers") as mail:
            with pytest.raises(mailtide.BodyNotHereError) as caught:
                await mail.export(tmp_path / "two.mbox", mailbox="INBOX")
            assert caught.value.context["mailbox"] == "INBOX" and caught.value.context["uid"] == 1

    asyncio.run(main())
    assert sorted(file.name for file in tmp_path.iterdir() if "mbox" in file.name or file.name.startswith(".")) == ["one.mbox"]
    text = (tmp_path / "one.mbox").read_text()
    assert all(f"Hello {number}" in text for number in (1, 2, 3))
