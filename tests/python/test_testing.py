"""The server for tests: with our own client, and with imaplib."""

from __future__ import annotations

import imaplib
from email.message import EmailMessage

import pytest

import mailtide
from conftest import in_loop
from mailtide import Draft, Flag, blocking, testing

LETTER = b"Subject: moth\r\nFrom: ada@example.org\r\n\r\nrelay 70\r\n"


@in_loop
async def test_mail_is_seen_from_both_sides() -> None:
    composed = EmailMessage()
    composed["Subject"] = "log"
    composed.set_content("page 2")
    async with testing.Server(mail={"INBOX": [LETTER, composed], "Archive/2025": [Draft(subject="old")]}) as server:
        async with mailtide.connect(server.url, password=server.password) as session:
            inbox = session.mailbox("INBOX")
            assert [message.subject async for message in inbox.fetch()] == ["moth", "log"]
            async with inbox.watch() as events:
                assert await server.deliver("INBOX", Draft(subject="new", text="…"), flags=Flag.FLAGGED) == 3
                event = await anext(aiter(events))
            assert isinstance(event, mailtide.New) and event.message.subject == "new"
            await inbox.move(event.message, "Archive")
        assert [message.subject for message in await server.messages("Archive")] == ["new"]
        assert [message.from_ for message in await server.messages("Archive/2025")] == [
            (mailtide.Address("grace@example.org", "Grace Hopper"),)
        ]
        assert (await server.mail.mailbox("INBOX").status()).messages == 2
        assert any(command.startswith("UID MOVE 3") for command in server.commands)


@in_loop
async def test_capabilities_are_taken_away_and_clients_do_without() -> None:
    async with testing.Server(mail={"INBOX": [LETTER]}, without=["MOVE", "ESEARCH"]) as server:
        async with mailtide.connect(server.url, password=server.password) as session:
            assert not {"MOVE", "ESEARCH", "IMAP4REV2"} & set(await session.capabilities())
            await session.mailbox("INBOX").move(1, "Archive")
        assert [message.subject for message in await server.messages("Archive")] == ["moth"]
        assert await server.messages() == []


@in_loop
async def test_faults_happen_on_command() -> None:
    async with testing.Server(mail={"INBOX": [LETTER]}) as server:
        server.fault("no", "STATUS", text="[INUSE] Come back later")
        async with mailtide.connect(server.url, password=server.password) as session:
            with pytest.raises(mailtide.ServerError, match="Come back later"):
                await session.status("INBOX")
            assert (await session.status("INBOX")).messages == 1
            server.fault("cut", "FETCH", after=20)
            with pytest.raises(mailtide.NetError):
                await session.mailbox("INBOX").fetch().list()


@pytest.mark.parametrize("wrong", [{"kind": "explode"}, {"kind": "cut", "nth": 0}, {"kind": "no", "after": 3}])
def test_a_fault_that_cannot_happen_is_refused(wrong: dict[str, object]) -> None:
    with testing.BlockingServer() as server, pytest.raises(mailtide.UsageError):
        server.fault(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"without": "MOVE"}, {"without": ["COMPRESS"]}, {"quirks": ["Dovecot"]}])
def test_a_server_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(mailtide.UsageError):
        testing.BlockingServer(**wrong).start()  # type: ignore[arg-type]


def test_the_fixture_has_a_server_for_any_client(mailtide_server: testing.BlockingServer) -> None:
    with imaplib.IMAP4(mailtide_server.host, mailtide_server.port) as client:
        client.login("ada", "secret")
        client.append("INBOX", "", "", LETTER)
    assert [message.text() for message in mailtide_server.messages()] == ["relay 70\n"]


@pytest.mark.mailtide_server(mail={"Junk": [LETTER]}, quirks=["Exchange and Office 365"], user="grace")
def test_the_fixture_is_started_with_what_its_mark_says(mailtide_server: testing.BlockingServer) -> None:
    assert mailtide_server.user == "grace"
    assert len(mailtide_server.messages("Junk")) == 1
    with pytest.raises(mailtide.AuthError, match="not connected"):
        blocking.connect(mailtide_server.url, password="secret")
    with blocking.connect(mailtide_server.url, password="secret") as session:
        assert session.status("Junk").messages == 1
