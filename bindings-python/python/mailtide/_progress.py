"""A bar for `progress=True`: on a terminal or in a notebook one line on standard error that is drawn over itself,
elsewhere a line at the end of each phase.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TextIO, TypeAlias

from ._types import Progress

#: `True` for a bar, or a function that is given a `Progress` at most ten times a second.
OnProgress: TypeAlias = Callable[[Progress], object] | bool | None

#: Characters between the brackets.
WIDTH = 24


def callback(progress: OnProgress) -> Callable[[Progress], object] | None:
    """What the engine shall call."""
    if progress is True:
        return Bar(sys.stderr)
    return progress or None


class Bar:
    """Draws what it is told of one call."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        # A notebook's output is no terminal, and understands the return of the carriage as one.
        self._redraws = out.isatty() or "ipykernel" in sys.modules
        self._drawn = 0
        self._phase: str = ""

    def __call__(self, progress: Progress) -> None:
        is_last = progress.total is not None and progress.done >= progress.total
        if not self._redraws:
            if is_last:
                print(line(progress), file=self._out, flush=True)
            return
        begin = "\n" if self._drawn and progress.phase != self._phase else ""
        text = line(progress)
        print(f"{begin}\r{text.ljust(self._drawn)}", end="\n" if is_last else "", file=self._out, flush=True)
        self._phase = progress.phase
        self._drawn = 0 if is_last else len(text)


def line(progress: Progress) -> str:
    """`bodies INBOX [############------------] 60/120, 12.3 MB, 1.2 MB/s, 0:51 left`."""
    words = [progress.phase, progress.mailbox or ""]
    if progress.total:
        filled = WIDTH * min(progress.done, progress.total) // progress.total
        words += [f"[{'#' * filled}{'-' * (WIDTH - filled)}]", f"{progress.done}/{progress.total}"]
    else:
        words.append(str(progress.done))
    facts = [" ".join(word for word in words if word), f"{progress.bytes / 1e6:.1f} MB"]
    if progress.rate is not None:
        facts.append(f"{progress.rate / 1e6:.1f} MB/s")
    if progress.remaining:
        minutes, seconds = divmod(round(progress.remaining), 60)
        facts.append(f"{minutes}:{seconds:02} left")
    return ", ".join(facts)
