"""Messages handed in at a real Postfix, with the Dovecot beside it that keeps the copies; and at a server that is cut off."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

import mailtide
from conftest import Box
from mailtide import Draft, Outgoing, blocking
from servers.postfix import Postfix
from servers.private import ServerError, free_ports


@pytest.fixture(scope="module")
def postfix() -> Iterator[dict[str, Any]]:
    try:
        server = Postfix()
        server.start()
    except ServerError as error:
        pytest.skip(f"no Postfix: {error}")
    with_mail = dict(server.env)
    yield with_mail
    server.stop()


@pytest.fixture
def own(postfix: dict[str, Any], request: pytest.FixtureRequest) -> Box:
    """A fresh account there."""
    return Box(postfix, f"send-{abs(hash(request.node.name))}")


def open_(box: Box, path: Path, smtp: str | None = None, **options: Any) -> Any:
    given: dict[str, Any] = {"password": box.password, "net": box.net, "sender": "Ada <ada@example.org>", **options}
    return mailtide.open(path / "ada.mail", box.url, smtp=smtp or tls(box), **given)


def tls(box: Box) -> str:
    return f"smtps://{box.user}@localhost:{box.env['smtps_port']}"


def starttls(box: Box) -> str:
    return f"smtp+starttls://{box.user}@localhost:{box.env['smtp_port']}"


def delivered(box: Box, message_id: str) -> list[bytes]:
    """What Postfix has put into its Maildir of that message."""
    folder = Path(box.env["mail"]) / "new"
    texts = [file.read_bytes() for file in folder.iterdir()] if folder.is_dir() else []
    return [text for text in texts if message_id.encode() in text]


async def arrived(box: Box, message_id: str, copies: int) -> list[bytes]:
    """The same, as soon as there are so many. Another process writes there, and gives no event."""
    for _ in range(600):
        found = delivered(box, message_id)
        if len(found) >= copies:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"{len(found)} of {copies} copies came")


def filed(box: Box) -> list[str | None]:
    """The Message-IDs of what is in Sent, as another client sees it."""
    with box.imaplib() as client:
        client.select("Sent", readonly=True)
        found = client.uid("FETCH", "1:*", "(BODY.PEEK[])")[1]
    return [message_from_bytes(one[1])["Message-ID"] for one in found if isinstance(one, tuple)]


def letter_to(*to: str) -> Draft:
    return Draft(to=list(to), subject="moth", text="Found it.\n.\n")


@pytest.mark.parametrize("server", [tls, starttls], ids=["tls", "starttls"])
def test_a_message_arrives_once_and_is_filed_once(tmp_path: Path, own: Box, server: Callable[[Box], str]):
    (tmp_path / "log.txt").write_text("0x46\n")

    async def main() -> None:
        async with open_(own, tmp_path, server(own)) as mail:
            draft = replace(letter_to("grace@example.org"), attach=Draft(attach=[tmp_path / "log.txt"]).attach)
            sent = await mail.send(draft)
            for _ in range(3):
                assert (await mail.sync()).problems == ()
            assert await mail.outbox() == []
            (raw,) = await arrived(own, sent.message_id, 1)
            whole = message_from_bytes(raw)
            assert whole["From"] in ('"Ada" <ada@example.org>', "Ada <ada@example.org>")
            text, file = whole.get_payload()
            assert text.get_payload() == "Found it.\n.\n" and file.get_payload(decode=True) == b"0x46\n"
            assert filed(own) == [f"<{sent.message_id}>"]
            # It is read, answered and passed on from the store.
            copy = await mail.mailbox("Sent").fetch().first()
            assert copy is not None
            reply = await copy.reply("Still here.", me="ada@example.org")
            assert [one.email for one in reply.to] == ["grace@example.org"] and reply.in_reply_to == sent.message_id
            passed_on = await copy.forward("carol@example.org")
            assert [file.content for file in passed_on.attach] == [b"0x46\n"]
            await mail.send(reply)
            second = await mail.send(passed_on)
            assert (await mail.sync()).problems == ()
            (raw,) = [raw for raw in await arrived(own, second.message_id, 1) if b"Fwd: moth" in raw]
            assert b"MHg0Ngo=" in raw
        assert len(filed(own)) == 3

    asyncio.run(main())


def test_each_recipient_is_answered_for(tmp_path: Path, own: Box):
    async def main() -> None:
        async with open_(own, tmp_path) as mail:
            sent = await mail.send(letter_to("grace@example.org", "refused@example.org", "later@example.org"))
            await mail.sync()
            (one,) = await mail.outbox()
            states = {recipient.address: recipient.state for recipient in one.recipients}
            assert states == {"grace@example.org": "accepted", "refused@example.org": "rejected", "later@example.org": "waiting"}
            assert one.state == "queued" and one.attempts == 1 and one.not_before is not None
            assert any("not now" in (recipient.reply or "") for recipient in one.recipients)
            # What was put off may still be taken back; whoever has it keeps it.
            assert (await mail.cancel(one)).state == "accepted"
            await mail.sync()
            assert await mail.outbox() == [] and len(await arrived(own, sent.message_id, 1)) == 1
            assert filed(own) == [f"<{sent.message_id}>"]

    asyncio.run(main())


def test_a_message_waits_for_its_time_and_can_be_taken_back(tmp_path: Path, own: Box):
    async def main() -> None:
        async with open_(own, tmp_path) as mail:
            soon = await mail.send(letter_to("grace@example.org"), at=datetime.now(UTC) + timedelta(seconds=2))
            never = await mail.send(letter_to("carol@example.org"), at=datetime.now(UTC) + timedelta(days=1))
            await mail.sync()
            assert {one.id for one in await mail.outbox()} == {soon.id, never.id}
            assert delivered(own, soon.message_id) == []
            assert (await mail.cancel(never)).state == "cancelled"
            while await mail.outbox():
                await mail.sync()
            assert len(await arrived(own, soon.message_id, 1)) == 1 and delivered(own, never.message_id) == []
            with pytest.raises(mailtide.UsageError):
                await mail.cancel(soon)

    asyncio.run(main())


def test_a_copy_that_the_provider_has_filed_is_not_filed_again(tmp_path: Path, own: Box):
    async def main() -> None:
        async with open_(own, tmp_path) as mail:
            sent = await mail.send(letter_to("grace@example.org"))
            file_copy(own, sent)
            assert (await mail.sync()).problems == () and await mail.outbox() == []
            without = await mail.send(letter_to("grace@example.org"), copy=False)
            await mail.sync()
            assert len(await arrived(own, without.message_id, 1)) == 1
        assert filed(own) == [f"<{sent.message_id}>"]

    asyncio.run(main())


def file_copy(box: Box, sent: Outgoing) -> None:
    """What a provider does by itself."""
    with box.imaplib() as client:
        client.create("Sent")
        client.append("Sent", "", "", f"Message-ID: <{sent.message_id}>\r\nSubject: moth\r\n\r\n".encode())


def test_a_wrong_password_and_a_server_that_is_away_are_problems_of_the_report(tmp_path: Path, own: Box):
    async def main() -> None:
        wrong = f"smtps://{own.user}:wrong@localhost:{own.env['smtps_port']}"
        async with open_(own, tmp_path, wrong) as mail:
            await mail.send(letter_to("grace@example.org"))
            (problem,) = (await mail.sync()).problems
            assert isinstance(problem, mailtide.AuthError) and "wrong" not in str(problem)
            (one,) = await mail.outbox()
            assert one.state == "queued"
        async with open_(own, tmp_path, f"smtp://localhost:{free_ports(1)[0]}") as mail:
            (problem,) = (await mail.sync()).problems
            assert isinstance(problem, mailtide.NetError)

    asyncio.run(main())


class CutOff:
    """Takes a message up to its final dot, and is gone before it answers."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.messages: list[bytes] = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, client.makefile("rwb", buffering=0) as stream:
                stream.write(b"220 here\r\n")
                self.talk(stream)

    def talk(self, stream: Any) -> None:
        while line := stream.readline():
            if not line.upper().startswith(b"DATA"):
                stream.write(b"250 ok\r\n")
                continue
            stream.write(b"354 go on\r\n")
            lines = list(iter(stream.readline, b".\r\n"))
            self.messages.append(b"".join(lines))
            return

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


