"""mbsync as a check: what it sees after us is what we see, byte for byte, and what it does is seen by us.

Skipped where mbsync (Debian's isync) is not installed; tests/servers/setup installs it.
"""

import asyncio
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import mailgen
import pytest
from both import Both, Contents, decode, letter, number_of, run
from mailtide import Flag

pytestmark = pytest.mark.skipif(shutil.which("mbsync") is None, reason="mbsync is not installed: tests/servers/setup")

#: Maildir's letters for flags; it knows no keywords.
LETTERS = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered", "S": "\\Seen", "T": "\\Deleted"}

CONFIGURATION = """
IMAPAccount here
Host 127.0.0.1
Port {port}
User {user}
Pass {password}
SSLType None
AuthMechs LOGIN

IMAPStore far
Account here
{prefix}

MaildirStore near
Path {folder}/
Inbox {folder}/INBOX
SubFolders Verbatim
Flatten .

Channel all
Far :far:
Near :near:
Patterns *
Create Near
Expunge Both
SyncState *
"""


class Peer:
    """mbsync with Maildirs of its own, at the server itself."""

    def __init__(self, both: Both) -> None:
        self.both = both
        self.folder = both.folder / "mbsync"
        self.folder.mkdir()
        values = {"port": both.env["imap_port"], "user": both.user, "password": both.env["password"], "folder": self.folder}
        text = CONFIGURATION.format(**values, prefix=f'Path "{both.prefix}"' if both.prefix else "")
        (both.folder / "mbsyncrc").write_text(text, encoding="utf-8")

    def pass_(self) -> None:
        command = ["mbsync", "-c", str(self.both.folder / "mbsyncrc"), "all"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def maildir(self, mailbox: str) -> Path:
        """Where a mailbox is kept; `Flatten` joins its levels with a dot."""
        name = mailbox.removeprefix(self.both.prefix).replace(self.both.delimiter, ".")
        return self.folder / name

    def files(self, maildir: Path) -> list[Path]:
        return [path for part in ("cur", "new") for path in sorted((maildir / part).iterdir())]

    def contents(self) -> Contents:
        """As `Both.there` gives it, without keywords."""
        found: Contents = {}
        for maildir in (path for path in self.folder.iterdir() if (path / "cur").is_dir()):
            rows = [(original(path.read_bytes()), flags_of(path)) for path in self.files(maildir)]
            found[decode(maildir.name)] = Counter(rows)
        return found


def original(raw: bytes) -> bytes:
    """A Maildir has bare line feeds, and mbsync writes a line of its own into the header."""
    return re.sub(rb"(?m)^X-TUID: [^\r\n]*\r\n", b"", raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


def flags_of(path: Path) -> frozenset[str]:
    return frozenset(LETTERS[letter] for letter in path.name.partition(":2,")[2] if letter in LETTERS)


def without_keywords(contents: Contents, both: Both) -> Contents:
    """What a Maildir can hold of it, by the names that mbsync gives."""
    kept: Contents = {}
    for mailbox, messages in contents.items():
        name = mailbox.removeprefix(both.prefix).replace(both.delimiter, ".")
        kept[name] = Counter()
        for (raw, flags), count in messages.items():
            if not both.is_left(flags):  # what is marked as deleted is not fetched
                kept[name][original(raw), flags & frozenset(LETTERS.values())] += count
    return kept


def test_mbsync_sees_after_us_what_we_see(both: Both) -> None:
    deep = both.name("Work", "Deep")
    both.ask("create", deep)
    for mail in mailgen.messages(40, seed=11):
        both.put("INBOX" if mail.mailbox == ("INBOX",) else deep, mail.raw, flags=" ".join(mail.flags))
    peer = Peer(both)

    async def scenario() -> None:
        async with both.open() as mail:
            await mail.sync()
            inbox, archive = mail.mailbox("INBOX"), both.name("Archive")
            one, two, three, four, *_ = await inbox.fetch().list()
            await inbox.flag([one, two], add=[Flag.SEEN, Flag.FLAGGED, "$Invoice"])
            await inbox.move(two, archive)
            await inbox.copy(three, archive)
            await inbox.expunge(four)
            await mail.mailbox(archive).append(letter(1), flags=[Flag.ANSWERED])
            await both.agree(mail)
            ours = without_keywords(await both.here(mail), both)
        await asyncio.to_thread(peer.pass_)
        theirs = peer.contents()
        assert theirs.keys() == ours.keys()
        for mailbox, messages in ours.items():
            assert theirs[mailbox] == messages, mailbox

    run(scenario())


def test_what_mbsync_does_is_seen_by_us(both: Both) -> None:
    both.put("INBOX", *map(letter, range(1, 6)))
    peer = Peer(both)

    def change() -> None:
        peer.pass_()
        maildir = peer.maildir("INBOX")
        for path in peer.files(maildir):
            unmarked = path.name.partition(":2,")[0]
            match number_of(original(path.read_bytes())):
                case 1:
                    path.rename(maildir / "cur" / f"{unmarked}:2,FS")
                case 2:
                    path.rename(maildir / "cur" / f"{unmarked}:2,T")
        (maildir / "new" / "1.2.written").write_bytes(letter(6).replace(b"\r\n", b"\n"))
        peer.pass_()

    async def scenario() -> None:
        async with both.open() as mail:
            await mail.sync()
            inbox = mail.mailbox("INBOX")
            waiting = [m for m in await inbox.fetch().list() if m.subject == "Letter 3"]
            await inbox.flag(waiting, add=[Flag.ANSWERED])
            await asyncio.to_thread(change)
            there = await both.agree(mail)
            held = sorted((number_of(raw), sorted(flags)) for raw, flags in there["INBOX"])
            assert held == [(1, ["\\Flagged", "\\Seen"]), (3, ["\\Answered"]), (4, []), (5, []), (6, [])]

    run(scenario())
