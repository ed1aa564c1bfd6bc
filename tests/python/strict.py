"""A strict reader of IMAP commands: what is not exactly one well-formed command ends the connection.

It answers OK to everything and keeps each command as its words: atoms and strings as bytes, lists as tuples.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

CAPABILITIES = b"IMAP4rev1 LITERAL+ ID UIDPLUS LIST-EXTENDED"
TAG = re.compile(rb"[A-Za-z0-9]+\Z")
LITERAL = re.compile(rb"\{(\d+)(\+?)\}\Z")
TOKEN = re.compile(
    rb' (?=\S)|\(|\)|"(?:[^"\\\r\n\0\x80-\xff]|\\["\\])*"|\{\d+\+?\}\Z|[^\x00-\x20\x7f-\xff(){"]+(?:\[[^\]]*\])?'
)


class Reader:
    """Listens on loopback; `commands` are those of all connections, logins left out."""

    def __init__(self) -> None:
        self.commands: list[tuple[Any, ...]] = []
        self.logins: list[tuple[Any, ...]] = []
        self.faults: list[str] = []
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=1 << 22)
        return int(self._server.sockets[0].getsockname()[1])

    def stop(self) -> None:
        assert self._server is not None
        self._server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK [CAPABILITY " + CAPABILITIES + b"] strict\r\n")
        try:
            while command := await self._command(reader, writer):
                tag, name, *_ = command
                writer.write(self._answer(tag, name, command))
        except ValueError as fault:
            self.faults.append(str(fault))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        writer.close()

    async def _command(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> list[Any]:
        words: list[Any] = []
        open_lists: list[list[Any]] = [words]
        while True:
            line = await reader.readline()
            if not line:
                return []
            text = line.removesuffix(b"\r\n")
            if text == line or b"\r" in text or b"\n" in text or b"\0" in text:
                raise ValueError(f"a line that is none: {line[:80]!r}")
            tokenize(text, open_lists)
            literal = LITERAL.search(text)
            if not literal:
                break
            if not literal[2]:
                writer.write(b"+ go on\r\n")
            open_lists[-1].append(await reader.readexactly(int(literal[1])))
        if len(open_lists) != 1 or not words or not TAG.match(words[0]):
            raise ValueError(f"no command: {words!r}")
        return freeze(words)

    def _answer(self, tag: bytes, name: bytes, command: list[Any]) -> bytes:
        if name == b"LOGIN":
            self.logins.append(tuple(command[2:]))
            return tag + b" OK [CAPABILITY " + CAPABILITIES + b"] in\r\n"
        if name in (b"SELECT", b"EXAMINE"):
            return b"* 9 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\n* OK [UIDNEXT 10] n\r\n" + tag + b" OK [READ-WRITE] open\r\n"
        if name == b"LOGOUT":
            return b"* BYE\r\n" + tag + b" OK out\r\n"
        self.commands.append(tuple(command[1:]))
        untagged = {b"STATUS": b"* STATUS x (MESSAGES 1)\r\n", b"ID": b"* ID NIL\r\n"}.get(name, b"")
        if command[1:3] == [b"UID", b"SEARCH"]:
            untagged = b"* SEARCH\r\n"
        # Where a server with UIDPLUS says nothing of what was copied, the client asks what is there.
        code = b"[COPYUID 7 1 1] " if command[1:3] == [b"UID", b"COPY"] else b""
        return untagged + tag + b" OK " + code + b"done\r\n"


def tokenize(text: bytes, open_lists: list[list[Any]]) -> None:
    """Adds the words of a line to the innermost open list."""
    at = 0
    while at < len(text):
        token = TOKEN.match(text, at)
        if token is None:
            raise ValueError(f"no token at {at}: {text[:120]!r}")
        at = token.end()
        word = token[0]
        if word == b"(":
            open_lists.append([])
        elif word == b")":
            if len(open_lists) == 1:
                raise ValueError(f"a list that was not begun: {text[:120]!r}")
            closed = open_lists.pop()
            open_lists[-1].append(tuple(closed))
        elif word.startswith(b'"'):
            open_lists[-1].append(re.sub(rb'\\(["\\])', rb"\1", word[1:-1]))
        elif word != b" " and not LITERAL.match(word):
            open_lists[-1].append(word)


def freeze(words: list[Any]) -> list[Any]:
    return [tuple(freeze(list(word))) if isinstance(word, tuple) else word for word in words]


def mailbox_name(raw: bytes) -> str:
    """The name that modified UTF-7 stands for (RFC 3501 section 5.1.3), and nothing but the canonical form of it."""
    import base64

    def decode(match: re.Match[str]) -> str:
        if not match[1]:
            return "&"
        code = match[1].replace(",", "/")
        return base64.b64decode(code + "=" * (-len(code) % 4)).decode("utf-16-be", "surrogatepass")

    return re.sub(r"&([^-]*)-", decode, raw.decode("ascii"))
