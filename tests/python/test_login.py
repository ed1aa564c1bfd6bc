"""Passwords, tokens and those who are asked for them; and that nobody else hears."""

from __future__ import annotations

import asyncio
import logging
import pickle
from typing import Any

import pytest

import mailtide
from conftest import Box
from mailtide import blocking
from servers.dovecot import token


@pytest.mark.parametrize("wants", ["nothing", "request"])
@pytest.mark.parametrize("kind", ["plain", "async"])
def test_a_password_is_asked_for_on_the_loop_that_connects(box: Box, kind: str, wants: str):
    asked: list[Any] = []

    def nothing() -> str:
        asked.append(asyncio.get_running_loop())
        return box.password

    def request(request: mailtide.PasswordRequest) -> str:
        assert (request.user, request.host) == (box.user, box.env["host"])
        return nothing()

    async def nothing_async() -> str:
        await asyncio.sleep(0)
        return nothing()

    async def request_async(given: mailtide.PasswordRequest) -> str:
        return request(given)

    async def main() -> None:
        ask = {"plain": [nothing, request], "async": [nothing_async, request_async]}[kind][wants == "request"]
        async with box.connect(password=ask) as session:
            await session.noop()
        assert asked == [asyncio.get_running_loop()]

    asyncio.run(main())


def test_what_a_callback_raises_is_the_cause(box: Box):
    class Declined(Exception):
        pass

    def ask() -> str:
        raise Declined("planted-secret")

    async def main() -> None:
        with pytest.raises(mailtide.AuthError) as caught:
            await box.connect(password=ask)
        assert caught.value.code == "auth.missing" and isinstance(caught.value.__cause__, Declined)
        assert "planted-secret" not in str(caught.value)
        with pytest.raises(mailtide.AuthError):
            await box.connect(password=lambda: 3)

    asyncio.run(main())


@pytest.mark.parametrize("answer", ["str", "Token", "dict", "async"])
def test_a_token_is_asked_for_with_a_reason(box: Box, answer: str):
    requests: list[mailtide.TokenRequest] = []
    made = token(box.user)

    def ask(request: mailtide.TokenRequest) -> Any:
        requests.append(request)
        shapes = {"Token": mailtide.Token(made), "dict": {"token": made, "expires_at": None}}
        return shapes.get(answer, made)

    async def ask_async(request: mailtide.TokenRequest) -> str:
        return ask(request)

    async def main() -> None:
        source = ask_async if answer == "async" else ask
        async with box.connect(password=None, token=source) as session:
            await session.noop()

    asyncio.run(main())
    assert [(r.user, r.reason, r.previous) for r in requests] == [(box.user, "first", None)]


def test_callbacks_of_the_blocking_twin_may_be_either(box: Box):
    async def later() -> str:
        await asyncio.sleep(0)
        return box.password

    for ask in (lambda: box.password, later):
        with blocking.connect(box.url, password=ask, net=box.net) as session:
            session.noop()
    with pytest.raises(mailtide.AuthError) as caught:
        blocking.connect(box.url, password=lambda: 1 / 0, net=box.net)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_wrong_password_is_said_so_and_never_shown(box: Box):
    async def main() -> None:
        with pytest.raises(mailtide.AuthError) as caught:
            await box.connect(password="planted-secret")
        error = caught.value
        assert (error.code, error.retry) == ("auth.rejected", "ask_user")
        assert "planted-secret" not in str(error) + repr(error) + str(pickle.dumps(error)) + str(error.context)

    asyncio.run(main())


def test_without_a_password_the_error_says_what_to_do(box: Box):
    async def main() -> None:
        with pytest.raises(mailtide.AuthError, match="password="):
            await box.connect(password=None)

    asyncio.run(main())


@pytest.mark.parametrize("url", ["ada", "https://a:planted@h", "imaps://h", "imap://ada@imap.example.org", "", 3])
def test_other_addresses_are_refused(url: Any):
    async def main() -> None:
        with pytest.raises(mailtide.MailError) as caught:
            await mailtide.connect(url, password="x")
        assert caught.value.code.startswith("usage.")
        assert "planted" not in str(caught.value)

    asyncio.run(main())


def test_protocol_lines_are_logged_without_secrets(box: Box, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG, "mailtide.wire")
    stats: list[mailtide.Stats] = []
    engine = mailtide.Engine(logger=True, on_stats=stats.append)

    async def main() -> None:
        async with box.connect(engine=engine, password=box.password) as session:
            await session.mailbox("INBOX").append(b"Subject: planted-content\r\n\r\nx\r\n")
        with pytest.raises(mailtide.AuthError):
            await box.connect(engine=engine, password="planted-secret")
        await engine.close()

    asyncio.run(main())
    assert _eventually(lambda: "LOGOUT" in caplog.text and stats)
    assert "C: " in caplog.text and "S: " in caplog.text
    assert "planted" not in caplog.text
    assert all(record.name == "mailtide.wire" for record in caplog.records if "mailtide" in record.name)
    assert engine.stats.commands > 0 and engine.stats.bytes_in > 0


def _eventually(condition: Any) -> bool:
    """The log has a thread of its own."""
    import threading

    waiting = threading.Event()
    for _ in range(200):
        if condition():
            return True
        waiting.wait(0.05)
    return False
