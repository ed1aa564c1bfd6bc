"""The bar of `progress=True`: drawn over itself on a terminal, a line at the end of each phase elsewhere."""

from __future__ import annotations

import io

from mailtide import Progress
from mailtide._progress import Bar, callback, line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def at(done: int, total: int | None, phase: str = "bodies") -> Progress:
    return Progress(phase, done, total, 12_300_000, "INBOX", 1_200_000.0, 65.0 if done != total else 0.0)


def test_a_line_says_what_is_known():
    half = "bodies INBOX [############------------] 60/120, 12.3 MB, 1.2 MB/s, 1:05 left"
    assert line(at(60, 120)) == half
    assert line(Progress("search", 3, None, 0)) == "search 3, 0.0 MB"


def test_a_terminal_sees_one_line_for_each_phase():
    out = Terminal()
    bar = Bar(out)
    for progress in (at(1, 4, "headers"), at(4, 4, "headers"), at(1, 4), at(2, 4, "more")):
        bar(progress)
    first, second, third = out.getvalue().split("\n")
    assert first.startswith("\rheaders INBOX [######----") and "\rheaders INBOX [####################" in first
    assert second.startswith("\rbodies") and third.startswith("\rmore"), "a phase that did not end keeps its line"
    assert first.rindex("4/4") > first.rindex("\r"), "what was drawn before is covered"
    assert len(first.rsplit("\r", 1)[1]) == len(line(at(1, 4, "headers")))


def test_a_file_sees_only_what_is_done():
    out = io.StringIO()
    bar = Bar(out)
    for done in (1, 2, 4):
        bar(at(done, 4))
    assert out.getvalue() == line(at(4, 4)) + "\n"


def test_true_is_a_bar_and_nothing_is_none():
    assert isinstance(callback(True), Bar)
    assert callback(None) is None and callback(False) is None
    assert callback(print) is print
