"""Makes a blocking class from an asyncio one: the same methods, without `await`.

Inside `run_blocking` every call into the engine blocks its own thread instead of asking the event loop, so the code of
the asyncio classes runs as it is, on any thread, whether or not a loop runs there.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from ._native import run_blocking

#: What the protocols of `async for` and `async with` are called without `async`.
PROTOCOLS = {"__aiter__": "__iter__", "__anext__": "__next__", "__aenter__": "__enter__", "__aexit__": "__exit__"}
OTHERS = ("__repr__",)

C = TypeVar("C", bound=type)

_twins: dict[type, type[Twin]] = {}


class Twin:
    """An object of an asyncio class, used without `await`."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._lock = threading.Lock()


def twin(of: type) -> Callable[[C], C]:
    """Fills a class with what `of` has; what the class defines itself stays."""

    def fill(cls: C) -> C:
        cls.__doc__ = of.__doc__
        for name, member in vars(of).items():
            public = not name.startswith("_") or name in PROTOCOLS or name in OTHERS
            if public and PROTOCOLS.get(name, name) not in vars(cls):
                setattr(cls, PROTOCOLS.get(name, name), _member(name, member))
        _twins[of] = cls
        return cls

    return fill


def _member(name: str, member: Any) -> Any:
    if isinstance(member, property):
        assert member.fget is not None
        return property(_plain(member.fget), doc=member.__doc__)
    if name == "__anext__":
        return _next(member)
    return _call(member) if inspect.iscoroutinefunction(member) else _plain(member)


def _call(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def blocking(self: Twin, *args: Any, **kwargs: Any) -> Any:
        given = [inner(value) for value in args]
        named = {key: inner(value) for key, value in kwargs.items()}
        return _outer(self, run_blocking(method(self._inner, *given, **named)))

    return blocking


def _plain(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def blocking(self: Twin, *args: Any, **kwargs: Any) -> Any:
        given = [inner(value) for value in args]
        return _outer(self, method(self._inner, *given, **{key: inner(value) for key, value in kwargs.items()}))

    return blocking


def _next(method: Callable[..., Any]) -> Callable[..., Any]:
    def blocking(self: Twin) -> Any:
        # Two threads may share an iterator.
        with self._lock:
            try:
                return run_blocking(method(self._inner))
            except StopAsyncIteration:
                raise StopIteration from None

    return blocking


def inner(value: Any) -> Any:
    """What the asyncio class takes."""
    return value._inner if isinstance(value, Twin) else value


def _outer(self: Twin, value: Any) -> Any:
    if value is self._inner:
        return self
    kind: type[Any] = value.__class__
    cls = _twins.get(kind)
    return cls(value) if cls else value
