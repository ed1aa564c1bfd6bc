#!/usr/bin/env python3
"""Mail programs of others against the engine's server. One that is not installed is skipped, and said so."""

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "simulation")]

from servers.private import PASSWORD
from test_model import Line, Ours

PATIENCE = 120


def message(name: str) -> bytes:
    return f"Message-ID: <{name}@x>\r\nSubject: {name}\r\nFrom: ada@example.org\r\n\r\nabout {name}\r\n".encode()


class Clients(unittest.TestCase):
    def setUp(self) -> None:
        self.server = Ours()
        self.addCleanup(self.server.__exit__)
        self.line = Line(self.server.port, "ada")
        self.addCleanup(self.line.close)
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def need(self, program: str) -> None:
        if not shutil.which(program):
            self.skipTest(f"{program} is not installed")

    def run_program(self, *command: str) -> str:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, cwd=self.folder)
        text = (done.stdout + done.stderr).decode(errors="replace")
        self.assertEqual(done.returncode, 0, text)
        return text

    def ask(self, command: str, literal: bytes | None = None) -> list[str]:
        answer, end = self.line.run(command, literal)
        self.assertTrue(end.startswith("OK"), (command, end))
        return answer

    def add(self, name: str, flags: str = "") -> None:
        raw = message(name)
        self.ask(f"APPEND INBOX ({flags}) {{{len(raw)}}}", raw)

    def rows(self) -> dict[str, str]:
        """Flags by subject, of INBOX as the server has it."""
        self.ask("SELECT INBOX")
        found = {}
        for row in self.ask("UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"):
            if "Subject: " in row:
                found[row.split("Subject: ")[1].split()[0]] = row.split("FLAGS (")[1].split(")")[0]
        return found

    def test_mbsync_carries_changes_both_ways(self) -> None:
        self.need("mbsync")
        for name in ("one", "two", "three"):
            self.add(name)
        (self.folder / "mail").mkdir()
        (self.folder / "mbsyncrc").write_text(
            f"IMAPStore far\nHost 127.0.0.1\nPort {self.server.port}\nUser ada\nPass {PASSWORD}\nSSLType None\n"
            f"AuthMechs LOGIN\n\nMaildirStore near\nPath {self.folder}/mail/\nInbox {self.folder}/mail/INBOX\n\n"
            f"Channel all\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nExpunge Both\nSyncState *\n"
        )
        sync = ["mbsync", "-c", str(self.folder / "mbsyncrc"), "all"]
        self.run_program(*sync)
        inbox = self.folder / "mail" / "INBOX"
        files = {self.subject(file): file for file in [*inbox.glob("new/*"), *inbox.glob("cur/*")]}
        self.assertEqual(sorted(files), ["one", "three", "two"])
        # It adds a field of its own.
        self.assertTrue(files["one"].read_bytes().endswith(b"\n\nabout one\n"))

        self.flag(files["one"], "S")
        self.flag(files["two"], "T")
        (inbox / "new" / "local.1").write_bytes(message("four").replace(b"\r\n", b"\n"))
        self.ask("SELECT INBOX")
        self.ask(r"UID STORE 3 +FLAGS (\Flagged)")
        self.run_program(*sync)
        self.assertEqual(self.rows(), {"one": "\\Seen", "three": "\\Flagged", "four": ""})
        flagged = [file.name for file in inbox.glob("cur/*") if self.subject(file) == "three"]
        self.assertTrue(flagged[0].endswith(":2,F"), flagged)
        before = self.rows()
        self.run_program(*sync)
        self.assertEqual(self.rows(), before)

    def test_offlineimap_makes_a_copy_and_brings_flags_back(self) -> None:
        self.need("offlineimap")
        for name in ("one", "two"):
            self.add(name)
        (self.folder / "rc").write_text(
            f"[general]\naccounts = a\nmetadata = {self.folder}/meta\n[Account a]\nlocalrepository = l\n"
            f"remoterepository = r\n[Repository l]\ntype = Maildir\nlocalfolders = {self.folder}/mail\n"
            f"[Repository r]\ntype = IMAP\nremotehost = 127.0.0.1\nremoteport = {self.server.port}\nremoteuser = ada\n"
            f"remotepass = {PASSWORD}\nssl = no\nstarttls = no\nauth_mechanisms = LOGIN\n"
            "folderfilter = lambda name: name == 'INBOX'\n"
        )
        sync = ["offlineimap", "-o", "-u", "basic", "-c", str(self.folder / "rc")]
        self.run_program(*sync)
        files = {self.subject(file): file for file in (self.folder / "mail").glob("INBOX/*/*")}
        self.assertEqual(sorted(files), ["one", "two"])
        self.flag(files["two"], "FS")
        self.run_program(*sync)
        self.assertEqual(self.rows(), {"one": "", "two": "\\Seen \\Flagged"})

    def test_curl_reads_writes_and_searches(self) -> None:
        self.need("curl")
        self.add("one")
        url = f"imap://127.0.0.1:{self.server.port}"
        curl = ["curl", "--silent", "--show-error", "--user", f"ada:{PASSWORD}"]
        self.assertIn("about one", self.run_program(*curl, f"{url}/INBOX;MAILINDEX=1"))
        (self.folder / "two").write_bytes(message("two"))
        self.run_program(*curl, "--upload-file", "two", f"{url}/INBOX")
        self.assertEqual(sorted(self.rows()), ["one", "two"])
        self.assertIn("* SEARCH 2", self.run_program(*curl, f"{url}/INBOX", "--request", "SEARCH SUBJECT two"))
        self.assertIn('"/" INBOX', self.run_program(*curl, f"{url}/"))

    @staticmethod
    def subject(file: Path) -> str:
        return next(line.split()[1] for line in file.read_text().splitlines() if line.startswith("Subject: "))

    @staticmethod
    def flag(file: Path, letters: str) -> None:
        file.rename(file.parent.parent / "cur" / f"{file.name.split(':')[0]}:2,{letters}")


if __name__ == "__main__":
    unittest.main()
