"""What happens in a mailbox or a store, as it happens."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from . import _native
from ._events import Event


class Watch:
    """An async iterable of events. `async with` begins it and ends it; iterating alone does as well.

    Leaving the loop, `close()` from another task and closing the session or the store end it normally; a cancelled task
    gets its `CancelledError`, and misses nothing that it asks for again.
    """

    def __init__(self, begin: Callable[[], _native.NativeWatch]) -> None:
        self._begin = begin
        self._native: _native.NativeWatch | None = None
        self._closed = False

    async def ready(self) -> None:
        """Ends when the starting point is fixed: what happens from then on will be told."""
        await self._begun().ready()

    def close(self) -> None:
        """Ends it, from any task or thread: the loop over it ends normally."""
        self._closed = True
        if self._native is not None:
            self._native.close()

    def __aiter__(self) -> Watch:
        return self

    async def __anext__(self) -> Event:
        event = None if self._closed else await self._begun().next()
        if event is None:
            raise StopAsyncIteration
        return event

    async def __aenter__(self) -> Watch:
        await self.ready()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _begun(self) -> _native.NativeWatch:
        if self._native is None:
            self._native = self._begin()
        return self._native
