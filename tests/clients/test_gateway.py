#!/usr/bin/env python3
"""The engine as a gateway: Dovecot is the provider, mbsync and another client stand in front, and the provider goes away.

Two processes of ours have the store: one keeps it in step and serves it, one only serves it. Both are killed while the
provider is away, and the same messages are changed on both sides.
"""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

from clients.program import Programs, mark, message, subject
from servers.between import Between
from servers.dovecot import Dovecot
from servers.line import Line
from servers.ours import Ours
from servers.private import ServerError, wait_for

MAILBOXES = ["INBOX", "Archive", "Drafts", "Trash"]
Contents = dict[str, list[tuple[str, str]]]


def contents(port: int) -> Contents:
    """Subjects and flags by mailbox, as somebody sees them who has just come."""
    line = Line(port, "ada")
    try:
        return {mailbox: of(line, mailbox) for mailbox in MAILBOXES}
    finally:
        line.close()


def of(line: Line, mailbox: str) -> list[tuple[str, str]]:
    end = line.run(f"EXAMINE {mailbox}")[1]
    if not end.startswith("OK"):
        return [("not here yet", end)]
    rows = line.run("UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[0]
    found = []
    for row in rows:
        if "Subject: " in row:
            flags = sorted(set(row.split("FLAGS (")[1].split(")")[0].split()) - {"\\Recent"})
            found.append((row.split("Subject: ")[1].split()[0], " ".join(flags)))
    return sorted(found)


class Gateway(Programs):
    """`self.server` only serves; `self.keeper` keeps its store in step as well."""

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        try:
            self.provider = self.enterContext(Dovecot())
        except ServerError as error:
            self.lack(str(error))
        self.network = self.enterContext(Between(self.provider.env["imap_port"]))
        self.there = Line(self.provider.env["imap_port"], "ada")
        self.addCleanup(self.there.close)
        self.keeper = self.enterContext(Ours(provider=self.network.port))
        self.server = self.enterContext(Ours(store=self.keeper.store))

    def at_provider(self, *commands: str) -> None:
        for command in commands:
            end = self.there.run(command)[1]
            self.assertTrue(end.startswith("OK"), (command, end))

    def deliver(self, *names: str) -> None:
        for name in names:
            raw = message(name)
            self.assertTrue(self.there.run(f"APPEND INBOX {{{len(raw)}}}", raw)[1].startswith("OK"))

    def settle(self, *ports: int, expected: Contents) -> None:
        for port in ports:
            wait_for(lambda: contents(port) == expected, 60)
            self.assertEqual(contents(port), expected)

    def test_what_is_done_while_the_provider_is_away_arrives_there_once(self) -> None:
        provider = self.provider.env["imap_port"]
        self.deliver("one", "two", "three", "four", "five", "six")
        everything = [(name, "") for name in ("five", "four", "one", "six", "three", "two")]
        before = {"INBOX": everything, "Archive": [], "Drafts": [], "Trash": []}
        self.settle(self.keeper.port, self.server.port, expected=before)
        sync = self.mbsync("INBOX", "Drafts")
        self.run_program(*sync)

        self.network.cut()
        inbox = self.folder / "mail" / "INBOX"
        files = {subject(file): file for file in inbox.glob("*/*")}
        mark(files["one"], "S")
        mark(files["two"], "T")
        draft = self.folder / "mail" / "Drafts" / "new" / "1.draft"
        draft.write_bytes(message("draft").replace(b"\r\n", b"\n"))
        self.run_program(*sync)
        self.in_front("SELECT INBOX", r"UID STORE 5 +FLAGS ($Work)", "UID MOVE 3 Archive")
        # The same messages there: one flag more, a flag on what was moved here, gone what was flagged here.
        self.at_provider(
            "SELECT INBOX", r"UID STORE 1 +FLAGS (\Answered)", r"UID STORE 3 +FLAGS (\Flagged)",
            "UID MOVE 4 Trash", r"UID STORE 5:6 +FLAGS (\Deleted)", "UID EXPUNGE 5:6",
        )  # fmt: skip
        self.deliver("seven")

        for process in (self.keeper, self.server):
            process.kill()
            process.start()
        self.in_front("SELECT Archive", r"UID STORE 1:* +FLAGS (\Seen)")
        self.network.mend()
        after = {
            "INBOX": [("one", "\\Answered \\Seen"), ("seven", "")],
            "Archive": [("three", "\\Flagged \\Seen")],
            "Drafts": [("draft", "")],
            "Trash": [("four", "")],
        }
        self.settle(provider, self.keeper.port, self.server.port, expected=after)
        # And it stays so: mbsync sees it, and a new start does nothing again.
        self.run_program(*sync)
        names = {subject(file) for file in inbox.glob("*/*")}
        self.assertEqual(names, {"one", "seven"})
        self.keeper.stop()
        self.keeper.start()
        self.deliver("eight")
        after["INBOX"] = [("eight", ""), *after["INBOX"]]
        self.settle(self.keeper.port, self.server.port, provider, expected=after)

    def in_front(self, *commands: str) -> None:
        line = Line(self.server.port, "ada")
        for command in commands:
            end = line.run(command)[1]
            self.assertTrue(end.startswith("OK"), (command, end))
        line.close()


if __name__ == "__main__":
    unittest.main()
