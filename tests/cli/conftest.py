"""The command line as processes: its three entry points, each with a home of its own, and our server for them to talk to."""

import imaplib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from servers.sink import Sink

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
#: How each package starts it.
ENTRIES: dict[str, list[str | Path]] = {
    "binary": [TARGET / "debug/mailtide"],
    "python": [sys.executable, "-m", "mailtide"],
    "node": ["node", ROOT / "bindings-node/dist/cli.js"],
}
SECONDS = 60
USER, PASSWORD = "ada", "lovelace"
MOTH = (
    b"From: Grace Hopper <grace@example.org>\r\nTo: Ada <ada@example.org>\r\nDate: Tue, 9 Sep 1947 15:45:00 +0000\r\n"
    b"Subject: =?utf-8?q?Moth_in_relay_70_=1b=5b31m_=F0=9F=A6=8B?=\r\nMessage-ID: <moth@example.org>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nFirst actual case of bug being found.\x1b[2J\r\n"
    b"--b\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename=log.csv\r\n\r\n1545,moth\r\n--b--\r\n"
)
#: Stands in for the program of the system: it keeps what it is given in a file, as the Secret Service would.
SECRET_TOOL = """#!/bin/sh
file="$HOME/keyring"
case $1 in
  store) cat > "$file"; echo "$@" > "$file.args" ;;
  lookup) cat "$file" ;;
esac
"""


class Cli:
    """One entry point, and a home in which nothing is configured."""

    def __init__(self, entry: str, home: Path) -> None:
        self.entry = entry
        self.home = home
        self.config = home / "config/mailtide/config.toml"
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_DATA_HOME": str(home / "data"), "LANG": "C.UTF-8", "TZ": "UTC",
        }  # fmt: skip

    def run(self, *words: str | Path, typed: str = "", **extra: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*ENTRIES[self.entry], *words], env=self.environment | extra, input=typed, text=True,
                              encoding="utf-8", capture_output=True, timeout=SECONDS, check=False)  # fmt: skip

    def done(self, *words: str | Path, typed: str = "", **extra: str) -> str:
        """What it prints; it has to end with 0."""
        ended = self.run(*words, typed=typed, **extra)
        assert ended.returncode == 0, (words, ended.returncode, ended.stdout, ended.stderr)
        return ended.stdout

    def json(self, *words: str | Path, typed: str = "") -> list[Any]:
        return [json.loads(line) for line in self.done(*words, "--json", typed=typed).splitlines()]

    def start(self, *words: str | Path, **extra: str) -> subprocess.Popen[str]:
        return subprocess.Popen([*ENTRIES[self.entry], *words], env=self.environment | extra, text=True,
                                encoding="utf-8", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)  # fmt: skip

    def login(self, url: str, *words: str | Path) -> None:
        """Configures the account `home`, whose password a command prints."""
        command = f"printf '%s\\n' {PASSWORD}"
        self.done("login", "home", url, "--from", "Ada <ada@example.org>", "--password-command", command, *words)


@contextmanager
def serving(cli: Cli, *words: str | Path, **extra: str) -> Iterator[dict[str, Any]]:
    """A server, and what it says of itself. It has to end with 0 when it is told to."""
    process = cli.start("serve", *words, "--json", **({"MAILTIDE_SERVER_PASSWORD": PASSWORD} | extra))
    assert process.stdout and process.stderr
    line = process.stdout.readline()
    if not line:
        pytest.fail(f"it ended with {process.wait()}: {process.stderr.read()}")
    try:
        yield json.loads(line) | {"process": process}
    finally:
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, (out, errors)


def keyring(cli: Cli) -> None:
    """A keyring of its own: what it holds is in the file `keyring` of its home."""
    tool = cli.home / "bin/secret-tool"
    tool.parent.mkdir()
    tool.write_text(SECRET_TOOL)
    tool.chmod(0o755)
    cli.environment["PATH"] = f"{tool.parent}:{cli.environment['PATH']}"


@contextmanager
def client(port: int, password: str = PASSWORD) -> Iterator[imaplib.IMAP4]:
    with imaplib.IMAP4("127.0.0.1", port, timeout=SECONDS) as connection:
        connection.login(USER, password)
        yield connection


@pytest.fixture(scope="session", autouse=True)
def binary() -> None:
    # With the binding's package, so that it is the engine that tools/setup has built.
    packages = ["--package", "mailtide", "--package", "mailtide-python"]
    subprocess.run(["cargo", "build", "--quiet", *packages, "--bin", "mailtide"], cwd=ROOT, check=True)


@pytest.fixture(params=list(ENTRIES))
def each(request: pytest.FixtureRequest, tmp_path: Path) -> Cli:
    """Each entry point."""
    return Cli(request.param, tmp_path)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """The binary, where how it is started is not what a test is about."""
    return Cli("binary", tmp_path)


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory, binary: None) -> Iterator[dict[str, Any]]:
    """A server with 30 messages, which tests only read."""
    home = tmp_path_factory.mktemp("provider")
    with serving(Cli("binary", home), home / "ada.mail", "--listen", "127.0.0.1:0", "--user", USER) as server:
        fill(server["port"])
        yield server


def fill(port: int) -> None:
    with client(port) as connection:
        for number in range(29):
            flags = "(\\Seen)" if number % 3 else None
            raw = MOTH.replace(b"relay_70", b"relay_%d" % number).replace(b"<moth@", b"<moth%d@" % number)
            connection.append("INBOX", flags, None, raw)  # type: ignore[arg-type]
        connection.append("INBOX", None, None, MOTH)  # type: ignore[arg-type]


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as server:
        yield server
