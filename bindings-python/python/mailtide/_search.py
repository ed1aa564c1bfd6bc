"""What `Mail.search` finds."""

from __future__ import annotations

from dataclasses import dataclass

from ._native import Message


@dataclass(frozen=True, slots=True)
class Snippet:
    """The piece of a message that has most of what was looked for, in one line."""

    text: str
    #: Where it stands in `text`, as (start, end), ascending and apart from each other.
    marks: tuple[tuple[int, int], ...]
    #: Whether there is text before it, and after it.
    begins_inside: bool
    ends_inside: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found."""

    message: Message
    #: How much it is about the query, to be compared within one search only; 0 unless `order="rank"`.
    score: float
    #: `None` where what was looked for stands neither in the text nor in the subject, where the text is not held here,
    #: and where nobody asked.
    snippet: Snippet | None
