#!/usr/bin/env python3
"""The modelled server and the engine's own under clients of others: imaplib, and the groups that Dovecot passes too."""

import base64
import imaplib
import re
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from servers.dovecot import Dovecot
from servers.line import Line
from servers.ours import Ours
from servers.private import PASSWORD, ServerError

ROOT = HERE.parent.parent
PATIENCE = 10.0


class Model:
    """The modelled server in a process of its own."""

    def __init__(self, personality: str = "dovecot") -> None:
        self.process = subprocess.Popen(
            [self.program(), personality], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())

    @staticmethod
    def program() -> str:
        build = ["cargo", "build", "--quiet", "--package", "mailtide-simulation", "--bin", "model-server"]
        subprocess.run(build, cwd=ROOT, check=True)
        return str(ROOT / "target" / "debug" / "model-server")

    def __enter__(self) -> "Model":
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


class Script:
    """Plays one file to one server."""

    def __init__(self, path: Path, port: int, user: str, is_model: bool = False) -> None:
        self.is_model = is_model
        self.lines = path.read_text(encoding="utf-8").splitlines()
        self.port, self.user = port, user
        self.connections: dict[str, Line] = {}
        plain = base64.b64encode(f"\0{user}\0{PASSWORD}".encode()).decode()
        self.messages: dict[str, bytes] = {"user": user.encode(), "password": PASSWORD.encode()}
        self.values: dict[str, str] = {"user": user, "password": PASSWORD, "plain": plain}

    def play(self) -> None:
        at = 0
        try:
            while at < len(self.lines):
                at = self.step(at)
        except (AssertionError, ConnectionError) as error:
            raise AssertionError(f"line {at + 1}, {self.lines[at]!r}: {error}") from error
        finally:
            for connection in self.connections.values():
                connection.close()

    def step(self, at: int) -> int:
        line = self.lines[at]
        if line.startswith("message "):
            end = self.lines.index("end", at)
            self.messages[line.split()[1]] = "".join(f"{text}\r\n" for text in self.lines[at + 1 : end]).encode()
            return end + 1
        if line.startswith("text "):
            _, name, charset, text = line.split(" ", 3)
            self.messages[name] = text.encode(charset)
            return at + 1
        if line.startswith("not the model: ") and self.is_model:
            raise unittest.SkipTest(line)
        if line.startswith("not the model: "):
            return at + 1
        if line.startswith("needs: "):
            answer, _ = self.connection("1").run("CAPABILITY")
            if line.split()[1] not in answer[0]:
                raise unittest.SkipTest(line)
            return at + 1
        if line.startswith("wait "):
            _, number, pattern = line.split(" ", 2)
            while not self.matches(pattern, self.connections[number].response()):
                pass
            return at + 1
        if line.startswith("#") or not line:
            return at + 1
        return self.exchange(at)

    def exchange(self, at: int) -> int:
        number, command = self.lines[at].split(" ", 1)
        connection = self.connection(number)
        for name, value in self.values.items():
            command = command.replace(f"${name}", value)
        literals = [self.messages[name] for name in re.findall(r"\{\{(\w+)\+?\}\}", command)]
        command = re.sub(r"\{\{(\w+)(\+?)\}\}", lambda m: f"{{{len(self.messages[m[1]])}{m[2]}}}\0", command)
        if command == "DONE" or command.startswith("> "):
            answer, end = connection.done(command.removeprefix("> "))
        else:
            answer, end = connection.run(command.removesuffix("\0"), *literals)
        at += 1
        while at < len(self.lines) and self.lines[at][:2] in ("* ", "! "):
            self.check(self.lines[at], answer)
            at += 1
        assert self.matches(self.lines[at], end), f"{self.lines[at]!r} is not {end!r}"
        return at + 1

    def check(self, line: str, answer: list[str]) -> None:
        if line.startswith("! "):
            hits = [response for response in answer if self.matches(line[2:], response)]
            assert not hits, f"{line!r} is in {hits}"
        else:
            assert any(self.matches(line, response) for response in answer), f"{line!r} is not in {answer}"

    def matches(self, pattern: str, response: str) -> bool:
        whole = pattern.endswith(("...", ")", '"')) or pattern[-1:].isalnum()
        for name, value in self.messages.items():
            text = value.decode().replace("\r\n", "\n")
            pattern = pattern.replace(f"[{name}]", f"{{{len(value)}}}{text}")
        regex = re.escape(pattern).replace(r"\.\.\.", "(?:.|\n)*")
        regex = re.sub(r"\\\$([a-z]+)", r"(?P<\1>\\d+)", regex)
        literal = "{" in pattern and not whole
        found = re.match(regex if literal or "}" in pattern else regex + r"\Z", response, re.IGNORECASE)
        if found:
            self.values.update({name: value for name, value in found.groupdict().items() if value})
        return found is not None

    def connection(self, number: str) -> Line:
        if number not in self.connections:
            self.connections[number] = Line(self.port, None if number.isalpha() else self.user)
        return self.connections[number]


