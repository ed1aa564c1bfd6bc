"""Both sides change at once, one of them without a network, or mailboxes under the feet of the other."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import mailtide
import pytest
from both import Both, letter, run
from mailtide import Flag


async def uid(mailbox: Any, number: int) -> Any:
    """The message of a number, in a local mailbox."""
    found = [message for message in await mailbox.fetch().list() if message.subject == f"Letter {number}"]
    assert len(found) == 1, found
    return found[0]


def test_flags_of_both_sides_meet_one_by_one(both: Both) -> None:
    both.put("INBOX", letter(1), letter(2), letter(3), flags="\\Seen $Old")

    def change() -> None:
        both.store("INBOX", 'SUBJECT "Letter 1"', "+FLAGS", "\\Flagged")
        both.store("INBOX", 'SUBJECT "Letter 2"', "-FLAGS", "\\Seen", "$Old")
        both.store("INBOX", 'SUBJECT "Letter 3"', "+FLAGS", "$There")

    async def scenario() -> None:
        async with both.open() as mail:
            await mail.sync()
            inbox = mail.mailbox("INBOX")
            await inbox.flag(await uid(inbox, 1), remove=[Flag.SEEN], add=["$Here"])
            await inbox.flag(await uid(inbox, 2), add=[Flag.ANSWERED])
            await inbox.flag(await uid(inbox, 3), set=[Flag.FLAGGED])
            await asyncio.to_thread(change)
            there = await both.agree(mail)
            assert both.flags(there, "INBOX", 1) == {"\\Flagged", "$Old", "$Here"}
            assert both.flags(there, "INBOX", 2) == {"\\Answered"}
            assert both.flags(there, "INBOX", 3) == {"\\Flagged", "$There"}

    run(scenario())


def test_what_one_side_moves_and_the_other_takes_away_is_never_there_twice(both: Both) -> None:
    archive, trash = both.name("Archive"), both.name("Trash")
    both.put("INBOX", *map(letter, range(1, 7)))

    def change() -> None:
        both.carry("INBOX", 'SUBJECT "Letter 1"', trash)
        both.take_away("INBOX", 'SUBJECT "Letter 2"')
        both.store("INBOX", 'SUBJECT "Letter 3"', "+FLAGS", "\\Flagged")
        both.store("INBOX", 'SUBJECT "Letter 4"', "+FLAGS", "$There")
        both.take_away("INBOX", 'SUBJECT "Letter 5"')

    async def scenario() -> None:
        async with both.open() as mail:
            await mail.sync()
            inbox = mail.mailbox("INBOX")
            await inbox.move([await uid(inbox, 1), await uid(inbox, 2), await uid(inbox, 4)], archive)
            await inbox.expunge(await uid(inbox, 3))
            await inbox.flag(await uid(inbox, 5), add=[Flag.SEEN])
            await asyncio.to_thread(change)
            there = await both.agree(mail)
            assert both.numbers(there, "INBOX") == [6]
            assert both.numbers(there, trash) == [1], "moved there first"
            assert both.numbers(there, archive) == [4]
            assert both.flags(there, archive, 4) == {"$There"}

    run(scenario())


def test_both_sides_make_the_same_mailbox_and_add_to_it(both: Both) -> None:
    name = both.name("Projects")

    def change() -> None:
        both.ask("create", name)
        both.put(name, letter(2))

    async def scenario() -> None:
        async with both.open() as mail:
            await mail.sync()
            await mail.create_mailbox(name)
            await mail.mailbox(name).append(letter(1))
            await asyncio.to_thread(change)
            there = await both.agree(mail)
            assert both.numbers(there, name) == [1, 2]

    run(scenario())


def test_a_mailbox_that_is_renamed_here_while_mail_arrives_there_has_it_all(both: Both) -> None:
    old, new = both.name("Old"), both.name("New")
    both.ask("create", old)
    both.put(old, letter(1))

    async def scenario() -> None:
        async with both.open() as mail:
            await mail.sync()
            await mail.rename_mailbox(old, new)
            await mail.mailbox(new).append(letter(2))
            await asyncio.to_thread(both.put, old, letter(3))
            there = await both.agree(mail)
            assert both.numbers(there, new) == [1, 2, 3] and old not in there

    run(scenario())


def test_a_mailbox_that_is_made_anew_there_keeps_what_it_has_and_what_waits(both: Both) -> None:
    name = both.name("Box")
    both.ask("create", name)
    both.put(name, letter(1), letter(2), letter(3))

    def again() -> None:
        validity = both.validity(name)
        while both.validity(name) == validity:  # Courier numbers mailboxes by the second
            both.ask("delete", name)
            both.ask("create", name)
        both.put(name, letter(3), letter(2), letter(4))

    async def scenario() -> None:
        async with both.open() as mail:
            await mail.sync()
            box = mail.mailbox(name)
            await box.flag(await uid(box, 2), add=[Flag.FLAGGED])
            await box.append(letter(5))
            await asyncio.to_thread(again)
            there = await both.agree(mail)
            assert both.numbers(there, name) == [2, 3, 4, 5]
            assert both.flags(there, name, 2) == {"\\Flagged"}

    run(scenario())


def test_a_mailbox_that_is_deleted_there_parks_what_was_to_go_into_it(both: Both) -> None:
    name = both.name("Box")
    both.ask("create", name)
    both.put(name, letter(1))
    both.put("INBOX", letter(2))

    async def scenario() -> None:
        async with both.open() as mail:
            await mail.sync()
            inbox = mail.mailbox("INBOX")
            await inbox.move(await uid(inbox, 2), name)
            await mail.mailbox(name).flag(await uid(mail.mailbox(name), 1), add=[Flag.SEEN])
            await asyncio.to_thread(both.ask, "delete", name)
            await both.settle(mail)
            (parked,) = await mail.pending()
            assert (parked.state, parked.kind, parked.reason) == ("parked", "move", "mailbox_missing")
            await mail.drop(parked)
            there = await both.agree(mail)
            assert both.numbers(there, "INBOX") == [2] and name not in there

    run(scenario())


def test_what_both_sides_do_while_there_is_no_network_meets_when_there_is(both: Both) -> None:
    archive = both.name("Archive")
    both.put("INBOX", *map(letter, range(1, 9)))

    def change() -> None:
        both.put("INBOX", letter(20))
        both.store("INBOX", 'SUBJECT "Letter 1"', "+FLAGS", "$There")
        both.take_away("INBOX", 'SUBJECT "Letter 8"')

    async def scenario() -> None:
        async with both.open() as mail:
            await mail.sync()
            both.between.cut()
            inbox = mail.mailbox("INBOX")
            await inbox.flag(await uid(inbox, 1), add=[Flag.SEEN])
            await inbox.move([await uid(inbox, 2), await uid(inbox, 3)], archive)
            await inbox.copy(await uid(inbox, 4), archive)
            await inbox.expunge(await uid(inbox, 5))
            made = await mail.create_mailbox(both.name("Made"))
            await inbox.move(await uid(inbox, 6), made)
            await mail.mailbox(made).append(letter(21), flags=[Flag.SEEN])
            with pytest.raises(mailtide.NetError):
                await mail.sync()
            await asyncio.to_thread(change)
        async with both.open() as mail:
            with pytest.raises(mailtide.NetError):
                await mail.sync()
            both.between.mend()
            there = await both.agree(mail)
            assert both.numbers(there, "INBOX") == [1, 4, 7, 20]
            assert both.numbers(there, archive) == [2, 3, 4] and both.numbers(there, made) == [6, 21]
            assert both.flags(there, "INBOX", 1) == {"\\Seen", "$There"}

    run(scenario())


def test_two_devices_and_a_foreign_client_come_to_the_same(both: Both) -> None:
    """Sixty changes from three hands in an order of chance, with a pass now and then: everything is there once."""
    chance = random.Random(9)
    boxes = ["INBOX", both.name("Archive"), both.name("Trash")]
    both.put("INBOX", *map(letter, range(1, 31)))
    numbers = iter(range(100, 1000))

    def pick(uids: list[Any]) -> Any:
        return chance.choice(uids) if uids else None

    def foreign() -> None:
        mailbox = chance.choice(boxes)
        one = pick(both.uids(mailbox, "UNDELETED"))
        does: list[Callable[[], None]] = [lambda: both.put(mailbox, letter(next(numbers)))]
        if one is not None:
            does += [
                lambda: both.store(mailbox, f"UID {one}", chance.choice(["+FLAGS", "-FLAGS"]), "\\Seen", "$There"),
                lambda: both.carry(mailbox, f"UID {one}", chance.choice(boxes)),
            ]
        chance.choice(does)()

    async def local(mail: Any) -> None:
        mailbox = mail.mailbox(chance.choice(boxes))
        one = pick([m for m in await mailbox.fetch().list() if "\\Deleted" not in m.flags])
        match chance.randrange(4) if one is not None else 0:
            case 0:
                await mailbox.append(letter(next(numbers)))
            case 1:
                await mailbox.flag(one, add=[Flag.FLAGGED, "$Here"])
            case 2:
                await mailbox.flag(one, remove=[Flag.SEEN, Flag.FLAGGED])
            case _:
                await mailbox.move(one, chance.choice([box for box in boxes if box != mailbox.name]))

    async def scenario() -> None:
        async with both.open("one") as one, both.open("other") as other:
            for mail in (one, other):
                await mail.sync()
            for _ in range(60):
                match chance.randrange(5):
                    case 0 | 1:
                        await local(chance.choice([one, other]))
                    case 2 | 3:
                        await asyncio.to_thread(foreign)
                    case _:
                        await chance.choice([one, other]).sync()
            for mail in (one, other, one):
                await both.settle(mail)
            there = await both.agree(one)
            assert await both.agree(other) == there
            held = sorted(number for box in boxes for number in both.numbers(there, box))
            assert set(held) >= set(range(1, 31)) | set(range(100, next(numbers))), "lost"
            twice = {number for number in held if held.count(number) > 1}
            assert not twice, f"doubled: {twice}"

    run(scenario())
