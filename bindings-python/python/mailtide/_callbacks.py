"""Calls functions of the user for the engine: plain ones and ones that return an awaitable."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable
from typing import Any

Answer = Callable[[Any, BaseException | None], None]

_tasks: set[asyncio.Task[None]] = set()


def ask(function: Callable[[Any], Any], argument: Any, answer: Answer) -> None:
    """Called on the event loop's thread, inside the loop."""
    try:
        value = function(argument)
    except BaseException as error:
        answer(None, error)
        return
    if not inspect.isawaitable(value):
        answer(value, None)
        return
    # The loop itself only keeps weak references to its tasks.
    task = asyncio.get_running_loop().create_task(_finish(value, answer))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


def ask_in_thread(function: Callable[[Any], Any], argument: Any, answer: Answer) -> None:
    """For the blocking twin: a callback may block (a password prompt), so it gets a thread of its own."""

    def run() -> None:
        try:
            value = function(argument)
            if inspect.isawaitable(value):
                value = asyncio.run(_value(value))
        except BaseException as error:
            answer(None, error)
        else:
            answer(value, None)

    threading.Thread(target=run, name="mailtide-callback", daemon=True).start()


async def _finish(value: Awaitable[Any], answer: Answer) -> None:
    try:
        result = await value
    except BaseException as error:
        answer(None, error)
        raise
    answer(result, None)


async def _value(value: Awaitable[Any]) -> Any:
    return await value