SCRIPTS = sorted((HERE / "scripts").glob("*.imap"))


class ScriptedGroups(unittest.TestCase):
    def test_the_model_passes_every_group(self) -> None:
        for path in SCRIPTS:
            with self.subTest(path.stem), Model() as model:
                Script(path, model.port, "ada", is_model=True).play()

    def test_our_server_passes_every_group(self) -> None:
        for path in SCRIPTS:
            with self.subTest(path.stem), Ours() as server:
                Script(path, server.port, "ada").play()

    def test_dovecot_passes_every_group(self) -> None:
        try:
            server = Dovecot()
            env = server.start()
        except ServerError as error:
            self.skipTest(str(error))
        self.addCleanup(server.stop)
        for path in SCRIPTS:
            with self.subTest(path.stem):
                Script(path, env["imap_port"], f"script-{path.stem}").play()

    def test_a_group_can_fail(self) -> None:
        with Model() as model:
            script = Script(SCRIPTS[0], model.port, "ada")
            script.lines = ["1 SELECT INBOX", "* 4 EXISTS", "OK ..."]
            self.assertRaisesRegex(AssertionError, "4 EXISTS", script.play)


class Imaplib(unittest.TestCase):
    """Python's own client, on the model of the server that is most like the RFC."""

    server: type[Model] | type[Ours] = Model

    def setUp(self) -> None:
        self.running = self.server()
        self.addCleanup(self.running.__exit__)
        self.mail = imaplib.IMAP4("127.0.0.1", self.running.port)
        self.addCleanup(lambda: self.mail.state == "LOGOUT" or self.mail.shutdown())

    def ok(self, answer: tuple[str, list[Any]]) -> list[Any]:
        self.assertEqual(answer[0], "OK", answer)
        return answer[1]

    def test_a_day_of_mail(self) -> None:
        message = b"Subject: hello\r\nMessage-ID: <1@x>\r\n\r\nline\r\n"
        self.ok(self.mail.login("ada", PASSWORD))
        self.ok(self.mail.create("Box"))
        for _ in range(3):
            self.ok(self.mail.append("INBOX", r"(\Seen)", None, message))
        self.assertEqual(self.ok(self.mail.select("INBOX")), [b"3"])
        self.assertEqual(self.ok(self.mail.uid("SEARCH", "HEADER", "Message-ID", "<1@x>")), [b"1 2 3"])
        rows = self.ok(self.mail.uid("FETCH", "2", "(FLAGS BODY.PEEK[])"))
        self.assertEqual(rows[0][1], message)
        self.ok(self.mail.uid("STORE", "2", "+FLAGS", r"(\Deleted)"))
        self.assertEqual(self.ok(self.mail.expunge()), [b"2"])
        self.ok(self.mail.uid("COPY", "1,3", "Box"))
        self.assertIn(b"MESSAGES 2", self.ok(self.mail.status("Box", "(MESSAGES UIDNEXT)"))[0])
        self.ok(self.mail.rename("Box", "Old"))
        self.assertTrue(any(b"Old" in row for row in self.ok(self.mail.list())))
        self.ok(self.mail.delete("Old"))
        self.ok(self.mail.close())
        self.mail.logout()

    def test_a_wrong_password_and_a_mailbox_that_is_not_there(self) -> None:
        self.assertRaises(imaplib.IMAP4.error, self.mail.login, "ada", "wrong")
        self.ok(self.mail.login("ada", PASSWORD))
        self.assertEqual(self.mail.select("Nowhere")[0], "NO")
        self.assertEqual(self.mail.append("Nowhere", "", None, b"x")[0], "NO")


class ImaplibOnOurs(Imaplib):
    """The same on the engine's server."""

    server = Ours


if __name__ == "__main__":
    unittest.main()
