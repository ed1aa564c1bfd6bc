#!/usr/bin/env python3
"""A message as large as one may be goes in and comes out, byte for byte, in little memory: tests/clients/large.py [BYTES]

curl adds it to our server and reads it, whole and its attachment alone; pieces of the attachment, and what it decodes to,
are asked for as well. Then a local mailbox adds, exports and imports it. Needs three times its size on the disk.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

from servers.line import Line
from servers.ours import ROOT, Ours
from servers.private import PASSWORD

LARGEST = 2**31 - 1
#: The most memory that either process may have, in MiB.
MOST = 64
HEAD = (
    b"Subject: large\r\nFrom: ada@example.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nsee below\r\n"
    b"--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
)
TAIL = b"\r\n--b--\r\n"
#: Bytes that make whole lines of base64.
STEP = 57 * 8192


class Large:
    """A message of that size in a file, and what its attachment has to be."""

    def __init__(self, path: Path, size: int) -> None:
        self.path, self.size = path, size
        self.hash, self.encoded, self.decoded = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
        self.encoded_size = self.decoded_size = 0
        rest = size - len(HEAD) - len(TAIL)
        with path.open("wb") as self.file:
            self.write(HEAD)
            random = Random(7)
            while rest > STEP * 2:
                rest -= self.attach(random.randbytes(STEP))
            # What is left, and line ends that belong to the part. None is bare: a local mailbox would make it a whole one.
            rest -= self.attach(random.randbytes(rest // 80 * 57))
            self.write(b" " * (rest % 2) + b"\r\n" * (rest // 2), self.encoded)
            self.encoded_size += rest
            self.write(TAIL)
        assert path.stat().st_size == size

    def attach(self, piece: bytes) -> int:
        text = b64encode(piece)
        lines = b"".join(text[at : at + 76] + b"\r\n" for at in range(0, len(text), 76))
        self.decoded.update(piece)
        self.decoded_size += len(piece)
        self.encoded_size += len(lines)
        self.write(lines, self.encoded)
        return len(lines)

    def write(self, piece: bytes, *hashes: "hashlib._Hash") -> None:
        self.file.write(piece)
        for one in (self.hash, *hashes):
            one.update(piece)

    def bytes_at(self, at: int, count: int) -> bytes:
        """Of the encoded attachment."""
        with self.path.open("rb") as file:
            file.seek(len(HEAD) + at)
            return file.read(count)


@contextmanager
def step(what: str, memory: Callable[[], float]) -> Iterator[None]:
    began = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - began:.1f} s, at most {memory():.0f} MiB of memory", flush=True)


def through_the_server(large: Large) -> None:
    with Ours(program=release("serve"), largest=LARGEST) as server:

        def memory() -> float:
            status = Path(f"/proc/{server.process.pid}/status").read_text()
            return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024

        url = f"imap://127.0.0.1:{server.port}/INBOX"
        curl = ["curl", "--silent", "--show-error", "--user", f"ada:{PASSWORD}"]
        with step("curl has added it", memory):
            subprocess.run([*curl, "--upload-file", str(large.path), url], check=True)
        with step("curl has read it", memory):
            assert read([*curl, f"{url};UID=1"]) == (large.size, large.hash.hexdigest())
        with step("curl has read its attachment", memory):
            assert read([*curl, f"{url};UID=1;SECTION=2"]) == (large.encoded_size, large.encoded.hexdigest())
        line = Line(server.port, "ada")
        line.run("EXAMINE INBOX")
        with step("one piece of the attachment", memory):
            at = large.encoded_size - 100_000
            assert literal(line, f"BODY.PEEK[2]<{at}.65536>") == large.bytes_at(at, 65536).decode().replace("\r\n", "\n")
        with step("its length decoded", memory):
            assert literal(line, "BINARY.SIZE[2]") == str(large.decoded_size)
        with step("all of it decoded, by pieces", memory):
            assert decoded(line, large.decoded_size) == large.decoded.hexdigest()
        with step("structure and text", memory):
            structure = literal(line, "BODYSTRUCTURE")
            assert f'"base64" {large.encoded_size} ' in structure, structure
            assert literal(line, "BODY.PEEK[1]") == "see below"
        line.close()
        assert memory() < MOST, f"{memory()} MiB"


def read(command: list[str]) -> tuple[int, str]:
    """How many bytes a program writes, and their hash."""
    count, seen = 0, hashlib.sha256()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        while piece := process.stdout.read(1 << 20):
            count += len(piece)
            seen.update(piece)
    assert process.returncode == 0, command
    return count, seen.hexdigest()


def literal(line: Line, item: str) -> str:
    """The value of an item, line ends as `Line` has them."""
    rows, end = line.run(f"FETCH 1 ({item})")
    assert end.startswith("OK"), end
    value = rows[0].split(" ", 4)[4].removesuffix(")")
    return re.sub(r"^~?\{\d+\}", "", value)


def decoded(line: Line, size: int) -> str:
    """The hash of the attachment without its encoding; read here as bytes, since line ends count."""
    seen, window = hashlib.sha256(), 32 << 20
    for at in range(0, size, window):
        line.socket.sendall(f"d FETCH 1 (BINARY.PEEK[2]<{at}.{window}>)\r\n".encode())
        head = line.file.readline()
        length = int(re.findall(rb"~\{(\d+)\}", head)[0])
        while length:
            piece = line.file.read(min(length, 1 << 20))
            length -= len(piece)
            seen.update(piece)
        assert line.file.readline() == b")\r\n" and line.file.readline().startswith(b"d OK")
    return seen.hexdigest()


def through_a_local_mailbox(large: Large, folder: Path) -> None:
    most = 0
    with subprocess.Popen([release("round_trip"), str(folder), str(large.path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for said in process.stdout:
            print(said, end="", flush=True)
            most = max(most, int(re.findall(r"at most (\d+) MiB", said)[0]))
    assert process.returncode == 0 and most < MOST, f"{most} MiB"


def release(example: str) -> str:
    build = ["cargo", "build", "--quiet", "--release", "--package", "mailtide", "--example", example]
    subprocess.run(build, cwd=ROOT, check=True)
    return str(ROOT / "target" / "release" / "examples" / example)


def main(size: int) -> None:
    with tempfile.TemporaryDirectory(prefix="mt-large-", dir=ROOT / "target") as folder:
        large = Large(Path(folder) / "large.eml", size)
        print(f"a message of {size} bytes, its attachment of {large.decoded_size}")
        through_the_server(large)
        through_a_local_mailbox(large, Path(folder))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else LARGEST)
