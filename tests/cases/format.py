"""Reads case files: a header, then calls, wire lines and what is expected of them. The format is in README.md."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
HEADERS = ("about", "rfc", "capabilities", "given", "account", "server", "skip")
WIRE = {"C:", "S:", "connection", "close", "ignore"}
STEPS = {"call", "result", "error", "event"}
ESCAPE = re.compile(rb"\\(r|n|0|x[0-9A-Fa-f]{2})")
LITERAL = re.compile(rb"\{\{([+]?)(.*?)\}\}", re.DOTALL)


class CaseError(Exception):
    """A case that cannot be read; the message names file and line."""


@dataclass(frozen=True)
class Wire:
    """One step of the server: `C:` and `S:` with what is sent, `connection`, `close` or `ignore`."""

    kind: str
    data: bytes
    line: int


@dataclass(frozen=True)
class Mailbox:
    """A mailbox that the server opens by itself."""

    uids: list[int]
    validity: int = 7
    next: int = 0
    read_only: bool = False
    permanent: str = r"(\Answered \Flagged \Deleted \Seen \Draft \*)"


@dataclass
class Case:
    """One case. `steps` are the caller's half, `wire` is the server's."""

    name: str
    about: str = ""
    rfc: str = ""
    capabilities: str = "IMAP4rev1"
    account: dict[str, Any] = field(default_factory=dict)
    #: What a server for tests is started with, in place of the scripted one.
    server: dict[str, Any] | None = None
    given: dict[str, Mailbox] = field(default_factory=dict)
    skip: dict[str, str] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)
    wire: list[Wire] = field(default_factory=list)

    def for_callers(self) -> dict[str, Any]:
        """What a runner needs of it."""
        names = ("name", "about", "account", "server", "skip", "steps")
        return {name: getattr(self, name) for name in names}


def read_all(folder: Path = HERE) -> list[Case]:
    return [read(path, folder) for path in sorted(folder.rglob("*.case"))]


def read(path: Path, folder: Path = HERE) -> Case:
    case = Case(str(path.relative_to(folder).with_suffix("")))
    in_header = True
    for number, line in logical_lines(path.read_text(encoding="utf-8")):
        if not line:
            in_header = False
            continue
        try:
            (take_header if in_header else take_step)(case, line, number)
        except (ValueError, KeyError) as error:
            raise CaseError(f"{path}:{number}: {error}") from error
    if case.server is not None and case.wire:
        raise CaseError(f"{path}: a case on a server for tests has no lines of the wire")
    if not case.about or not case.steps:
        raise CaseError(f"{path}: a case has an `about` line and at least one call")
    return case


def logical_lines(text: str) -> list[tuple[int, str]]:
    """Lines without comments; one that begins with a space goes on the line before."""
    lines: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#"):
            continue
        if line.startswith(" ") and lines:
            lines[-1] = (lines[-1][0], f"{lines[-1][1]} {line.strip()}")
        else:
            lines.append((number, line.rstrip()))
    return lines


def take_header(case: Case, line: str, _: int) -> None:
    key, value = line.split(":", 1)
    word, _, language = key.partition(" ")
    if word not in HEADERS:
        raise ValueError(f"unknown header {key!r}")
    value = value.strip()
    if word == "skip":
        case.skip[language] = value
    elif word == "given":
        name, mailbox = read_given(value)
        case.given[name] = mailbox
    else:
        setattr(case, word, json.loads(value) if word in ("account", "server") else value)


def read_given(text: str) -> tuple[str, Mailbox]:
    """`INBOX 1:3 validity=7 next=10 read_only`; `-` for no messages."""
    name, uids, *options = text.split(" ", 2)
    known: dict[str, Any] = {}
    for option in re.findall(r"\S+?=\(.*?\)|\S+", options[0]) if options else []:
        key, _, value = option.partition("=")
        known[key] = int(value) if value.isdigit() else value or True
    numbers = read_uids(uids)
    known.setdefault("next", max(numbers, default=0) + 1)
    return name, Mailbox(numbers, **known)


def read_uids(text: str) -> list[int]:
    numbers: list[int] = []
    for part in text.split(",") if text != "-" else []:
        first, _, last = part.partition(":")
        numbers.extend(range(int(first), int(last or first) + 1))
    return numbers


def take_step(case: Case, line: str, number: int) -> None:
    word, _, rest = line.partition(" ")
    if word in WIRE:
        case.wire.append(Wire(word[0] if word.endswith(":") else word, to_bytes(rest), number))
    elif word == "call":
        name, _, arguments = rest.partition(" ")
        given = json.loads(arguments) if arguments else {}
        case.steps.append({"line": number, "do": "call", "name": name, "args": given})
    elif word in STEPS:
        case.steps.append({"line": number, "do": word, "value": json.loads(rest)})
    else:
        raise ValueError(f"{word!r} is no step")


def to_bytes(text: str) -> bytes:
    r"""`\r \n \0 \xHH` are bytes, `{{text}}` and `{{+text}}` are literals; any other backslash is itself."""
    data = ESCAPE.sub(escaped, text.encode())
    return LITERAL.sub(lambda m: b"{%d%s}\r\n%s" % (len(m[2]), m[1], m[2]), data)


def escaped(match: re.Match[bytes]) -> bytes:
    word = match[1]
    return {b"r": b"\r", b"n": b"\n", b"0": b"\0"}.get(word) or bytes([int(word[1:], 16)])
