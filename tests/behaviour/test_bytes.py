"""Bytes come and go as they are: odd ones, large ones, from memory, files and streams."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from letters import ODD, letter, run, with_attachment
from mailtide import Flag


def test_every_message_is_read_as_its_bytes_are(place: Any) -> None:
    messages = [letter(1), ODD, with_attachment(os.urandom(70_000))]
    for message in messages:
        assert place.witness.append("INBOX", None, None, message)[0] == "OK"

    async def scenario() -> None:
        async with place.connect() as session:
            fetched = await session.mailbox("INBOX").fetch().list()
            assert [m.size for m in fetched] == [len(m) for m in messages]
            for message, expected in zip(fetched, messages, strict=True):
                assert bytes(await message.raw()) == expected == place.raw("INBOX", message.uid)
                assert b"".join([bytes(piece) async for piece in message.stream()]) == expected
            ahead = await session.mailbox("INBOX").fetch(parts=["raw", "headers"]).list()
            assert [bytes(await m.raw()) for m in ahead] == messages

    run(scenario())
    assert place.ask("INBOX", "SEEN") == []


def test_text_html_header_and_attachments_are_decoded(place: Any, tmp_path: Path) -> None:
    content = os.urandom(100_000)
    for message in (with_attachment(content), ODD):
        place.witness.append("INBOX", None, None, message)

    async def scenario() -> None:
        async with place.connect() as session:
            (message, odd) = await session.mailbox("INBOX").fetch().list()
            assert message.subject == "Möwe über dem Meer"
            assert [(a.name, a.email) for a in message.from_] == [("Zoë", "zoe@example.org")]
            assert await message.text() == "Grüße vom Meer\n"
            assert (await message.html() or "").strip() == "<p>Grüße vom <b>Meer</b></p>"
            assert (await message.headers())["subject"] == "Möwe über dem Meer"
            (attachment,) = message.attachments
            assert (attachment.filename, attachment.media_type) == ("Größe.bin", "application/octet-stream")
            assert Path(await attachment.save(tmp_path)).read_bytes() == content
            assert (await odd.text()).startswith("Grüße\n.\n")

    run(scenario())


def test_messages_are_added_byte_for_byte_from_everywhere(place: Any, tmp_path: Path) -> None:
    large = letter(3) + b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n" * 80_000
    (tmp_path / "letter.eml").write_bytes(letter(2).replace(b"\r\n", b"\n"))

    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(large), 100_000):
            yield large[at : at + 100_000]

    async def scenario() -> None:
        async with place.connect() as session:
            inbox = session.mailbox("INBOX")
            refs = [
                await inbox.append(letter(1), flags=[Flag.SEEN, "$Invoice"]),
                await inbox.append(tmp_path / "letter.eml"),
                await inbox.append(chunks()),
                await inbox.append(ODD),
                *await inbox.append_many([letter(5), letter(6)], flags=[Flag.FLAGGED]),
            ]
            assert [ref.uid for ref in refs if ref] == place.ask("INBOX")
            made = await session.mailbox(["Work", "Nächste"]).append(letter(7), create=True)
            assert made is not None and made.mailbox == "Work/Nächste"

    run(scenario())
    wanted = [letter(1), letter(2), large, ODD, letter(5), letter(6)]
    assert [place.raw("INBOX", uid) for uid in place.ask("INBOX")] == wanted
    assert [place.flags("INBOX", uid) for uid in (1, 2, 6)] == [{"\\Seen", "$Invoice"}, set(), {"\\Flagged"}]
    assert place.raw("Work/N&AOQ-chste", 1) == letter(7)


def test_words_outside_ascii_are_found(place: Any) -> None:
    for message in (with_attachment(b"x"), letter(2)):
        place.witness.append("INBOX", None, None, message)

    async def scenario() -> None:
        async with place.connect("imap") as session:
            inbox = session.mailbox("INBOX")
            for exact in (False, True):
                assert [ref.uid for ref in await inbox.search("subject:möwe", exact=exact)] == [1]
                assert [ref.uid for ref in await inbox.search("has:attachment", exact=exact)] == [1]
                assert [ref.uid for ref in await inbox.search("newer:1d -from:zoe", exact=exact)] == [2]

    run(scenario())
