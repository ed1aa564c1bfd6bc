"""Runs every Python and JavaScript example of README.md and docs/ against a private Dovecot.

An example must end without an error, print something where it prints at all, and print what its comments claim.
"""

import os
import re
import subprocess
import sys
import tempfile
import threading
import unittest
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from mailgen import Mail, append, connect, fill, messages
from servers.dovecot import Dovecot

FENCE = re.compile(r"^```(python|js)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CLAIM = re.compile(r"^\s*(?:print|console\.log)\(.*\);?\s+(?:#|//) (.+)$", re.MULTILINE)
SECONDS = 60
NEWS = b"Subject: moth\r\n\r\nrelay 70\r\n"
PRELUDES = {"python": [sys.executable, HERE / "prelude.py"], "js": ["node", HERE / "prelude.mjs"]}
SUFFIXES = {"python": ".py", "js": ".mjs"}


@dataclass(frozen=True)
class Example:
    place: str
    language: str
    words: str
    code: str

    def claims(self) -> list[str]:
        return CLAIM.findall(self.code)

    def prints(self) -> bool:
        return "print(" in self.code or "console.log(" in self.code


def examples() -> Iterator[Example]:
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = path.read_text(encoding="utf-8")
        for found in FENCE.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            yield Example(f"{path.relative_to(ROOT)}:{line}", found[1], found[2].strip(), found[3])


class Examples(unittest.TestCase):
    server: ClassVar[Dovecot]

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = Dovecot()
        cls.server.start()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.server.__exit__()

    def test_every_example_of_the_documentation_runs_and_prints_what_it_says(self) -> None:
        found = list(examples())
        self.assertGreater(len([e for e in found if e.language == "python"]), 3)
        self.assertGreater(len([e for e in found if e.language == "js"]), 3)
        for number, example in enumerate(found):
            with self.subTest(example.place):
                self.check(example, f"reader{number}")

    def check(self, example: Example, user: str) -> None:
        with connect(self.server.env, user) as client:
            fill(client, messages(40, seed=7))
        status, out = run(example, self.server.env, user)
        self.assertEqual(status, 0, f"{example.place}:\n{out}")
        if example.prints():
            self.assertNotEqual(out.strip(), "", f"{example.place} printed nothing")
        for claim in example.claims():
            self.assertIn(claim, out, example.place)


def run(example: Example, env: dict[str, Any], user: str) -> tuple[int, str]:
    """The example's exit status and all that it printed."""
    with tempfile.TemporaryDirectory(prefix="mt-docs-") as folder:
        file = Path(folder, "example" + SUFFIXES[example.language])
        file.write_text(example.code, encoding="utf-8")
        Path(folder, "invoices").mkdir()
        environment = os.environ | {
            "MAILTIDE_URL": f"imaps://{user}@{env['host']}:{env['imaps_port']}",
            "MAILTIDE_PASSWORD": env["password"],
            "MAILTIDE_CA": env["ca"],
            "MAILTIDE_WORDS": example.words,
        }
        child = subprocess.Popen([*PRELUDES[example.language], file], cwd=folder, env=environment, text=True,
                                 encoding="utf-8", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT)  # fmt: skip
        killer = threading.Timer(SECONDS, child.kill)
        killer.start()
        try:
            assert child.stdout
            out = deliver_until_met(child, env, user) if "watch(" in example.code else child.stdout.read()
            rest, _ = child.communicate()  # ends its standard input
            return child.returncode, out + rest
        finally:
            killer.cancel()


def deliver_until_met(child: subprocess.Popen[str], env: dict[str, Any], user: str) -> str:
    """Delivers messages until the example has said that one is new; then its standard input ends, and so does it."""
    met = threading.Event()

    def deliver() -> None:
        with connect(env, user) as client:
            while not met.wait(0.2) and child.poll() is None:
                append(client, "INBOX", Mail(("INBOX",), (), datetime.now(UTC), "", NEWS))

    thread = threading.Thread(target=deliver)
    thread.start()
    assert child.stdout
    lines = []
    for line in child.stdout:
        lines.append(line)
        if line.startswith("new:"):
            break
    met.set()
    thread.join()
    return "".join(lines)


if __name__ == "__main__":
    unittest.main()
