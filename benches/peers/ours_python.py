"""Mailtide as a Python peer of the benchmarks.

The task is the last argument, settings are in `BENCH_*` variables, one line of JSON on standard output is the result.
"""

import asyncio
import hashlib
import json
import os
import struct
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from mailtide import Account, Flag, Message, Net, Session, UidSet, connect, q

BOX = os.environ["BENCH_BOX"]
COUNT = int(os.environ["BENCH_N"])
STARTED = time.monotonic()

Result = tuple[int, int]


def account(user: str = os.environ["BENCH_USER"], read_only: bool = True) -> Account:
    tls = os.environ["BENCH_TLS"] == "1"
    url = f"{'imaps' if tls else 'imap'}://{user}@{os.environ['BENCH_HOST']}:{os.environ['BENCH_PORT']}"
    net = Net(ca=os.environ["BENCH_CA"]) if tls else Net()
    return Account(url, password=os.environ["BENCH_PASS"], net=net, read_only=read_only)


async def noop(session: Session) -> Result:
    await session.mailbox(BOX).search(UidSet("1"))
    return 0, 0


def fields(m: Message) -> tuple[object, ...]:
    """Every property that a fetch of headers brings."""
    people = (m.from_, m.sender, m.reply_to, m.to, m.cc, m.bcc)
    return (m.ref, m.uid, m.flags, m.size, m.received, m.date, m.subject, *people, m.message_id, m.in_reply_to, m.attachments)


async def headers(session: Session) -> Result:
    """Keeps every message, and reads every field of it."""
    kept = []
    async for message in session.mailbox(BOX).fetch():
        fields(message)
        kept.append(message)
    assert kept[0].subject is not None
    return len(kept), 0


async def bodies(session: Session) -> Result:
    count = size = 0
    async for message in session.mailbox(BOX).fetch(parts=["raw"], columns=["uid"]):
        size += len(await message.raw())
        count += 1
    return count, size


async def parse(session: Session) -> Result:
    count = size = 0
    async for m in session.mailbox(BOX).fetch(parts=["raw"]):
        size += len(await m.raw())
        count += 1
        (m.subject, m.from_, m.date, await m.text(), [a.filename for a in m.attachments])
    return count, size


async def unread(session: Session) -> Result:
    chosen = session.mailbox(BOX).fetch(q("is:unread"), columns=["subject", "from_", "date"], order="newest", limit=COUNT)
    return len([(m.subject, m.from_, m.date) async for m in chosen]), 0


async def idle(session: Session) -> Result:
    """Any event counts: a server that announces a message but does not give it makes a gap."""
    seen = 0
    async with session.mailbox(BOX).watch() as events:
        say("READY")
        async for _ in events:
            say(f"E {time.monotonic_ns()}")
            seen += 1
            if seen == COUNT:
                break
    return seen, 0


async def append(session: Session) -> Result:
    messages, mailbox = small(), session.mailbox(BOX)
    await asyncio.gather(*(mailbox.append(message) for message in messages))
    return len(messages), sum(map(len, messages))


async def flags_each(session: Session) -> Result:
    mailbox = session.mailbox(BOX)
    await asyncio.gather(*(mailbox.flag(uid, add=[Flag.SEEN]) for uid in range(1, COUNT + 1)))
    return COUNT, 0


async def flags_set(session: Session) -> Result:
    await session.mailbox(BOX).flag(range(1, COUNT + 1), add=[Flag.SEEN])
    return COUNT, 0


async def huge(session: Session) -> Result:
    """The one message of the mailbox, a piece at a time."""
    message = await session.mailbox(BOX).fetch(columns=["uid", "size"]).first()
    assert message is not None
    count, digest = 0, hashlib.sha1()
    async for piece in message.stream():
        count += len(piece)
        digest.update(piece)
    say(json.dumps({"sha1": digest.hexdigest()}))
    return 1, count


async def append_huge(session: Session) -> Result:
    """A file of any size, by its path or as a stream of pieces."""
    path = Path(os.environ["BENCH_FILE"])
    content = path if os.environ.get("BENCH_SOURCE", "path") == "path" else pieces(path)
    await session.mailbox(BOX).append(content)
    return 1, path.stat().st_size


async def pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(256 * 1024):
            yield piece


async def many() -> None:
    """A session for each of many accounts, its mailbox open; with BENCH_WATCH=1 half as many, each with a watch."""
    say("BASE")
    watched = os.environ.get("BENCH_WATCH") == "1"
    kept: list[object] = []
    users = range(COUNT // 2 if watched else COUNT)
    for start in range(0, len(users), 20):
        kept += await asyncio.gather(*(opened(user, watched) for user in users[start : start + 20]))
    say("READY")
    await asyncio.to_thread(sys.stdin.read)
    done(COUNT, 0)
    os._exit(0)


async def opened(number: int, watched: bool) -> object:
    session = await connect(account(f"many{number}"))
    mailbox = session.mailbox(BOX)
    await mailbox.search(UidSet("1"))
    if not watched:
        return session
    watch = mailbox.watch()
    await watch.ready()
    return session, watch


def small() -> list[bytes]:
    data, at, messages = Path(os.environ["BENCH_SMALL"]).read_bytes(), 0, []
    while at < len(data) and len(messages) < COUNT:
        (size,) = struct.unpack_from(">I", data, at)
        messages.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return messages


def say(line: str) -> None:
    print(line, flush=True)


def memory() -> int:
    """The most that was resident, in KiB."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def done(messages: int, size: int, **more: int) -> None:
    say(json.dumps({"seconds": round(time.monotonic() - STARTED, 4), "messages": messages, "bytes": size, **more}))


TASKS = {
    "noop": noop, "headers": headers, "bodies": bodies, "bodies-plain": bodies, "parse": parse, "unread": unread, "idle": idle,
    "append": append, "flags-each": flags_each, "flags-set": flags_set, "huge": huge, "append-huge": append_huge,
}  # fmt: skip
WRITES = ("append", "flags-each", "flags-set", "append-huge")


async def main(task: str) -> None:
    if task == "many":
        return await many()
    async with connect(account(read_only=task not in WRITES)) as session:
        base = memory()
        messages, size = await TASKS[task](session)
        above = memory() - base
    done(messages, size, above_base_kb=above)


asyncio.run(main(sys.argv[-1]))
