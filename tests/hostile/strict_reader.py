#!/usr/bin/env python3
"""An IMAP server that reads strictly, agrees to everything, and writes down what it has read.

Prints its port as the first line. For each command after a login it prints one line of JSON:
`{"raw": hex, "words": [hex, ...], "offence": null | text}`, where words are the atoms, strings and literals of the
command, its tag first. The driver tells calls apart by a command of its own between them (see the tests).
With `--capabilities` it offers what follows, for example LITERAL+.
"""

from __future__ import annotations

import json
import socketserver
import sys
import threading

CRLF = b"\r\n"
#: What no atom may hold (RFC 9051 section 9); `*` stands in sets, and a backslash may begin a flag.
SPECIALS = frozenset(b'(){%"')


class Offence(Exception):
    """What came is no command."""


class Command:
    """The words of one command, read by the grammar and nothing more lenient."""

    def __init__(self, raw: bytes) -> None:
        self._raw, self._at = raw, 0
        self.words: list[bytes] = []
        self._items(CRLF)
        if self._at != len(raw):
            raise Offence("more than one command")

    def _items(self, end: bytes) -> None:
        first = True
        while not self._eat(end):
            if not first and not self._eat(b" "):
                raise Offence(f"no space at {self._at}")
            self._item()
            first = False

    def _item(self) -> None:
        if self._eat(b"("):
            self._items(b")")
        elif self._eat(b'"'):
            self.words.append(self._quoted())
        elif self._eat(b"{") or self._eat(b"~{"):
            self.words.append(self._literal())
        else:
            self.words.append(self._atom())

    def _quoted(self) -> bytes:
        content = bytearray()
        while True:
            byte = self._next()
            if byte == ord('"'):
                return bytes(content)
            if byte == ord("\\"):
                byte = self._next()
                if byte not in b'"\\':
                    raise Offence("a needless backslash")
            elif byte in b"\0\r\n" or byte >= 0x80:
                raise Offence(f"byte {byte} in quotes")
            content.append(byte)

    def _literal(self) -> bytes:
        end = self._raw.index(b"}\r\n", self._at)
        size = int(self._raw[self._at : end].rstrip(b"+"))
        start = end + 3
        self._at = start + size
        return self._raw[start : self._at]

    def _atom(self) -> bytes:
        start = self._at
        while self._at < len(self._raw) and 0x20 < self._raw[self._at] < 0x7F and self._raw[self._at] not in SPECIALS:
            self._at += 1
        atom = self._raw[start : self._at]
        if not atom or b"\\" in atom[1:]:
            raise Offence(f"no atom at {start}")
        return atom

    def _next(self) -> int:
        if self._at >= len(self._raw):
            raise Offence("cut short")
        self._at += 1
        return self._raw[self._at - 1]

    def _eat(self, prefix: bytes) -> bool:
        found = self._raw.startswith(prefix, self._at)
        self._at += len(prefix) if found else 0
        return found


class Connection(socketserver.StreamRequestHandler):
    """Reads commands, their literals with them, and says OK."""

    disable_nagle_algorithm = True
    capabilities = ""
    lock = threading.Lock()

    def handle(self) -> None:
        self.wfile.write(f"* OK [CAPABILITY IMAP4rev1 {self.capabilities}] ready\r\n".encode())
        while raw := self._read():
            words: list[bytes] = []
            offence = None
            try:
                words = Command(raw).words
            except (Offence, ValueError) as error:
                offence = str(error)
            report = {"raw": raw.hex(), "words": [w.hex() for w in words], "offence": offence}
            with self.lock:
                print(json.dumps(report), flush=True)
            self.wfile.write(self._answer(words) + raw.split(b" ")[0] + b" OK done\r\n")

    def _read(self) -> bytes:
        raw = b""
        while True:
            line = self.rfile.readline()
            raw += line
            head, brace, digits = line.removesuffix(b"}\r\n").rpartition(b"{")
            size = digits.removesuffix(b"+")
            if not (line.endswith(b"}\r\n") and brace and size.isdigit()):
                return raw
            if not digits.endswith(b"+"):
                self.wfile.write(b"+ go on\r\n")
            raw += self.rfile.read(int(size))

    def _answer(self, words: list[bytes]) -> bytes:
        name = words[1] if len(words) > 1 else b""
        if name == b"STATUS" and len(words) > 2:
            return b"* STATUS {%d}\r\n%s (MESSAGES 0)\r\n" % (len(words[2]), words[2])
        return {
            b"CAPABILITY": f"* CAPABILITY IMAP4rev1 {self.capabilities}\r\n".encode(),
            b"NAMESPACE": b'* NAMESPACE (("" "/")) NIL NIL\r\n',
            b"SELECT": b"* 5 EXISTS\r\n* OK [UIDVALIDITY 5] x\r\n",
            b"UID": b"* SEARCH\r\n",
            b"ID": b"* ID NIL\r\n",
        }.get(name, b"")


def main() -> None:
    """Serves until its standard input ends."""
    if "--capabilities" in sys.argv:
        Connection.capabilities = " ".join(sys.argv[sys.argv.index("--capabilities") + 1 :])
    socketserver.ThreadingTCPServer.daemon_threads = True
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connection)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
