"""What a user writes, for the type checkers: nothing here is run."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import assert_never, assert_type

import mailtide
from mailtide import Address, BulkResult, Bytes, Flag, Message, MessageRef, Q, Role, UidSet, blocking, q, testing


async def token(request: mailtide.TokenRequest) -> mailtide.Token:
    return mailtide.Token(f"{request.user} {request.reason}", expires_at=datetime.now())


async def chunks() -> AsyncIterator[bytes]:
    yield b"Subject: x\r\n\r\n"


async def triage(who: str) -> None:
    engine = mailtide.Engine(logger=logging.getLogger("x"), on_stats=print)
    net = mailtide.Net(ca=Path("ca.pem"), timeouts=mailtide.Timeouts(connect=5))
    async with mailtide.connect("imaps://ada@h", password=input, net=net, engine=engine) as session:
        assert_type(session, mailtide.Session)
        inbox = session.mailbox("INBOX")
        async for message in inbox.fetch(q("from:{who}", who=who), parts=["text"], order="newest", limit=3):
            assert_type(message, Message)
            assert_type(message.from_, tuple[Address, ...])
            assert_type(message.received, datetime | None)
            assert_type(await message.text(), str)
            assert_type(await message.raw(), Bytes)
            async for piece in message.stream():
                memoryview(piece)
            for attachment in message.attachments:
                assert_type(await attachment.save(Path("x"), progress=True), Path)
            assert_type(await inbox.move(message, Role.ARCHIVE), BulkResult)
            await inbox.move(message.ref, ["Archive", "News"], create=True)
        await inbox.flag([1, 2, 3], add=[Flag.SEEN, "$Invoice"], remove=Flag.FLAGGED)
        await inbox.delete(UidSet("1:5"), partial="return")
        await inbox.expunge(Q.unread() & ~Q.from_(who))
        await inbox.delete("123")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        assert_type(await inbox.search(), list[MessageRef])
        assert_type(await inbox.append(chunks(), flags=Flag.SEEN), MessageRef | None)
        await inbox.append(Path("letter.eml"), progress=lambda progress: print(progress.done))
        async with inbox.watch(since="all") as events:
            async for event in events:
                print(seen(event))
    session = await mailtide.connect(mailtide.Account("imaps://ada@h", token=token))
    await session.close()


async def offline(path: Path, cursor: str | None) -> None:
    async with mailtide.open(path, "imaps://ada@h", password=input, smtp="smtp.h", keep="text") as mail:
        assert_type(mail, mailtide.Mail)
        assert_type(await mail.sync(progress=True), mailtide.SyncReport)
        inbox = mail.mailbox(Role.INBOX)
        assert_type(inbox, mailtide.Mailbox)
        assert_type(await inbox.fetch("is:unread").first(), Message | None)
        assert_type(await mail.pending(), list[mailtide.Pending])
        for deleted in await mail.deleted(limit=5):
            assert_type(deleted.from_, tuple[mailtide.Address, ...])
            assert_type(await mail.restore(deleted, Role.INBOX), mailtide.MessageRef)
        draft = mailtide.Draft(to=[Address("grace@h"), "ada@h"], attach=[path], headers={"X-Moth": "1"})
        assert_type(await mail.send(draft, at=datetime.now()), mailtide.Outgoing)
        async for change in mail.changes(since=cursor or await mail.cursor()):
            print(seen(change))
    store = await mailtide.open("b.mail", keep=mailtide.Keep("all", days=30))
    await store.close()


def seen(event: mailtide.Event) -> str:
    match event:
        case mailtide.New(message, cursor):
            return f"{message.subject} {cursor}"
        case mailtide.Flags(ref, added, removed):
            return f"{ref.uid} {added - removed}"
        case mailtide.Removed(ref):
            return str(ref)
        case mailtide.Reset(mailbox) | mailtide.Gap(mailbox) | mailtide.MailboxGone(mailbox):
            return mailbox
        case mailtide.MailboxAdded(mailbox) | mailtide.MailboxChanged(mailbox):
            return mailbox
        case mailtide.MailboxRenamed(before, mailbox):
            return f"{before} {mailbox}"
        case mailtide.PendingChanged(id) | mailtide.OutgoingChanged(id):
            return str(id)
        case mailtide.Offline(error):
            return error.code
        case mailtide.Online():
            return ""
        case _:
            assert_never(event)


def without_await() -> None:
    with blocking.connect("imaps://ada@h", password=lambda: "x") as session:
        assert_type(session, blocking.Session)
        for message in session.mailbox(Role.INBOX).fetch("is:unread"):
            assert_type(message, blocking.Message)
            assert_type(message.text(), str)
            for piece in message.stream():
                assert_type(piece, Bytes)
        messages = session.mailbox("INBOX").fetch().list()
        assert_type(messages, list[blocking.Message])
        assert_type(session.mailbox("INBOX").flag(messages, set=[]), BulkResult)
        with session.mailbox("INBOX").watch() as events:
            for event in events:
                assert_type(event.cursor, str)
    with blocking.open("ada.mail", "imaps://ada@h", password="x") as mail:
        assert_type(mail, blocking.Mail)
        assert_type(mail.sync(dry_run=True).work, tuple[mailtide.Step, ...])
        mail.keep_in_sync(bytes_a_day=1_000_000, progress=True, every_seconds=60)
        assert_type(mail.restore(mail.deleted()[0]), mailtide.MessageRef)
        assert_type(mail.mailbox("INBOX").fetch().first(), blocking.Message | None)
        for change in mail.changes():
            assert_type(change.cursor, str)


async def serve(mail: mailtide.Mail) -> None:
    async with mailtide.Server(Path("ada.mail"), user="ada", tls=True) as server:
        assert_type(server, mailtide.Server)
        assert_type(server.password, str | None)
    gateway = await mailtide.Server(mail, address="127.0.0.1:1143", tls=(Path("chain.pem"), "key.pem"))
    assert_type(gateway.port, int)
    await gateway.close()
    async with testing.Server(mail={"INBOX": [b"", mailtide.Draft()]}, without=["MOVE"]) as tested:
        assert_type(await tested.deliver(Role.ARCHIVE, b"", flags=[Flag.SEEN]), int)
        assert_type(await tested.messages(), list[Message])
        assert_type(tested.mail, mailtide.Mail)
        tested.fault("delay", "FETCH", after=3, delay=0.1)


def serve_in_a_test(mailtide_server: testing.BlockingServer) -> None:
    with blocking.Server("ada.mail", user="ada") as server:
        assert_type(server, blocking.Server)
        assert_type(server.url, str)
    assert_type(mailtide_server.deliver("INBOX", b""), int)
    assert_type([message.subject for message in mailtide_server.messages()], list[str | None])
    assert_type(mailtide_server.commands, list[str])
