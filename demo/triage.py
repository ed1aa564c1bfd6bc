"""Triage of a mirror in Python: list, read, save, flag and move, and tell the server.

python demo/triage.py URL STORE FOLDER      (the password in MAILTIDE_PASSWORD)

`demo/triage.mjs` goes on in JavaScript, and offline.
"""

import asyncio
import os
import sys
import time
from unicodedata import east_asian_width

import mailtide
from mailtide import Flag, Role


async def triage(url: str, store: str, folder: str) -> None:
    report = Report()
    async with mailtide.open(store, url, password=os.environ["MAILTIDE_PASSWORD"]) as mail:
        synced = await mail.sync()
        report.line(f"mirrored {synced.added} messages with their bodies, {size(synced.bytes)}")
        inbox = mail.mailbox("INBOX")

        unread = await inbox.fetch("is:unread", order="newest").list()
        report.line(f"listed {len(unread)} unread messages, from the mirror")
        for message in unread[:6]:
            report.row(message)

        characters = 0
        async for message in inbox.fetch("is:unread", parts=["text"]):
            characters += len(await message.text())
        report.line(f"read the text of all {len(unread)}, {characters:,} characters")

        attachments = [attachment for message in unread for attachment in message.attachments]
        largest = max(attachments, key=lambda attachment: attachment.size or 0)
        path = await largest.save(folder)
        report.line(f"saved {os.path.basename(path)}, {size(os.path.getsize(path))}")

        with_files = [message for message in unread if message.attachments]
        await inbox.flag(with_files, add=[Flag.FLAGGED, "$Invoice"])
        lists = await inbox.move(await inbox.fetch("is:unread list:moths").list(), Role.ARCHIVE)
        report.line(f"flagged {len(with_files)} that carry attachments, archived {len(lists.done)} of a mailing list")

        told = await mail.sync()
        report.line(f"told the server: {told.applied} changes confirmed")


class Report:
    """Prints what was done, and how long it took since the line before."""

    def __init__(self) -> None:
        self.since = time.perf_counter()

    def line(self, text: str) -> None:
        milliseconds = (time.perf_counter() - self.since) * 1000
        print(f"  {column(text, 76)}{milliseconds:7.1f} ms", flush=True)
        self.since = time.perf_counter()

    def row(self, message: mailtide.Message) -> None:
        sender = message.from_[0].name or message.from_[0].email if message.from_ else ""
        when = f"{message.received.astimezone():%d %b %H:%M}" if message.received else ""
        files = ", ".join(a.filename or a.media_type for a in message.attachments if not a.inline)
        clip = f"+ {files}" if files else ""
        cells = f"{when:13}{column(sender, 19)} {column(message.subject or '', 44)}{size(message.size or 0):>8}"
        print(f"      {cells}  {column(clip, 26)}".rstrip(), flush=True)
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
