"""The servers that the two-way suite runs on, each behind a network that can be cut, and an account for each test."""

import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from both import Both
from servers.between import Between
from servers.courier import Courier
from servers.cyrus import Cyrus
from servers.dovecot import Dovecot

#: What each is, and what is hidden of it.
SERVERS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "dovecot": (Dovecot, ()),
    "dovecot-bare": (Dovecot, ("UIDPLUS", "MOVE", "CONDSTORE", "QRESYNC", "ESEARCH", "LIST-STATUS", "NOTIFY")),
    "cyrus": (Cyrus, ()),
    "courier": (Courier, ()),
}
NUMBERS = itertools.count(1)


@pytest.fixture(scope="session", params=list(SERVERS))
def server(request: pytest.FixtureRequest) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
    kind, hidden = SERVERS[request.param]
    with kind() as started:
        yield started.env, hidden


@pytest.fixture
def both(server: tuple[dict[str, Any], tuple[str, ...]], tmp_path: Path) -> Iterator[Both]:
    env, hidden = server
    with Between(env["imap_port"], hidden) as between:
        made = Both(env, between, f"tester{os.getpid()}x{next(NUMBERS)}", tmp_path, marks="UIDPLUS" in hidden)
        yield made
        made.close()
