"""The messages of one fetch."""

from __future__ import annotations

from typing import Any

from . import _native
from ._errors import MailError, usage
from ._native import Message


class Messages:
    """An async iterable of messages. They are read once, in batches; stop when you like, the session stays usable.

    Other calls on the same session may be made inside the loop.
    """

    def __init__(self, native: _native.Fetch) -> None:
        self._native = native
        self._buffer: list[Message] = []
        self._ended = False

    @property
    def exact(self) -> bool | None:
        """Whether these are just what the query says: false where the server matches words its own way.

        `None` before the first message was asked for.
        """
        return self._native.exact

    def __aiter__(self) -> Messages:
        if self._ended:
            raise usage("usage.argument", "These messages were read already", "Call fetch() again")
        return self

    async def __anext__(self) -> Message:
        # The common case takes no turn of the event loop: the border to the engine is crossed once for 256.
        if not self._buffer:
            await self._fill()
        return self._buffer.pop()

    async def _fill(self) -> None:
        if self._ended:
            raise StopAsyncIteration
        try:
            batch = await self._native.next_batch()
        except MailError:
            self._ended = True
            raise
        if not batch:
            self._ended = True
            raise StopAsyncIteration
        # Taken from the end; what another task has fetched meanwhile stays.
        batch.reverse()
        self._buffer[:0] = batch

    async def list(self) -> list[Message]:
        """All of them."""
        return [message async for message in self]

    async def first(self) -> Message | None:
        """The first, or `None` where there is none; the others are not waited for."""
        async for message in self:
            return message
        return None

    async def to_arrow(self) -> Any:
        """A `pyarrow.Table` of the properties. Needs the package `pyarrow`."""
        from ._tables import arrow

        return await arrow(self)

    async def to_pandas(self) -> Any:
        """A `pandas.DataFrame` of the properties. Needs the package `pandas`."""
        from ._tables import frame

        return await frame(self)

    def __repr__(self) -> str:
        return "<Messages, read>" if self._ended else "<Messages>"

