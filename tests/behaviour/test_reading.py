"""What is read from a real server is what another parser reads, and reading changes nothing."""

import asyncio
import email
import email.policy
from email.message import EmailMessage, MIMEPart
from typing import Any

import mailgen
import pytest
from mailtide import MailError, MessageRef, UidSet


def test_every_message_reads_as_the_standard_library_reads_it(place: Any) -> None:
    mails = [m for m in mailgen.messages(90, seed=3) if m.mailbox == ("INBOX",)]
    mailgen.fill(place.witness, mails)

    async def main() -> None:
        async with place.connect() as session:
            read = await session.mailbox("INBOX").fetch(parts=["text"]).list()
            assert len(read) == len(mails)
            for message, mail in zip(read, mails, strict=True):
                expected = email.message_from_bytes(mail.raw, policy=email.policy.default)
                assert message.problems == ()
                await compare(message, expected, mail.raw)
                assert message.received == mail.received
                assert set(message.flags) - {"\\Recent"} == set(mail.flags)

    asyncio.run(main())
    assert len(place.ask("INBOX", "SEEN")) == sum("\\Seen" in m.flags for m in mails), "reading has marked something"


async def compare(message: Any, expected: EmailMessage, raw: bytes) -> None:
    assert message.subject == expected["subject"]
    assert [(a.name or "", a.email) for a in message.to] == [(a.display_name, a.addr_spec) for a in expected["to"].addresses]
    assert message.message_id == expected["message-id"] and message.size == len(raw)
    body = expected.get_body(("plain",))
    if body is not None:
        assert (await message.text()).split() == body.get_content().split(), message.subject
    files = [part for part in expected.iter_attachments() if is_file(part)]
    named = [a for a in message.attachments if a.media_type != "message/rfc822" and not a.inline]
    assert [a.filename for a in named] == [part.get_filename() for part in files]
    for attachment, part in zip(named, files, strict=True):
        assert bytes(await attachment.bytes()) == part.get_payload(decode=True)
    assert bytes(await message.raw()) == raw


def is_file(part: MIMEPart) -> bool:
    return part.get_content_disposition() == "attachment" and part.get_content_type() != "message/rfc822"


def test_searches_find_what_imap_search_finds(place: Any) -> None:
    mailgen.fill(place.witness, (m for m in mailgen.messages(90, seed=5) if m.mailbox == ("INBOX",)))
    pairs = {
        "is:unread": "UNSEEN",
        "is:read -is:answered": "SEEN UNANSWERED",
        "larger:20k": "LARGER 20000",
        "subject:Re": "SUBJECT Re",
        "from:shop.example OR is:flagged": "OR FROM shop.example FLAGGED",
        "list:moths": "HEADER List-Id moths",
        "is:read smaller:4k -subject:Re": "SEEN SMALLER 4000 NOT SUBJECT Re",
    }

    async def main() -> None:
        async with place.connect() as session:
            inbox = session.mailbox("INBOX")
            for query, criteria in pairs.items():
                expected = place.ask("INBOX", criteria)
                assert [ref.uid for ref in await inbox.search(query)] == expected, query
                assert await inbox.count(query) == len(expected)
            everything = place.ask("INBOX")
            newest = await inbox.fetch(order="newest", limit=5).list()
            assert [m.uid for m in newest] == everything[:-6:-1]
            some = await inbox.fetch(UidSet(f"{everything[2]}:{everything[4]}")).list()
            assert [m.uid for m in some] == everything[2:5]

    asyncio.run(main())


def test_commands_run_inside_a_fetch_loop_over_several_windows(place: Any) -> None:
    raws = place.put(600)

    async def main() -> None:
        async with place.connect() as session:
            inbox, seen = session.mailbox("INBOX"), 0
            async for message in inbox.fetch():
                seen += 1
                if seen % 100 == 0:
                    assert bytes(await message.raw()) == raws[seen - 1]
                    assert await session.mailbox("Sent").count() == 0
            assert seen == 600

    asyncio.run(main())


def test_a_reference_from_before_a_mailbox_was_rebuilt_is_refused(place: Any) -> None:
    place.witness.create("Old")
    place.put(1, "Old")

    async def main() -> None:
        async with place.connect() as session:
            old = session.mailbox("Old")
            first = await old.fetch().first()
            assert first is not None
            stale = MessageRef(first.ref.account, first.ref.mailbox, first.ref.uid_validity + 1, first.ref.uid)
            with pytest.raises(MailError) as caught:
                await old.fetch(stale).list()
            assert caught.value.code == "mailbox.reset"

    asyncio.run(main())
