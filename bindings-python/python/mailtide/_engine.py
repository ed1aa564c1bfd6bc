"""What sessions share: limits, log and statistics. `connect` uses a default one; there is no other global state."""

from __future__ import annotations

import logging
from collections.abc import Callable

from . import _native
from ._types import Stats

#: Where redacted protocol lines go, at level DEBUG.
WIRE = "mailtide.wire"


class Engine:
    """Owns what sessions share.

    `max_connections` bounds the connections to one account, `logins_per_second` the pace of logging in over all.
    `logger` receives every protocol line at level DEBUG, secrets and content left out: `True` for the logger
    `mailtide.wire`, or one of your own. `on_stats` receives the counters whenever a connection has been made. Both are
    called on a thread of their own.
    """

    def __init__(
        self,
        *,
        max_connections: int = 4,
        logins_per_second: float | None = None,
        logger: logging.Logger | bool | None = None,
        on_stats: Callable[[Stats], object] | None = None,
    ) -> None:
        lines = _writer(logging.getLogger(WIRE) if logger is True else logger) if logger else None
        self._native = _native.NativeEngine(max_connections, logins_per_second, lines, on_stats)

    @property
    def stats(self) -> Stats:
        """What has been done so far."""
        return self._native.stats()

    async def close(self, *, timeout: float = 10.0) -> None:
        """Closes every session, and waits at most `timeout` seconds for the servers to agree."""
        await self._native.close(timeout)


def _writer(logger: logging.Logger | bool) -> Callable[[tuple[int, bool, str]], None]:
    assert isinstance(logger, logging.Logger)

    def write(line: tuple[int, bool, str]) -> None:
        connection, sent, text = line
        logger.debug("%d %s %s", connection, "C:" if sent else "S:", text)

    return write


_default: Engine | None = None


def default() -> Engine:
    """The engine of those who give none; a forked child gets its own."""
    global _default
    if _default is None or not _default._native.is_here():
        _default = Engine()
    return _default
