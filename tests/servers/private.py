"""What all private servers share: a folder of their own, free ports, a CA, start, stop, and the command line.

A server is described to tests by its environment, a flat dict that `env` prints as one line of JSON:
server, home, host, imap_port (plain, offers STARTTLS), imaps_port (TLS), ca, user, password, pid, log.
"""

import argparse
import grp
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, ClassVar, Self

USER = "ada"
PASSWORD = "Moth-in-relay-70"
START_SECONDS = 20.0
STOP_SECONDS = 10.0


class ServerError(Exception):
    """A server could not be started; the message says what to do."""


class PrivateServer:
    """A server of our own; use it as a context manager, or call `start` and `stop`."""

    name: ClassVar[str]
    greeting: ClassVar[bytes] = b"* OK"

    def __init__(self, home: str | os.PathLike[str] | None = None, **options: Any) -> None:
        self.home = Path(home) if home else Path(tempfile.mkdtemp(prefix=f"mt-{self.name}-"))
        self.options = options
        self.env: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def start(self) -> dict[str, Any]:
        """Starts the server and returns its environment; another port is taken when somebody was faster."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o755)  # the server's own user has to get in
        make_certificates(self.home / "ca")
        for _ in range(5):
            plain, tls = free_ports(2)
            self.prepare(plain, tls)
            self.launch()
            if self.wait_until_up(plain):
                return self.describe(plain, tls)
            self.stop()
        raise ServerError(f"{self.name} did not come up; its log is {self.log}")

    def stop(self) -> None:
        """Ends the server's master process, and with it all its children."""
        pid = self.pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        if not wait_for(lambda: not alive(pid), STOP_SECONDS):
            os.kill(pid, signal.SIGKILL)

    def describe(self, plain: int, tls: int) -> dict[str, Any]:
        self.env = {
            "server": self.name,
            "home": str(self.home),
            "host": "localhost",
            **self.ports(plain, tls),
            "ca": str(self.home / "ca" / "ca.pem"),
            "user": USER,
            "password": PASSWORD,
            "pid": self.pid(),
            "log": str(self.log),
        } | self.extra_environment()
        (self.home / "env.json").write_text(json.dumps(self.env), encoding="utf-8")
        return self.env

    def wait_until_up(self, port: int) -> bool:
        return wait_for(lambda: greets(port, self.greeting), START_SECONDS, give_up=lambda: self.pid() is None)

    def pid(self) -> int | None:
        """The master process, while it lives."""
        try:
            pid = int(self.pid_file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None
        return pid if alive(pid) else None

    def run_daemon(self, command: list[str | Path], environment: dict[str, str] | None = None) -> None:
        """Runs a program that goes into the background; it must not keep our own output open, or callers hang."""
        with self.log.open("ab") as log:
            subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                           start_new_session=True, check=False, timeout=START_SECONDS)  # fmt: skip

    @property
    def log(self) -> Path:
        return self.home / "log"

    @property
    def pid_file(self) -> Path:
        raise NotImplementedError

    def prepare(self, plain: int, tls: int) -> None:
        """Writes the configuration."""
        raise NotImplementedError

    def launch(self) -> None:
        """Starts the master process, which writes `pid_file` before this returns."""
        raise NotImplementedError

    def ports(self, plain: int, tls: int) -> dict[str, int]:
        return {"imap_port": plain, "imaps_port": tls}

    def extra_environment(self) -> dict[str, Any]:
        return {}


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on; all are held until the last is found, so they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


def make_certificates(folder: Path) -> None:
    """A CA and a certificate for localhost. EC keys, because making them takes no time."""
    if (folder / "server.pem").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    (folder / "extensions").write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n",
        encoding="ascii",
    )
    openssl(folder, "req", "-x509", *ec, "-keyout", "ca.key", "-out", "ca.pem", "-days", "3650",
            "-subj", "/CN=Mailtide test CA", "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip
    openssl(folder, "req", *ec, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", "server.pem", "-days", "3650", "-extfile", "extensions")  # fmt: skip


def openssl(folder: Path, *arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServerError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")


def own_account() -> pwd.struct_passwd:
    """Whose files the mail is: Debian's user `mail` under root, ourselves otherwise."""
    return pwd.getpwnam("mail") if os.getuid() == 0 else pwd.getpwuid(os.getuid())


def own_group() -> str:
    return grp.getgrgid(own_account().pw_gid).gr_name


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    # A child of ours that has ended stays a zombie until somebody waits for it.
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == 0
    except ChildProcessError:
        return True


def greets(port: int, greeting: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as s:
            return s.recv(64).startswith(greeting)
    except OSError:
        return False


def wait_for(condition: Any, seconds: float, give_up: Any = lambda: False) -> bool:
    """Polls, because a server in another process tree gives no event to wait for."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        if give_up():
            return False
        time.sleep(0.02)
    return False


def command_line(kind: type[PrivateServer], flags: dict[str, str]) -> None:
    """start | stop | env | run; `flags` are the kind's own on/off options with their help text."""
    parser = argparse.ArgumentParser(description=kind.__doc__)
    parser.add_argument("command", choices=["start", "stop", "env", "run"],
                        help="run: start, print the environment, stop when standard input ends")  # fmt: skip
    parser.add_argument("--home", help="the server's folder; `start` and `run` make one when it is left out")
    for flag, text in flags.items():
        parser.add_argument(f"--{flag}", action="store_true", help=text)
    arguments = parser.parse_args()
    if arguments.command in ("stop", "env") and not arguments.home:
        parser.error(f"{arguments.command} needs --home")
    server = kind(arguments.home, **{flag: getattr(arguments, flag) for flag in flags})
    try:
        perform(server, arguments.command)
    except ServerError as error:
        sys.exit(f"{server.name}: {error}")


def perform(server: PrivateServer, command: str) -> None:
    if command == "env":
        print((server.home / "env.json").read_text(encoding="utf-8"))
    elif command == "stop":
        server.stop()
    elif command == "start":
        print(json.dumps(server.start()))
    else:
        with server:
            print(json.dumps(server.env), flush=True)
            sys.stdin.read()  # a caller that is killed closes the pipe, so nothing is left running
