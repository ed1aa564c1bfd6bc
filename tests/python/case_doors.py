"""The two ways into the Python package, as conformance cases take them: all that takes time is awaited."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import mailtide
from mailtide import blocking, testing

#: Whose methods say what takes time, and what does not.
TWINS: dict[type, type] = {
    blocking.Session: mailtide.Session,
    blocking.Mail: mailtide.Mail,
    blocking.Mailbox: mailtide.Mailbox,
    blocking.Messages: mailtide.Messages,
    blocking.Watch: mailtide.Watch,
    blocking.Server: mailtide.Server,
    blocking.TestServer: testing.Server,
}
END = object()


class Awaited:
    """An object of the blocking twin. What its asyncio twin awaits runs in a thread; so do all calls of a message."""

    def __init__(self, it: Any) -> None:
        self.it = it

    def __getattr__(self, name: str) -> Any:
        member = getattr(self.it, name)
        if not callable(member):
            return outer(member)
        return in_thread(member) if self._takes_time(name) else at_once(member)

    def _takes_time(self, name: str) -> bool:
        of = TWINS.get(type(self.it))
        return name != "stream" if of is None else inspect.iscoroutinefunction(getattr(of, name))

    async def __aiter__(self) -> AsyncIterator[Any]:
        pieces = iter(self.it)
        while (piece := await asyncio.to_thread(next, pieces, END)) is not END:
            yield piece


def outer(value: Any) -> Any:
    return Awaited(value) if type(value) in TWINS or isinstance(value, blocking.Stream) else value


def inner(value: Any) -> Any:
    return value.it if isinstance(value, Awaited) else value


def at_once(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **named: Any) -> Any:
        return outer(function(*map(inner, args), **{key: inner(value) for key, value in named.items()}))

    return call


def in_thread(function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **named: Any) -> Any:
        return await asyncio.to_thread(at_once(function), *args, **named)

    return call


def started(kind: type) -> Callable[..., Any]:
    return in_thread(lambda *args, **named: kind(*args, **named).start())


async def pieces(texts: list[str]) -> AsyncIterator[bytes]:
    for text in texts:
        yield text.encode()


ASYNC = SimpleNamespace(
    connect=mailtide.connect,
    open=mailtide.open,
    repair=mailtide.repair,
    Engine=mailtide.Engine,
    Server=mailtide.Server,
    TestServer=testing.Server,
    awaited=lambda thing: thing,
    pieces=pieces,
)
BLOCKING = SimpleNamespace(
    connect=in_thread(blocking.connect),
    open=in_thread(blocking.open),
    repair=in_thread(blocking.repair),
    Engine=blocking.Engine,
    Server=started(blocking.Server),
    TestServer=started(blocking.TestServer),
    awaited=Awaited,
    pieces=lambda texts: [text.encode() for text in texts],
)
