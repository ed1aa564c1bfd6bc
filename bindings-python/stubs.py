#!/usr/bin/env python3
"""Writes blocking.pyi: the types of the asyncio classes with `async` and `await` taken out.

    python bindings-python/stubs.py          writes it
    python bindings-python/stubs.py --check  fails when it is not what would be written
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent / "python" / "mailtide"
TARGET = PACKAGE / "blocking.pyi"

#: Which names of which files have a twin, in the order in which they can be read.
NAMES = {
    "_native.pyi": ["Message", "Attachment", "Stream"],
    "_events.py": ["New", "Event"],
    "_engine.py": ["Engine"],
    "_messages.py": ["Messages"],
    "_watch.py": ["Watch"],
    "_mailbox.py": ["One", "Chosen", "Selection", "Mailbox", "Target"],
    "_mailboxes.py": ["Mailboxes"],
    "_session.py": ["Session", "connect"],
    "_search.py": ["Hit"],
    "_mail.py": ["Mail", "open", "repair"],
    "_running.py": ["Running"],
    "_server.py": ["Server"],
    "_test_server.py": ["TestServer"],
}

HEADER = '''"""Made by stubs.py from the asyncio classes. Do not edit."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias, final
from zoneinfo import ZoneInfo

from ._account import Account, Net, Password, TokenSource
from ._append import Content
from ._draft import Draft, Recipients
from ._events import (
    Flags,
    Gap,
    MailboxAdded,
    MailboxChanged,
    MailboxGone,
    MailboxRenamed,
    Offline,
    Online,
    OutgoingChanged,
    PendingChanged,
    Removed,
    Reset,
)
from ._local import (
    DeletedMessage,
    Evicted,
    Exported,
    Imported,
    Keep,
    Outgoing,
    Paused,
    Pending,
    Repaired,
    SendReport,
    SyncReport,
    Usage,
)
from ._mail import Keeping
from ._mailbox import Column, Order, Part
from ._names import Role
from ._native import Address, Bytes, MessageRef, Q, UidSet
from ._progress import OnProgress
from ._search import Snippet
from ._server import Tls, TokenCheck
from ._test_server import FaultKind, Letter
from ._types import (
    AppPassword,
    BulkResult,
    Headers,
    MailboxInfo,
    MailboxStatus,
    Namespaces,
    RawReply,
    ServerUser,
    Stats,
)
'''

RENAMED = {
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "AsyncIterator": "Iterator",
    "Connecting": "Session",
    "Opening": "Mail",
}


class Twin(ast.NodeTransformer):
    """Takes `async` out, and bodies down to their docstrings."""

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST | None:
        fields = {name: getattr(node, name) for name in node._fields}
        return self.visit_FunctionDef(ast.copy_location(ast.FunctionDef(**fields), node))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST | None:
        node.name = RENAMED.get(node.name, node.name)
        if node.name.startswith("_") and not node.name.startswith("__"):
            return None
        docstring = [node.body[0]] if ast.get_docstring(node) else []
        node.body = docstring or [ast.Expr(ast.Constant(...))]
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.copy_location(ast.Name(RENAMED.get(node.id, node.id), node.ctx), node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node = self.generic_visit(node)  # type: ignore[assignment]
        native = any(isinstance(d, ast.Name) and d.id == "final" for d in node.decorator_list)
        keep_init = node.name in ("Engine", "Server", "TestServer")
        node.body = [m for m in node.body if not _hidden(m, keep_init)]
        if native:
            # It has both protocols, which are one here.
            node.body = _unique(node.body)
        return node


def _hidden(member: ast.stmt, keep_init: bool) -> bool:
    return isinstance(member, ast.FunctionDef) and (
        member.name == "__init__" and not keep_init or member.name in ("__repr__", "__await__")
    )


def _unique(body: list[ast.stmt]) -> list[ast.stmt]:
    """Properties and methods once each."""
    seen: set[str] = set()
    kept: list[ast.stmt] = []
    for member in body:
        name = getattr(member, "name", None)
        if name is None or name not in seen:
            kept.append(member)
        if name is not None:
            seen.add(name)
    return kept


def text() -> str:
    """The stub as it should be."""
    parts = [HEADER, _all() + "\n"]
    for file, names in NAMES.items():
        tree = ast.parse((PACKAGE / file).read_text())
        found = {name: node for node in tree.body if (name := _name(node)) in names}
        for name in names:
            node = Twin().visit(found[name])
            parts.append(ast.unparse(ast.fix_missing_locations(node)) + "\n")
    return "\n".join(parts)


def _all() -> str:
    """`__all__` is said once, in blocking.py."""
    tree = ast.parse((PACKAGE / "blocking.py").read_text())
    return next(ast.unparse(node) for node in tree.body if _name(node) == "__all__")


def _name(node: ast.stmt) -> str | None:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return None


def main() -> int:
    wanted = text()
    if "--check" in sys.argv:
        if TARGET.exists() and TARGET.read_text() == wanted:
            return 0
        print(f"{TARGET} is stale: run {Path(__file__).name}", file=sys.stderr)
        return 1
    TARGET.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
