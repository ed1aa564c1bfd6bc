"""The change feed of a local store."""

from __future__ import annotations

from types import TracebackType

from . import _native
from ._changes import Change


class Changes:
    """An async iterable of changes. `async with` fixes where it begins, and ends it; iterating alone does as well.

    Leaving the loop, `close()` from another task and closing the store end it normally; a cancelled task gets its
    `CancelledError`, and misses nothing that it asks for again.
    """

    def __init__(self, native: _native.NativeChanges) -> None:
        self._native = native
        self._closed = False

    async def ready(self) -> None:
        """Ends when the starting point is fixed: what happens from then on will be told."""
        await self._native.ready()

    def close(self) -> None:
        """Ends it, from any task or thread: the loop over it ends normally."""
        self._closed = True
        self._native.close()

    def __aiter__(self) -> Changes:
        return self

    async def __anext__(self) -> Change:
        change = None if self._closed else await self._native.next()
        if change is None:
            raise StopAsyncIteration
        return change

    async def __aenter__(self) -> Changes:
        await self.ready()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
