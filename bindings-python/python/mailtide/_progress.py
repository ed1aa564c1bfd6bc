"""A bar for `progress=True`, on a terminal and in a notebook alike: one line on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeAlias

from ._types import Progress

#: `True` for a bar, or a function that is given a `Progress` at most ten times a second.
OnProgress: TypeAlias = Callable[[Progress], object] | bool | None


def callback(progress: OnProgress) -> Callable[[Progress], object] | None:
    """What the engine shall call."""
    if progress is True:
        return _show
    return progress or None


def _show(progress: Progress) -> None:
    total = progress.total
    of = f"/{total}" if total is not None else ""
    end = "\n" if total is not None and progress.done >= total else ""
    print(f"\r{progress.phase} {progress.done}{of}, {progress.bytes / 1e6:.1f} MB", end=end, file=sys.stderr, flush=True)
