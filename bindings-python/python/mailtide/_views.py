"""How results look in a notebook. Everything is escaped, and nothing remote is ever loaded."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._native import Message
    from ._types import BulkResult

ROWS = 50


def message_html(message: Message) -> str:
    """A table of what is at hand; bodies are not asked for."""
    rows = [
        ("Subject", message.subject or ""),
        ("From", ", ".join(map(str, message.from_))),
        ("To", ", ".join(map(str, message.to))),
        ("Received", str(message.received or "")),
        ("Flags", " ".join(sorted(message.flags))),
        ("Attachments", ", ".join(a.filename or a.media_type for a in message.attachments)),
        ("Problems", "; ".join(message.problems)),
        ("Ref", str(message.ref)),
    ]
    return _table((name, value) for name, value in rows if value)


def bulk_html(result: BulkResult) -> str:
    """Counts, then what was not done."""
    rows = [("Done", str(len(result.done))), ("Failed", str(len(result.failed))), ("Unknown", str(len(result.unknown)))]
    rows += [(str(failed.ref), str(failed.error)) for failed in result.failed[:ROWS]]
    rows += [(str(ref), "the connection was lost before the answer") for ref in result.unknown[:ROWS]]
    return _table(rows)


def _table(rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><th style='text-align:left'>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in rows)
    return f"<table>{cells}</table>"
