#!/usr/bin/env python3
"""Libraries of others against the engine's server, each with the same story: `libraries.py` and `libraries.cjs`.

imaplib is in tests/simulation/test_model.py, async-imap in core/tests/server_async_imap.rs.
"""

import json
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from clients.program import HOME, Programs
from servers.private import PASSWORD


class Libraries(Programs):
    def tells(self, *command: str | Path) -> None:
        for name in ("one", "two", "three"):
            self.add(name)
        told = json.loads(self.run_program(*command))
        self.assertEqual((told["subjects"], told["text"].strip(), told["found"]), (["one", "two", "three"], "about one", 1))
        rows = self.rows()
        self.assertEqual((sorted(rows), rows["one"]), (["four", "one"], "\\Flagged"))
        self.assertEqual(list(self.rows("Archive")), ["two"])

    def python(self, name: str) -> None:
        python = self.need(HOME / "venv" / "bin" / "python")
        self.tells(python, HERE / "libraries.py", name, str(self.server.port))

    def node(self, name: str, package: str) -> None:
        node = self.need("node")
        self.need_file(HOME / "node_modules" / package)
        self.tells(node, HERE / "libraries.cjs", name, str(self.server.port), PASSWORD)

    def test_imapclient(self) -> None:
        self.python("imapclient")

    def test_imap_tools(self) -> None:
        self.python("imap_tools")

    def test_aioimaplib(self) -> None:
        self.python("aioimaplib")

    def test_imapflow(self) -> None:
        self.node("imapflow", "imapflow")

    def test_node_imap(self) -> None:
        self.node("node-imap", "imap")


if __name__ == "__main__":
    unittest.main()
