"""Runs one peer on one task, as a process of its own, and says what it cost."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.build import Peer
from harness.server import Server

DELAY = Path(__file__).with_name("delay.py")
#: How long the connections of `many` rest before their CPU is looked at, in seconds.
REST = 5


@dataclass(frozen=True)
class Run:
    cpu: float
    wall: float
    #: Most that was resident, in KiB.
    memory: int
    figures: dict[str, Any]


@dataclass(frozen=True)
class Task:
    name: str
    #: Messages, calls or connections.
    count: int
    user: str
    tls: bool = False
    #: Milliseconds of a round trip; 0 goes straight to the server.
    link: int = 0
    runs: int = 3
    #: Names of the peers that have it; all unless given.
    only: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()


def once(task: Task, peer: Peer, server: Server) -> Run:
    """One run. A peer that fails, or does not do all of it, is an error."""
    mirror = server.home / "mirror" / f"{task.user}-{peer.name}"
    follow(task, peer, server, mirror)
    user = server.prepared(task.name, task.user, task.count)
    with delayed(server.port(task.tls), task.link) as port:
        environment = os.environ | server.settings(task.tls, user, port, task.count) | dict(task.settings)
        environment["BENCH_DIR"] = str(mirror)
        began = time.monotonic()
        command = [*peer.command, task.name]
        process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin is not None and process.stdout is not None
        extra: dict[str, Any] = {}
        if task.name == "idle":
            extra = deliveries(process, server, user, task.count)
        elif task.name == "many":
            extra = resting(process)
        process.stdin.close()
        lines = [json.loads(line) for line in process.stdout if line.startswith("{")]
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    if status != 0 or not lines:
        raise SystemExit(f"benches: {peer.name} failed at {task.name}")
    figures = {key: value for line in lines for key, value in line.items()} | extra
    server.check(task.name, user, task.count, figures)
    wall = time.monotonic() - began
    return Run(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss, figures)


def follow(task: Task, peer: Peer, server: Server, mirror: Path) -> None:
    """The mirror that a task of synchronisation begins with: none, or one in step."""
    if not task.name.startswith("sync"):
        return
    if task.name in ("sync-first", "sync-latency"):
        shutil.rmtree(mirror, ignore_errors=True)
    begins = not mirror.exists()
    mirror.mkdir(parents=True, exist_ok=True)
    if begins and task.name in ("sync-search", "sync-again", "sync-changed"):
        environment = os.environ | server.settings(False, task.user, server.port(False), task.count)
        command = [*peer.command, "sync-first"]
        subprocess.run(command, env=environment | {"BENCH_DIR": str(mirror)}, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def delayed(port: int, milliseconds: int) -> Iterator[int]:
    """The port to use: that of the server, or of a proxy in front of it."""
    if milliseconds == 0:
        yield port
        return
    proxy = subprocess.Popen([sys.executable, DELAY, str(port), str(milliseconds / 2)], stdout=subprocess.PIPE, text=True)
    try:
        assert proxy.stdout is not None
        yield int(proxy.stdout.readline())
    finally:
        proxy.terminate()
        proxy.wait()


def deliveries(process: Any, server: Server, user: str, count: int) -> dict[str, Any]:
    """From the server's word that a message is there to the event, in milliseconds."""
    expect(process, "READY")
    latencies = []
    with server.client(user) as client:
        for _ in range(count):
            client.append("INBOX", None, None, b"Subject: new\r\n\r\nnew\r\n")
            sent = time.monotonic_ns()
            latencies.append((int(expect(process, "E ").split()[1]) - sent) / 1e6)
    return {"latency_ms": statistics.median(latencies)}


def resting(process: Any) -> dict[str, Any]:
    """Memory and CPU of connections on which nothing happens."""
    expect(process, "BASE")
    base = resident(process.pid)
    expect(process, "READY")
    time.sleep(1)
    before = ticks(process.pid)
    time.sleep(REST)
    return {"idle_kib": resident(process.pid) - base, "rest": (ticks(process.pid) - before) / REST}


def expect(process: Any, word: str) -> str:
    line: str = process.stdout.readline()
    if not line.startswith(word):
        raise SystemExit(f"benches: expected {word}, got {line!r}")
    return line


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def ticks(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
