"""Runs one Python example with what the text around it takes for granted: `session`, `inbox`, `ask`.

Addresses at imap.example.org lead to the private server. When standard input ends, the session is closed, which ends
an example that watches.
"""

import ast
import asyncio
import os
import sys
from inspect import isawaitable
from pathlib import Path
from types import ModuleType
from typing import Any

import mailtide
from mailtide import Net, blocking

PASSWORD = os.environ["MAILTIDE_PASSWORD"]


def lead_home(module: Any) -> None:
    connect_there, open_there = module.connect, module.open

    def connect(url: str, **options: Any) -> Any:
        return connect_there(home(url), **{"net": Net(ca=os.environ["MAILTIDE_CA"])} | options)

    def open_(path: str, url: str | None = None, **options: Any) -> Any:
        return open_there(path, url and home(url), net=Net(ca=os.environ["MAILTIDE_CA"]), **options)

    module.connect, module.open = connect, open_


def home(url: str) -> str:
    return url.replace("imaps://ada@imap.example.org", os.environ["MAILTIDE_URL"])


def ask() -> str:
    return PASSWORD


async def main(code: str) -> None:
    async with mailtide.connect("imaps://ada@imap.example.org", password=ask) as session:
        names = {"mailtide": mailtide, "session": session, "inbox": session.mailbox("INBOX"), "ask": ask}
        example = asyncio.create_task(run(code, names))
        waiting = asyncio.create_task(end_of_input())
        await asyncio.wait({example, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            await session.close()
        await example


async def run(code: str, names: dict[str, Any]) -> None:
    compiled = compile(code, "example", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    module = ModuleType("example")
    module.__dict__.update(names)
    result = eval(compiled, module.__dict__)
    if isawaitable(result):
        await result


async def end_of_input() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


if __name__ == "__main__":
    lead_home(mailtide)
    lead_home(blocking)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    source = Path(sys.argv[1]).read_text(encoding="utf-8")
    if os.environ["MAILTIDE_WORDS"] == "blocking":
        exec(compile(source, "example", "exec"), {"ask": ask})
    else:
        asyncio.run(main(source))
