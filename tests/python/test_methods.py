"""Every public method of tests/cases/methods.txt is there, in both twins, and no other is."""

from __future__ import annotations

import inspect
from keyword import iskeyword
from pathlib import Path

import pytest

import mailtide
from mailtide import blocking

TABLE = Path(__file__).resolve().parents[1] / "cases" / "methods.txt"
LISTED = [line for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
CLASSES = ("Session", "Mail", "Mailbox", "Message", "Attachment")


def methods(kind: type) -> set[str]:
    return {name for name, member in inspect.getmembers(kind, callable) if not name.startswith("_")}


@pytest.mark.parametrize("package", [mailtide, blocking], ids=["async", "blocking"])
@pytest.mark.parametrize("name", CLASSES)
def test_the_methods_are_those_of_the_table(package: object, name: str) -> None:
    kind = getattr(package, name, None) or getattr(mailtide, name)
    expected = {f"{verb}_" if iskeyword(verb) else verb for noun, _, verb in (line.partition(".") for line in LISTED) if noun == name.lower()}
    assert methods(kind) == expected


def test_what_begins_and_what_ends_is_there_too() -> None:
    assert callable(mailtide.connect) and callable(blocking.connect)
    assert callable(mailtide.open) and callable(blocking.open)
    assert callable(mailtide.Watch.close) and callable(blocking.Watch.close)
