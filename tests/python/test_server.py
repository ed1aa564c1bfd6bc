"""`Server`: a store for other mail clients, seen through imaplib."""

from __future__ import annotations

import imaplib
import ssl
from pathlib import Path

import pytest

import mailtide
from conftest import in_loop, letter
from mailtide import UsageError, blocking


@in_loop
async def test_a_file_is_served_and_what_clients_add_is_in_it(tmp_path: Path) -> None:
    async with mailtide.Server(tmp_path / "ada.mail", user="ada", password="secret") as server:
        assert server.url == f"imap://ada@127.0.0.1:{server.port}"
        assert server.certificate is None
        async with mailtide.connect(server.url, password="secret") as session:
            assert {"INBOX", "Archive", "Sent"} <= {info.name for info in await session.mailboxes()}
            await session.mailbox("INBOX").append(letter(1))
    async with mailtide.open(tmp_path / "ada.mail") as mail:
        assert [message.subject async for message in mail.mailbox("INBOX").fetch()] == ["Letter 1"]


@in_loop
async def test_a_mail_is_served_and_stays_open(tmp_path: Path) -> None:
    async with mailtide.open(tmp_path / "ada.mail") as mail:
        await mail.mailbox("INBOX").append(letter(1))
        server = await mailtide.Server(mail, user="ada@example.org")
        assert server.url == f"imap://ada%40example.org@127.0.0.1:{server.port}"
        assert server.password and len(server.password) >= 16
        async with mailtide.connect(server.url, password=server.password) as session:
            await session.mailbox("INBOX").flag(1, add=[mailtide.Flag.SEEN])
        await server.close()
        await server.close()
        assert [message.flags async for message in mail.mailbox("INBOX").fetch()] == [{"\\Seen"}]
        with pytest.raises(mailtide.NetError):
            await mailtide.connect(server.url, password=server.password)


def test_other_programs_read_over_tls_with_the_certificate_that_was_made(tmp_path: Path) -> None:
    with blocking.Server(tmp_path / "ada.mail", user="ada", tls=True) as server:
        assert server.url.startswith("imaps://ada@") and server.password is not None
        context = ssl.create_default_context(cadata=server.certificate)
        with imaplib.IMAP4_SSL(server.host, server.port, ssl_context=context) as client:
            client.login("ada", server.password)
            assert client.select("INBOX") == ("OK", [b"0"])
        net = mailtide.Net(ca=server.certificate)
        with blocking.connect(server.url, password=server.password, net=net) as session:
            assert session.mailbox("INBOX").status().messages == 0
    files = (tmp_path / "mailtide-server.crt", tmp_path / "mailtide-server.key")
    with blocking.Server(tmp_path / "ada.mail", user="ada", tls=files) as again:
        assert again.certificate == server.certificate and again.password != server.password


def test_nobody_logs_in_before_starttls(tmp_path: Path) -> None:
    with blocking.Server(tmp_path / "ada.mail", user="ada", password="secret", tls=True, starttls=True) as server:
        assert server.url.startswith("imap+starttls://ada@")
        with imaplib.IMAP4(server.host, server.port) as client:
            with pytest.raises(imaplib.IMAP4.error, match="First STARTTLS"):
                client.login("ada", "secret")
            client.starttls(ssl.create_default_context(cadata=server.certificate))
            assert client.login("ada", "secret")[0] == "OK"


def test_a_check_of_tokens_that_fails_lets_nobody_in_and_harms_nobody(tmp_path: Path) -> None:
    def check(user: str, token: str) -> bool:
        if token == "down":
            raise RuntimeError(token)
        return 1 if token == "like true" else token == "good"  # type: ignore[return-value]

    with blocking.Server(tmp_path / "ada.mail", user="ada", password="secret", tokens=check) as server:
        for wrong, expected in [("down", "server.unavailable"), ("like true", "server.unavailable"), ("bad", "auth.token_expired")]:
            with pytest.raises(mailtide.MailError) as raised:
                blocking.connect(mailtide.Account(server.url, token=wrong))
            assert raised.value.code == expected
        with blocking.connect(mailtide.Account(server.url, token="good")) as session:
            assert "INBOX" in {info.name for info in session.mailboxes()}


@pytest.mark.parametrize(
    "wrong", [{"address": "imap.example.org:143"}, {"address": "0.0.0.0:0", "user": "ada"}, {"password": "secret"}, {"user": ""}, {"starttls": True}, {"tokens": True}]
)
@in_loop
async def test_what_cannot_be_served_is_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError) as raised:
        await mailtide.Server(tmp_path / "ada.mail", **wrong)  # type: ignore[arg-type]
    assert raised.value.code == "usage.argument"


@in_loop
async def test_one_that_was_not_started_says_so(tmp_path: Path) -> None:
    server = mailtide.Server(tmp_path / "ada.mail")
    with pytest.raises(UsageError, match="not started"):
        print(server.url)
    await server.close()
