"""What is changed on one side is on the other after a pass, and nothing else is."""

import asyncio
from datetime import UTC, datetime

import mailgen
import mailtide
import pytest
from both import Both, letter, run
from mailtide import Flag, Role


def test_a_first_sync_brings_everything_and_the_next_one_nothing(both: Both) -> None:
    deep = both.name("Work", "Übersicht & Rest")
    both.ask("create", deep)
    mails = list(mailgen.messages(60, seed=7))
    for mail in mails:
        both.put("INBOX" if mail.mailbox == ("INBOX",) else deep, mail.raw, flags=" ".join(mail.flags))
    both.put(deep, letter(1), letter(1), flags="\\Seen $Label1")

    async def scenario() -> None:
        async with both.open() as mail:
            first = await mail.sync()
            assert first.added == first.bodies == 62 and first.problems == ()
            again = await mail.sync()
            assert again.added == again.removed == again.flags == again.bodies == 0
            there = await both.agree(mail)
            assert there[deep][(letter(1), frozenset({"\\Seen", "$Label1"}))] == 2
            (message,) = await mail.mailbox(deep).fetch("subject:\"Letter 1\"", limit=1).list()
            assert message.received == datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC)

    run(scenario())


def test_messages_that_are_changed_here_are_changed_there(both: Both) -> None:
    both.put("INBOX", *map(letter, range(1, 11)))

    async def scenario() -> None:
        async with both.open() as mail:
            await mail.sync()
            inbox, archive = mail.mailbox("INBOX"), both.name("Archive")
            one, two, three, four, five, six, *_ = await inbox.fetch().list()
            await inbox.flag([one, two], add=[Flag.SEEN, Flag.FLAGGED, "$Invoice"])
            await inbox.flag(two, remove=[Flag.SEEN])
            await inbox.move([one, three], archive)
            await inbox.copy(four, archive)
            await inbox.delete(five)
            await inbox.expunge(six)
            when = datetime(2023, 1, 2, 3, 4, 5, tzinfo=UTC)
            await inbox.append(letter(11), flags=[Flag.DRAFT, "$Kept"], received=when)
            there = await both.agree(mail)
            assert both.numbers(there, "INBOX") == [2, 4, 7, 8, 9, 10, 11]
            assert both.numbers(there, archive) == [1, 3, 4]
            assert both.numbers(there, both.name("Trash")) == [5]
            assert both.flags(there, archive, 1) == {"\\Seen", "\\Flagged", "$Invoice"}
            assert both.flags(there, "INBOX", 2) == {"\\Flagged", "$Invoice"}
            assert both.flags(there, "INBOX", 11) == {"\\Draft", "$Kept"}
            await inbox.flag(two, remove=[Flag.FLAGGED, "$Invoice"])
            back = await mail.mailbox(archive).fetch("subject:\"Letter 3\"").list()
            await mail.mailbox(archive).move(back, Role.INBOX)
            there = await both.agree(mail)
            assert both.flags(there, "INBOX", 2) == set()
            assert 3 in both.numbers(there, "INBOX") and both.numbers(there, archive) == [1, 4]
        assert when_of(both, 11) == when

    run(scenario())


def when_of(both: Both, number: int) -> datetime:
    """INTERNALDATE, as the server tells it."""
    (uid,) = both.uids("INBOX", f'SUBJECT "Letter {number}"')
    text = both.check(both.witness.uid("FETCH", str(uid), "(INTERNALDATE)"))[0].decode()
    return datetime.strptime(text.split('INTERNALDATE "')[1].split('"')[0].strip(), "%d-%b-%Y %H:%M:%S %z")


def test_messages_that_are_changed_there_are_changed_here(both: Both) -> None:
    both.put("INBOX", *map(letter, range(1, 11)))
    archive = both.name("Archive")

    def change() -> None:
        both.store("INBOX", "1:2", "+FLAGS", "\\Seen", "$Invoice")
        both.store("INBOX", "2", "-FLAGS", "\\Seen")
        both.carry("INBOX", "3", archive)
        both.take_away("INBOX", "3")
        both.put("INBOX", letter(11), flags="\\Answered")
        both.put(archive, letter(12), letter(12))

    async def scenario() -> None:
        async with both.open() as mail:
            await mail.sync()
            await asyncio.to_thread(change)
            there = await both.agree(mail)
            assert both.numbers(there, "INBOX") == [1, 2, 5, 6, 7, 8, 9, 10, 11]
            assert both.numbers(there, archive) == [3, 12, 12]
            assert both.flags(there, "INBOX", 2) == {"$Invoice"}
            await asyncio.to_thread(both.store, "INBOX", "1:*", "-FLAGS", "\\Seen", "$Invoice", "\\Answered")
            there = await both.agree(mail)
            assert all(flags == frozenset() for _, flags in there["INBOX"])

    run(scenario())


def test_mailboxes_that_are_changed_here_are_changed_there(both: Both) -> None:
    old, other = both.name("Old"), both.name("Other")
    for name in (old, other):
        both.ask("create", name)
        both.put(name, letter(1))

    async def scenario() -> None:
        async with both.open() as mail:
            await mail.sync()
            made = await mail.create_mailbox(["Käfer", "Motten & Co"])
            await mail.mailbox(made).append(letter(2))
            await mail.mailbox(old).move(await mail.mailbox(old).fetch().list(), made)
            await mail.rename_mailbox(old, both.name("New"))
            await mail.mailbox(both.name("New")).append(letter(3))
            await mail.delete_mailbox(other, even_if_not_empty=True)
            await mail.subscribe(made)
            await mail.subscribe(both.name("Trash"), on=False)
            there = await both.agree(mail)
            assert made == both.name("Käfer", "Motten & Co")
            assert both.numbers(there, made) == [1, 2]
            assert both.numbers(there, both.name("New")) == [3]
            assert old not in there and other not in there
        subscribed = both.names("lsub")
        assert made in subscribed and both.name("Trash") not in subscribed

    run(scenario())


def test_mailboxes_that_are_changed_there_are_changed_here(both: Both) -> None:
    old, other = both.name("Old"), both.name("Other")
    for name in (old, other):
        both.ask("create", name)
        both.put(name, letter(1))

    def change() -> None:
        made = both.name("Ünder", "Deep")
        both.ask("create", made)
        both.put(made, letter(2))
        both.ask("rename", old, both.name("New"))
        both.put(both.name("New"), letter(3))
        both.ask("delete", other)
        both.ask("subscribe", made)

    async def scenario() -> None:
        async with both.open() as mail:
            await mail.sync()
            await asyncio.to_thread(change)
            there = await both.agree(mail)
            assert both.numbers(there, both.name("New")) == [1, 3]
            assert both.numbers(there, both.name("Ünder", "Deep")) == [2]
            assert old not in there and other not in there
            subscribed = {info.name for info in await mail.mailboxes(subscribed=True)}
            assert both.name("Ünder", "Deep") in subscribed
            with pytest.raises(mailtide.MailboxMissingError):
                await mail.mailbox(other).count()

    run(scenario())
