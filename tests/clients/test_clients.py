#!/usr/bin/env python3
"""Programs that copy mail, against the engine's server: mbsync, offlineimap, fetchmail, getmail, curl."""

import sys
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

from clients.program import Programs, mark, message, subject
from servers.private import PASSWORD


class Copies(Programs):
    def test_mbsync_carries_changes_both_ways(self) -> None:
        for name in ("one", "two", "three"):
            self.add(name)
        sync = self.mbsync("INBOX")
        self.run_program(*sync)
        inbox = self.folder / "mail" / "INBOX"
        files = {subject(file): file for file in [*inbox.glob("new/*"), *inbox.glob("cur/*")]}
        self.assertEqual(sorted(files), ["one", "three", "two"])
        # It adds a field of its own.
        self.assertTrue(files["one"].read_bytes().endswith(b"\n\nabout one\n"))

        mark(files["one"], "S")
        mark(files["two"], "T")
        (inbox / "new" / "local.1").write_bytes(message("four").replace(b"\r\n", b"\n"))
        self.ask("SELECT INBOX")
        self.ask(r"UID STORE 3 +FLAGS (\Flagged)")
        self.run_program(*sync)
        self.assertEqual(self.rows(), {"one": "\\Seen", "three": "\\Flagged", "four": ""})
        flagged = [file.name for file in inbox.glob("cur/*") if subject(file) == "three"]
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
        files = {subject(file): file for file in (self.folder / "mail").glob("INBOX/*/*")}
        self.assertEqual(sorted(files), ["one", "two"])
        mark(files["two"], "FS")
        self.run_program(*sync)
        self.assertEqual(self.rows(), {"one": "", "two": "\\Flagged \\Seen"})

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

    def test_fetchmail_takes_what_is_new_and_leaves_the_rest(self) -> None:
        self.need("fetchmail")
        for name in ("one", "two"):
            self.add(name)
        self.add("old", "\\Seen")
        poll = f"poll 127.0.0.1 port {self.server.port} protocol imap"
        file = self.folder / "fetchmailrc"
        file.write_text(f"{poll} user ada password {PASSWORD} sslproto '' no keep mda 'cat >> {self.folder}/got'\n")
        file.chmod(0o600)
        self.run_program("fetchmail", "-f", "fetchmailrc", "--pidfile", "pid", "--idfile", "ids")
        got = (self.folder / "got").read_text()
        self.assertEqual([name for name in ("one", "two", "old") if f"about {name}" in got], ["one", "two"])
        self.assertEqual(list(self.rows()), ["old"])

    def test_getmail_takes_each_message_once(self) -> None:
        self.need("getmail")
        for name in ("one", "two"):
            self.add(name)
        (self.folder / "getmailrc").write_text(
            "[retriever]\ntype = SimpleIMAPRetriever\nserver = 127.0.0.1\n"
            f"port = {self.server.port}\nusername = ada\npassword = {PASSWORD}\nmove_on_delete = Archive\n"
            '[destination]\ntype = MDA_external\npath = /bin/sh\narguments = ("-c", "cat >> got")\n'
            "allow_root_commands = true\n[options]\nread_all = false\ndelete = true\n"
        )
        get = ["getmail", f"--getmaildir={self.folder}", "--rcfile=getmailrc"]
        self.run_program(*get)
        self.add("three")
        self.run_program(*get)
        got = (self.folder / "got").read_text()
        self.assertEqual([got.count(f"about {name}") for name in ("one", "two", "three")], [1, 1, 1])
        self.assertEqual(self.rows(), {})
        self.assertEqual(sorted(self.rows("Archive")), ["one", "three", "two"])


if __name__ == "__main__":
    unittest.main()
