#!/usr/bin/env python3
"""Mail programs in a terminal against the engine's server: read, flag, move, delete, write a draft, hear of new mail."""

import sys
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

from clients.program import Programs
from servers.private import PASSWORD

MUTT = """
set folder="imap://ada@127.0.0.1:{port}"
set imap_user=ada
set imap_pass="{password}"
set imap_authenticators="{mechanism}"
set spoolfile=+INBOX
set postponed=+Drafts
set record=+Sent
set ssl_starttls=no
set ssl_force_tls=no
set delete=yes
set quit=yes
set move=no
set mark_old=no
set confirmappend=no
set wait_key=no
set trash=
set from=ada@example.org
set imap_idle=yes
set timeout=1
set mail_check=1
set editor="/bin/sh -c 'echo more >> \\"$0\\"'"
"""


class Readers(Programs):
    def mutt(self, program: str, mechanism: str) -> None:
        self.need(program)
        for name in ("one", "two", "three", "four"):
            self.add(name)
        text = MUTT.format(port=self.server.port, password=PASSWORD, mechanism=mechanism)
        (self.folder / "rc").write_text(text)
        start = [program, "-n", "-F", str(self.folder / "rc")]
        screen = self.terminal(*start)
        screen.wait_for("Msgs:4")
        screen.keys("=\r")
        screen.wait_for("about one")
        screen.keys("i=F")
        screen.keys("/~s two\rs\x15=Archive\r")
        screen.keys("/~s three\rd$")
        self.becomes({"one": "\\Flagged \\Seen", "four": ""})
        self.assertEqual(list(self.rows("Archive")), ["two"])
        # While it waits somebody else brings a message.
        self.add("five")
        screen.wait_for("New mail in|five")
        screen.keys("x")
        self.assertEqual(screen.ended(), 0)

        screen = self.terminal(*start, "-s", "draft", "bob@example.org")
        for shown, typed in [("To: bob", "\r"), ("Subject: +draft", "\r"), ("y:Send", "P")]:
            screen.wait_for(shown)
            screen.keys(typed)
        screen.ended()  # NeoMutt with an error, since nothing was sent.
        self.assertEqual(self.rows("Drafts"), {"draft": "\\Draft"})
        self.assertIn("more", "".join(self.ask("FETCH 1 BODY.PEEK[TEXT]")))

    def test_mutt(self) -> None:
        self.mutt("mutt", "scram-sha-256")

    def test_neomutt(self) -> None:
        self.mutt("neomutt", "login")

    def test_aerc(self) -> None:
        self.need("aerc")
        for name in ("one", "two", "three", "four"):
            self.add(name)
        config = self.folder / "config" / "aerc"
        config.mkdir(parents=True)
        source = f"imap+insecure://ada:{PASSWORD}@127.0.0.1:{self.server.port}"
        accounts = config / "accounts.conf"
        accounts.write_text(f"[ours]\nsource = {source}\ndefault = INBOX\nfrom = Ada <ada@example.org>\npostpone = Drafts\n")
        accounts.chmod(0o600)
        screen = self.terminal("aerc")
        screen.wait_for("(?s)one.*two.*three.*four")
        screen.keys(":flag -x Flagged\r")
        self.becomes({"one": "", "two": "", "three": "", "four": "\\Flagged"})
        screen.keys(":next\r:move Archive\r")
        self.becomes({"one": "", "two": "", "four": "\\Flagged"})
        self.assertEqual(list(self.rows("Archive")), ["three"])
        self.add("five")
        screen.wait_for("five")
        screen.keys(":search two\r:delete-message\r")
        self.becomes({"one": "", "four": "\\Flagged", "five": ""})
        screen.keys(":quit\r")
        self.assertEqual(screen.ended(), 0)


if __name__ == "__main__":
    unittest.main()