@pytest.fixture
def cut_off() -> Iterator[CutOff]:
    server = CutOff()
    yield server
    server.close()


def test_a_message_that_may_have_been_sent_is_never_sent_again_by_itself(tmp_path: Path, own: Box, cut_off: CutOff):
    async def main() -> None:
        async with open_(own, tmp_path, f"smtp://localhost:{cut_off.port}") as mail:
            sent = await mail.send(letter_to("grace@example.org"))
            for _ in range(3):
                await mail.sync()
            (one,) = await mail.outbox()
            assert (one.id, one.state, one.recipients[0].state) == (sent.id, "uncertain", "uncertain")
            assert len(cut_off.messages) == 1
            with pytest.raises(mailtide.UsageError):
                await mail.cancel(one)
            # It is decided by a person: once more.
            assert (await mail.decide(one, "resend")).state == "queued"
            await mail.sync()
            assert len(cut_off.messages) == 2 and cut_off.messages[0] == cut_off.messages[1]
            (one,) = await mail.outbox()
            assert (await mail.decide(one, "sent")).state == "accepted"
            await mail.sync()
            assert await mail.outbox() == [] and filed(own) == [f"<{sent.message_id}>"]
            # Or it is found where the provider has filed it.
            other = await mail.send(letter_to("carol@example.org"))
            file_copy(own, other)
            while await mail.outbox():
                await mail.sync()
            assert len(cut_off.messages) == 3

    asyncio.run(main())


def test_the_blocking_twin_sends_as_well(tmp_path: Path, own: Box):
    given: dict[str, Any] = {"password": own.password, "net": own.net, "sender": "ada@example.org"}
    with blocking.open(tmp_path / "ada.mail", own.url, smtp=tls(own), **given) as mail:
        sent = mail.send(letter_to("grace@example.org"))
        assert mail.sync().problems == () and mail.outbox() == []
        mail.sync()
        message = mail.mailbox("Sent").fetch().first()
        assert message is not None
        assert message.reply(me="ada@example.org").to[0].email == "grace@example.org"
        assert message.forward("carol@example.org").subject == "Fwd: moth"
    assert filed(own) == [f"<{sent.message_id}>"]
