"""An IMAP server for the tests of programs that use IMAP, with any client.

```python
from mailtide import testing

async with testing.Server(mail={"INBOX": [b"Subject: moth\\r\\n\\r\\nrelay 70\\r\\n"]}) as server:
    server.fault("cut", "FETCH", after=100)
    await my_program(server.url, server.password)
    assert [message.subject for message in await server.messages("Archive")] == ["moth"]
```

`BlockingServer` is the same without `await`. With pytest, the fixture `mailtide_server` is one.
"""

from __future__ import annotations

from ._test_server import FaultKind, Letter
from ._test_server import TestServer as Server
from .blocking import TestServer as BlockingServer

__all__ = ["BlockingServer", "FaultKind", "Letter", "Server"]
