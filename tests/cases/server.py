#!/usr/bin/env python3
"""The scripted server of the cases. One process plays any number of them for a runner in any language.

Requests are lines of JSON on standard input, answers lines on standard output, each with the `id` of its request:
{"id", "do": "list"} -> {"id", "cases"}; {"id", "do": "start", "case"} -> {"id", "port"};
{"id", "do": "finish", "case"} -> {"id", "problems"}. It ends with its input.
"""

import asyncio
import contextlib
import json
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from format import Case, Mailbox, Wire, read_all

ANNOUNCED = re.compile(rb"\{(\d+)(\+?)\}$")
ANSWER = re.compile(rb"(OK|NO|BAD)\b")
#: Seconds within which what a client has left behind must arrive: a watch that was closed still sends its DONE.
LAST_WORDS = 5


class Play:
    """One case being played. All connections share its script: a line goes where the last command came from."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.at = 0
        self.problems: list[str] = []
        self.connections: list[Connection] = []
        self.server: asyncio.Server | None = None
        #: Set when nothing is left to wait for: the script is at its end, or something was wrong.
        self.over = asyncio.Event()

    async def start(self) -> int:
        self.server = await asyncio.start_server(self.connected, "127.0.0.1", 0, limit=1 << 24)
        return int(self.server.sockets[0].getsockname()[1])

    async def finish(self) -> list[str]:
        self.settle()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), LAST_WORDS)
        if self.server:
            self.server.close()
        for connection in self.connections:
            connection.writer.close()
        left = self.next()
        if left and left.kind != "ignore" and not self.problems:
            self.problems.append(f"line {left.line}: not reached: {left.kind}: {shown(left.data)}")
        return self.problems

    def settle(self) -> None:
        left = self.next()
        if self.problems or not left or left.kind == "ignore":
            self.over.set()

    def next(self) -> Wire | None:
        return self.case.wire[self.at] if self.at < len(self.case.wire) else None

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self, reader, writer)
        self.connections.append(connection)
        step = self.next()
        if step and step.kind == "connection":
            self.at += 1
            self.advance(connection)
        else:
            connection.send(b"* OK [CAPABILITY %s] ready" % self.case.capabilities.encode())
        try:
            await connection.serve()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        writer.close()

    def take(self, connection: "Connection", tag: bytes, text: bytes) -> None:
        """A whole command: the next of the script, or one that is answered by itself."""
        step = self.next()
        if step and step.kind == "ignore":
            self.by_itself(connection, tag, text)
            return
        if step and step.kind == "C" and step.data == text:
            self.at += 1
            if tag:
                connection.open.append(tag)
            self.advance(connection)
        elif is_like(step, text) or not self.by_itself(connection, tag, text):
            wanted = f"expected {shown(step.data)}" if step and step.kind == "C" else "expected nothing"
            self.problems.append(f"line {step.line if step else 'end'}: {wanted}, got {shown(text)}")
            connection.send((tag or b"*") + b" BAD not in this case")
        self.settle()

    def expects(self, text: bytes) -> bool:
        step = self.next()
        return step is not None and step.kind == "C" and step.data == text

    def advance(self, connection: "Connection") -> None:
        while (step := self.next()) and step.kind in ("S", "close"):
            self.at += 1
            if step.kind == "close":
                connection.writer.close()
            else:
                connection.answer(step.data)

    def by_itself(self, connection: "Connection", tag: bytes, text: bytes) -> bool:
        """Logging in and out, and opening what is given, need no lines of their own."""
        word, _, rest = text.decode("utf-8", "replace").partition(" ")
        opened = self.case.given.get(rest.split(" (")[0].strip('"'))
        lines: list[str] = []
        code = ""
        if word == "LOGIN":
            code = f"[CAPABILITY {self.case.capabilities}] "
        elif word == "LOGOUT":
            lines = ["* BYE bye"]
        elif word in ("SELECT", "EXAMINE") and opened:
            lines = opening(opened)
            code = "[READ-ONLY] " if opened.read_only or word == "EXAMINE" else "[READ-WRITE] "
        else:
            return False
        for line in lines:
            connection.send(line.encode())
        connection.send(tag + f" OK {code}done".encode())
        return True


class Connection:
    """One connection: reads whole commands, literals included."""

    def __init__(self, play: Play, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.play = play
        self.reader = reader
        self.writer = writer
        #: Tags not answered yet, oldest first.
        self.open: list[bytes] = []
        #: Whether the client was invited to go on with a command.
        self.invited = False

    async def serve(self) -> None:
        while line := await self.reader.readline():
            tag, text = b"", line.removesuffix(b"\r\n")
            if not self.invited:
                tag, _, text = text.partition(b" ")
            self.invited = False
            self.play.take(self, tag, await self.complete(text))

    async def complete(self, text: bytes) -> bytes:
        """Reads on while a literal is announced, unless the script answers right there."""
        while (match := ANNOUNCED.search(text)) and not self.play.expects(text):
            if not match[2]:
                self.send(b"+ go on")
            body = await self.reader.readexactly(int(match[1]))
            text += b"\r\n" + body + (await self.reader.readline()).removesuffix(b"\r\n")
        return text

    def answer(self, data: bytes) -> None:
        """A line of the script; one that begins with OK, NO or BAD is for the oldest open command."""
        data = data.replace(b"$TAG", self.open[0] if self.open else b"")
        if ANSWER.match(data) and self.open:
            data = self.open.pop(0) + b" " + data
            self.invited = False
        self.invited |= data.startswith(b"+")
        self.send(data)

    def send(self, data: bytes) -> None:
        self.writer.write(data + b"\r\n")


def is_like(step: Wire | None, text: bytes) -> bool:
    """Whether the script has this very command next, with other arguments: then it is not answered by itself."""
    return step is not None and step.kind == "C" and step.data.split(b" ")[0] == text.split(b" ")[0]


def opening(mailbox: Mailbox) -> list[str]:
    return [
        r"* FLAGS (\Answered \Flagged \Deleted \Seen \Draft)",
        f"* {len(mailbox.uids)} EXISTS",
        f"* OK [PERMANENTFLAGS {mailbox.permanent}] kept",
        f"* OK [UIDVALIDITY {mailbox.validity}] valid",
        f"* OK [UIDNEXT {mailbox.next}] next",
    ]


def shown(data: bytes) -> str:
    return json.dumps(data.decode("utf-8", "backslashreplace"), ensure_ascii=False)


async def main() -> None:
    cases = {case.name: case for case in read_all()}
    plays: dict[str, Play] = {}

    async def answer(request: dict[str, Any]) -> dict[str, Any]:
        if request["do"] == "list":
            return {"cases": [case.for_callers() for case in cases.values()]}
        if request["do"] == "start":
            play = plays[request["case"]] = Play(cases[request["case"]])
            return {"port": await play.start()}
        return {"problems": await plays.pop(request["case"]).finish()}

    requests = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(requests), sys.stdin)
    while line := await requests.readline():
        request = json.loads(line)
        print(json.dumps({"id": request["id"]} | await answer(request)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
