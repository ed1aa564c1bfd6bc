"""What the tests of other mail programs share: our server, a line to it that looks at what they did, and a terminal."""

import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import tempfile
import termios
import time
import unittest
from pathlib import Path
from typing import NoReturn

from servers.line import Line
from servers.ours import Ours
from servers.private import PASSWORD, wait_for

PATIENCE = 120
#: Where `tests/clients/setup` puts what does not come from Debian.
HOME = Path(__file__).resolve().parents[2] / "target" / "clients"


def message(name: str) -> bytes:
    fields = f"Message-ID: <{name}@x>\r\nSubject: {name}\r\nFrom: ada@example.org\r\nTo: bob@example.org\r\n"
    return f"{fields}\r\nabout {name}\r\n".encode()


MBSYNC = """
IMAPStore far
Host 127.0.0.1
Port {port}
User ada
Pass {password}
SSLType None
AuthMechs LOGIN

MaildirStore near
Path {folder}/mail/
Inbox {folder}/mail/INBOX

Channel all
Far :far:
Near :near:
Patterns {patterns}
Create Near
Expunge Both
SyncState *
"""


def subject(file: Path) -> str:
    """The name of a message in a Maildir."""
    return next(line.split()[1] for line in file.read_text().splitlines() if line.startswith("Subject: "))


def mark(file: Path, letters: str) -> None:
    """Flags as a Maildir has them."""
    file.rename(file.parent.parent / "cur" / f"{file.name.split(':')[0]}:2,{letters}")


class Programs(unittest.TestCase):
    """Each test has a server and an empty folder. `make clients` sets MAILTIDE_CLIENTS: then nothing may be missing."""

    def setUp(self) -> None:
        self.server = Ours()
        self.addCleanup(self.server.__exit__)
        self.line = Line(self.server.port, "ada")
        self.addCleanup(self.line.close)
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def need(self, program: str | Path) -> str:
        found = shutil.which(program)
        return found or self.lack(program)

    def need_file(self, file: Path) -> None:
        if not file.exists():
            self.lack(file)

    def lack(self, what: str | Path) -> NoReturn:
        text = f"{what} is not installed: tests/clients/setup"
        if os.environ.get("MAILTIDE_CLIENTS"):
            self.fail(text)
        self.skipTest(text)

    def run_program(self, *command: str | Path, text: str | None = None) -> str:
        env = os.environ | {"HOME": str(self.folder)}
        done = subprocess.run(
            command, input=text and text.encode(), capture_output=True, timeout=PATIENCE, cwd=self.folder, env=env
        )
        output = (done.stdout + done.stderr).decode(errors="replace")
        self.assertEqual(done.returncode, 0, output)
        return output

    def mbsync(self, *patterns: str) -> list[str]:
        """The command for a pass between those mailboxes and Maildirs in `mail`."""
        self.need("mbsync")
        (self.folder / "mail").mkdir()
        values = {"port": self.server.port, "password": PASSWORD, "folder": self.folder, "patterns": " ".join(patterns)}
        (self.folder / "mbsyncrc").write_text(MBSYNC.format(**values))
        return ["mbsync", "-c", str(self.folder / "mbsyncrc"), "all"]

    def terminal(self, *command: str) -> "Terminal":
        terminal = Terminal(self.folder, *command)
        self.addCleanup(terminal.close)
        return terminal

    def ask(self, command: str, literal: bytes | None = None) -> list[str]:
        answer, end = self.line.run(command, literal)
        self.assertTrue(end.startswith("OK"), (command, end))
        return answer

    def add(self, name: str, flags: str = "", mailbox: str = "INBOX") -> None:
        raw = message(name)
        self.ask(f"APPEND {mailbox} ({flags}) {{{len(raw)}}}", raw)

    def rows(self, mailbox: str = "INBOX") -> dict[str, str]:
        """Flags by subject, in the order of the alphabet, of a mailbox as the server has it."""
        self.ask(f"SELECT {mailbox}")
        found = {}
        for row in self.ask("UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"):
            if "Subject: " in row:
                flags = row.split("FLAGS (")[1].split(")")[0]
                found[row.split("Subject: ")[1].split()[0]] = " ".join(sorted(flags.split()))
        return found

    def becomes(self, expected: object, mailbox: str = "INBOX") -> None:
        """Waits until the rows are that."""
        wait_for(lambda: self.rows(mailbox) == expected, 20)
        self.assertEqual(self.rows(mailbox), expected)


class Terminal:
    """A program that wants a terminal, and what it has written on it."""

    def __init__(self, home: Path, *command: str) -> None:
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.chdir(home)
            os.environ.update(HOME=str(home), TERM="xterm", LANG="C.UTF-8", XDG_CONFIG_HOME=str(home / "config"))
            os.execvp(command[0], command)
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.shown = ""

    def wait_for(self, pattern: str, seconds: float = 20) -> None:
        """Until that has been written since the last time; escapes are left out."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.shown)):
            if not self.read(end):
                raise AssertionError(f"{pattern!r} is not in {self.shown[-3000:]!r}")
        self.shown = self.shown[found.end() :]

    def read(self, end: float) -> bool:
        ready = select.select([self.file], [], [], max(0.0, end - time.monotonic()))[0]
        try:
            data = os.read(self.file, 65536) if ready else b""
        except OSError:  # The program has ended.
            data = b""
        text = data.decode(errors="replace")
        self.shown += re.sub(r"\x1b(\[[0-9;?>]*[a-zA-Z]|\][^\x07]*\x07|[()][A-Z0-9]|.)", " ", text)
        return bool(data)

    def keys(self, text: str) -> None:
        os.write(self.file, text.encode())

    def ended(self, seconds: float = 20) -> int:
        """How it has ended by itself."""
        end = time.monotonic() + seconds
        while self.read(end):
            pass
        if self.pid == 0:
            return 0
        assert time.monotonic() < end, f"it did not end: {self.shown[-3000:]!r}"
        pid, self.pid = self.pid, 0
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def close(self) -> None:
        if self.pid:
            os.kill(self.pid, 9)
            os.waitpid(self.pid, 0)
        os.close(self.file)
