"""Where the bytes of new messages come from."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from os import PathLike, fspath
from typing import IO, Any, Protocol, TypeAlias

from . import _native
from ._errors import MailError, usage

Chunk: TypeAlias = bytes | bytearray | memoryview | _native.Bytes


class Composed(Protocol):
    """What `email.message.EmailMessage` is."""

    def as_bytes(self) -> bytes: ...


#: A message to append.
Content: TypeAlias = Chunk | PathLike[str] | IO[bytes] | Iterable[bytes] | AsyncIterable[bytes] | Composed

#: How much of a file object is read at once.
PIECE = 256 * 1024


@asynccontextmanager
async def sources(messages: Iterable[Content]) -> AsyncGenerator[list[_native.Source]]:
    """Sources for the engine; those that are streams are pumped while the block runs."""
    pumps: list[_Pump] = []
    ready = [_source(message, pumps) for message in messages]
    for pump in pumps:
        pump.start()
    try:
        yield ready
    except MailError:
        # A stream that failed is the reason, not the engine's word for it.
        for pump in pumps:
            pump.reraise()
        raise
    finally:
        for pump in pumps:
            pump.stop()


def _source(message: Content, pumps: list[_Pump]) -> _native.Source:
    composed: Any = getattr(message, "as_bytes", None)
    if composed is not None:
        return _native.Source.bytes(composed())
    if isinstance(message, bytes | bytearray | memoryview | _native.Bytes):
        return _native.Source.bytes(message)
    if isinstance(message, PathLike):
        return _native.Source.file(fspath(message))
    if isinstance(message, str) or not isinstance(message, Iterable | AsyncIterable):
        raise usage("usage.argument", "A message to append is bytes, a path or a stream", "Use Path(…) for a file name")
    source, feed = _native.Source.stream(None)
    pumps.append(_Task(message, feed) if isinstance(message, AsyncIterable) else _Thread(message, feed))
    return source


class _Pump:
    """Moves chunks of one stream into its feed."""

    error: BaseException | None = None

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def reraise(self) -> None:
        if self.error is not None:
            raise self.error


class _Task(_Pump):
    """An async stream: a task of the running loop."""

    def __init__(self, stream: AsyncIterable[bytes], feed: _native.Feed) -> None:
        self._stream, self._feed = stream, feed
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            async for chunk in self._stream:
                if not await self._feed.send(chunk):
                    return
            self._feed.finish()
        except Exception as error:
            self.error = error
            await self._feed.fail(type(error).__name__)


class _Thread(_Pump):
    """A file object or plain iterable may block: it gets a thread."""

    def __init__(self, stream: Any, feed: _native.Feed) -> None:
        self._stream, self._feed = stream, feed

    def start(self) -> None:
        threading.Thread(target=self._run, name="mailtide-append", daemon=True).start()

    def stop(self) -> None:
        self._feed.finish()

    def _run(self) -> None:
        try:
            for chunk in _pieces(self._stream):
                if not _native.run_blocking(self._feed.send(chunk)):
                    return
            self._feed.finish()
        except Exception as error:
            self.error = error
            _native.run_blocking(self._feed.fail(type(error).__name__))


def _pieces(stream: Any) -> Iterator[bytes]:
    read: Callable[[int], bytes] | None = getattr(stream, "read", None)
    if read is None:
        yield from stream
        return
    while piece := read(PIECE):
        yield piece
