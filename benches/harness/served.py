"""Our server and Dovecot for the same tasks: started, filled with the same mail, and what their processes cost."""

import os
import re
import shutil
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from mailgen import messages
from servers.dovecot import Dovecot
from servers.ours import ROOT, Ours
from servers.private import PASSWORD

TICKS = os.sysconf("SC_CLK_TCK")
#: Ours without a sync to the disk, as Dovecot with `mail_fsync = never`; from Debian's libeatmydata1.
NO_SYNC = {"LD_PRELOAD": "libeatmydata.so"}
HEADERS = "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)"


class Raw:
    """A connection that costs little: it looks for the end of an answer, and counts its bytes."""

    def __init__(self, port: int, tls: bool = False) -> None:
        self.socket: socket.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket)
        self.buffer = bytearray(1 << 18)
        self.tags = 0
        self.socket.recv(4096)
        self.run(f'LOGIN ada "{PASSWORD}"')

    def run(self, command: str, literal: bytes = b"") -> bytes:
        """The last bytes of the answer, up to 256 KiB. `literal` follows a `{n+}`."""
        self.send(command, literal)
        return self.answer()

    def send(self, command: str, literal: bytes = b"") -> None:
        self.tags += 1
        self.socket.sendall(f"t{self.tags} {command}\r\n".encode() + (literal + b"\r\n" if literal else b""))

    def answer(self) -> bytes:
        end, tail = re.compile(rb"(?:^|\n)t%d (\w+)[^\n]*\n$" % self.tags), b""
        self.count = 0
        while True:
            size = self.socket.recv_into(self.buffer)
            if size == 0:
                raise ConnectionError(f"the connection ended after {tail[-200:]!r}")
            self.count += size
            tail = (tail if size < len(self.buffer) else b"")[-len(self.buffer) :] + self.buffer[:size]
            if found := end.search(tail[-1000:]):
                if found[1] != b"OK":
                    raise RuntimeError(tail[-1000:].decode(errors="replace"))
                return tail

    def close(self) -> None:
        self.socket.close()


class Side:
    """A server of the comparison, and its mail in a folder that stays."""

    name: str

    def __init__(self, home: Path) -> None:
        self.home = home

    def start(self, tls: bool = False, sync: bool = False, empty: bool = False) -> Self:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    def pids(self) -> Iterator[int]:
        raise NotImplementedError

    def connect(self) -> Raw:
        return Raw(self.port, self.tls)

    def cpu(self) -> float:
        """Seconds of all its processes, those that have ended included."""
        return sum(ticks(pid) for pid in self.pids()) / TICKS

    def pss(self) -> float:
        """MiB that its processes hold; what they share is counted once."""
        return sum(pss(pid) for pid in self.pids()) / 1024

    def fill(self, mailbox: str, count: int) -> None:
        """Generated messages, asked for once so that a cache has them."""
        raw = self.connect()
        raw.run(f"CREATE {mailbox}")
        for batch in batches(count, 50):
            parts = [f"{flags}{{{len(mail)}+}}\r\n".encode() + mail for flags, mail in batch]
            raw.tags += 1
            raw.socket.sendall(f"t{raw.tags} APPEND {mailbox}".encode() + b"".join(b" " + part for part in parts) + b"\r\n")
            raw.answer()
        raw.run(f"SELECT {mailbox}")
        raw.run(f"FETCH 1:* {HEADERS}")
        raw.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class OurSide(Side):
    name = "mailtide"

    def start(self, tls: bool = False, sync: bool = False, empty: bool = False) -> Self:
        self.tls = tls
        words = {"tls": "implicit"} if tls else {}
        store = None if empty else self.home / "served.mail"
        self.running = Ours(store=store, program=release(), env={} if sync else NO_SYNC, **words)
        self.port = self.running.port
        return self

    def stop(self) -> None:
        self.running.__exit__()

    def pids(self) -> Iterator[int]:
        yield self.running.process.pid


class DovecotSide(Side):
    name = "Dovecot"

    def start(self, tls: bool = False, sync: bool = False, empty: bool = False) -> Self:
        self.tls = tls
        home = self.home.with_name("dovecot-empty") if empty else self.home
        if empty:
            shutil.rmtree(home, ignore_errors=True)
        self.running = Dovecot(home, fsync="always" if sync else "never")
        env = self.running.start()
        self.port = env["imaps_port" if tls else "imap_port"]
        return self

    def stop(self) -> None:
        self.running.stop()

    def pids(self) -> Iterator[int]:
        """The master and what it has started."""
        master = self.running.pid() or 0
        yield master
        for folder in Path("/proc").glob("[0-9]*"):
            if parent(folder) == master:
                yield int(folder.name)


def batches(count: int, size: int) -> Iterator[list[tuple[str, bytes]]]:
    batch: list[tuple[str, bytes]] = []
    for mail in messages(count):
        batch.append((f"({' '.join(mail.flags)}) ", mail.raw))
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def release() -> str:
    return str(ROOT / "target" / "release" / "examples" / "serve")


def stat(folder: Path) -> list[str]:
    try:
        return (folder / "stat").read_text().rsplit(")", 1)[1].split()
    except OSError:  # It has ended.
        return ["", "0"] + ["0"] * 20


def parent(folder: Path) -> int:
    return int(stat(folder)[1])


def ticks(pid: int) -> int:
    return sum(int(field) for field in stat(Path(f"/proc/{pid}"))[11:15])


def pss(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    found = re.search(r"(?m)^Pss:\s+(\d+)", text)
    return int(found[1]) if found else 0


def timed(work: object) -> float:
    began = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - began
