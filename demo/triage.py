"""Triage of a mailbox in Python: list, read, save, flag, move, and meet a message as it arrives.

python demo/triage.py URL CA FOLDER      (the password in MAILTIDE_PASSWORD)

`demo/triage.mjs` does the same in JavaScript.
"""

import asyncio
import os
import sys
import time
from unicodedata import east_asian_width

import mailtide
from mailtide import Engine, Flag, Net, New, Role


async def triage(url: str, ca: str, folder: str) -> None:
    engine = Engine()
    report = Report(engine)
    password = os.environ["MAILTIDE_PASSWORD"]
    async with mailtide.connect(url, password=password, net=Net(ca=ca), engine=engine) as session:
        report.line("logged in over TLS")
        inbox = session.mailbox("INBOX")

        unread = await inbox.fetch("is:unread", order="newest").list()
        total = sum(message.size or 0 for message in unread)
        report.line(f"listed {len(unread)} unread messages, {size(total)} in all")
        for message in unread[:8]:
            report.row(message)

        characters = 0
        async for message in inbox.fetch("is:unread", parts=["text"]):
            characters += len(await message.text())
        report.line(f"read the text of all {len(unread)}, {characters:,} characters; attachments not loaded")

        attachments = [attachment for message in unread for attachment in message.attachments]
        largest = max(attachments, key=lambda attachment: attachment.size or 0)
        path = await largest.save(folder)
        report.line(f"saved {os.path.basename(path)}, {size(os.path.getsize(path))}")

        with_files = [message for message in unread if message.attachments]
        await inbox.flag(with_files, add=[Flag.FLAGGED, "$Invoice"])
        report.line(f"flagged {len(with_files)} that carry attachments")

        lists = await inbox.fetch("is:unread list:moths").list()
        moved = await inbox.move(lists, Role.ARCHIVE)
        report.line(f"moved {len(moved.done)} from mailing lists to the archive")

        async with inbox.watch() as events, asyncio.timeout(30):
            print("watching", flush=True)
            report.line("watching for new mail")
            async for event in events:
                if isinstance(event, New):
                    report.line("met a new message as it arrived")
                    report.row(event.message)
                    break
        print(f"  {size(report.bytes)} have crossed the network, of {size(total)} of unread mail")
    await engine.close()


class Report:
    """Prints what was done, with the time and the bytes that came over the network since the line before."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.since = time.perf_counter()
        self.bytes = 0

    def line(self, text: str) -> None:
        now, received = time.perf_counter(), self.engine.stats.bytes_in
        milliseconds = (now - self.since) * 1000
        over_the_network = size(received - self.bytes) if received > self.bytes else ""
        print(f"  {column(text, 76)}{milliseconds:7.1f} ms {over_the_network:>9}", flush=True)
        self.since, self.bytes = now, received

    def row(self, message: mailtide.Message) -> None:
        sender = message.from_[0].name or message.from_[0].email if message.from_ else ""
        when = f"{message.received:%d %b %H:%M}" if message.received else ""
        files = ", ".join(a.filename or a.media_type for a in message.attachments if not a.inline)
        clip = f"+ {files}" if files else ""
        cells = f"{when:13}{column(sender, 19)} {column(message.subject or '', 36)}{size(message.size or 0):>8}"
        print(f"      {cells}  {column(clip, 26)}".rstrip())
        self.since = time.perf_counter()


def size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"


def column(text: str, width: int) -> str:
    """The text in exactly `width` cells of a terminal; a Chinese or Japanese character takes two."""
    out, used = "", 0
    for character in text:
        cells = 2 if east_asian_width(character) in "WF" else 1
        if used + cells > width - 1:
            return out + "…" + " " * (width - 1 - used)
        out, used = out + character, used + cells
    return out + " " * (width - used)


if __name__ == "__main__":
    asyncio.run(triage(*sys.argv[1:4]))
