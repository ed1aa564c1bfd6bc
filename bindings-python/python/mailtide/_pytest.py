"""The fixture `mailtide_server` for pytest, which finds it by itself where Mailtide is installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .testing import BlockingServer


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "mailtide_server(**options): what the fixture mailtide_server is started with")


@pytest.fixture
def mailtide_server(request: pytest.FixtureRequest) -> Iterator[BlockingServer]:
    """An IMAP server of its own for the test, on a free port: `mailtide_server.url`, `mailtide_server.password`.

    `@pytest.mark.mailtide_server(mail={…}, without=[…])` gives it mail, and takes capabilities from it.
    """
    marker = request.node.get_closest_marker("mailtide_server")
    options: dict[str, Any] = dict(marker.kwargs) if marker else {}
    with BlockingServer(**options) as server:
        yield server
