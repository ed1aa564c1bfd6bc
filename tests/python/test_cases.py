"""Runs the conformance cases of tests/cases, the same that Rust and Node run."""

from __future__ import annotations

import asyncio
import sys
from keyword import iskeyword
from pathlib import Path
from typing import Any

import pytest

import case_plain as plain
import mailtide
from case_caller import Caller
from case_doors import ASYNC, BLOCKING
from mailtide import MailError

CASES = Path(__file__).resolve().parents[1] / "cases"
sys.path.insert(0, str(CASES))

if not (CASES / "format.py").exists():
    pytest.skip("there are no conformance cases here", allow_module_level=True)

from format import Case, read_all
from server import Play

#: No case may take longer, in seconds.
PATIENCE = 30


@pytest.mark.parametrize("door", [ASYNC, BLOCKING], ids=["async", "blocking"])
@pytest.mark.parametrize("case", read_all(), ids=lambda case: case.name)
def test_case(case: Case, door: Any) -> None:
    if reason := case.skip.get("python"):
        pytest.skip(reason)
    problems = asyncio.run(play(case, door))
    assert problems == []


def test_every_method_that_cases_name_is_here() -> None:
    nouns = {"session": mailtide.Session, "mailbox": mailtide.Mailbox, "message": mailtide.Message}
    nouns |= {"attachment": mailtide.Attachment, "watch": mailtide.Watch, "": mailtide}
    nouns |= {"mail": mailtide.Mail, "server": mailtide.testing.Server}
    lines = (CASES / "methods.txt").read_text().splitlines()
    named = [line.rpartition(".") for line in lines if line and not line.startswith("#")]
    assert len(named) > 30
    assert [f"{noun}.{verb}" for noun, _, verb in named if not hasattr(nouns[noun], f"{verb}_" if iskeyword(verb) else verb)] == []


async def play(case: Case, door: Any) -> list[str]:
    server = Play(case)
    caller = Caller(door, await server.start(), case.account)
    problems: list[str] = []
    try:
        if case.server is not None:
            await caller.start(case.server)
        async with asyncio.timeout(PATIENCE):
            await steps(caller, case, problems)
    except TimeoutError:
        problems.append("it takes too long")
    await caller.close()
    return problems + await server.finish()


async def steps(caller: Caller, case: Case, problems: list[str]) -> None:
    if case.steps[0].get("name") not in ("connect", "open"):
        await caller.call("connect", {})
    last: Any = None
    for at, step in enumerate(case.steps):
        if step["do"] == "call":
            last = await outcome(caller.call(step["name"], step["args"]))
            following = case.steps[at + 1]["do"] if at + 1 < len(case.steps) else ""
            problem = str(last) if isinstance(last, MailError) and following not in ("result", "error") else None
        elif step["do"] == "event":
            event = await outcome(caller.event())
            got = {"error": plain.error(event)} if isinstance(event, MailError) else event
            problem = differs(step["value"], got)
        elif step["do"] == "result":
            problem = str(last) if isinstance(last, MailError) else differs(step["value"], last)
        else:
            failed = isinstance(last, MailError)
            problem = differs(step["value"], plain.error(last)) if failed else f"no error but {last}"
        if problem:
            problems.append(f"line {step['line']}: {problem}")


async def outcome(call: Any) -> Any:
    try:
        return await call
    except MailError as error:
        return error


def differs(expected: Any, got: Any) -> str | None:
    """Objects may leave out what does not matter; everything else is equal."""
    if isinstance(expected, dict) and isinstance(got, dict):
        found = ((key, differs(value, got.get(key))) for key, value in expected.items())
        return next((f"{key}: {problem}" for key, problem in found if problem), None)
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        return next((problem for pair in zip(expected, got, strict=True) if (problem := differs(*pair))), None)
    return None if expected == got else f"expected {expected!r}, got {got!r}"
