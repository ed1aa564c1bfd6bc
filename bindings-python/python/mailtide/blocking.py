"""The same names without `await`: thread-safe, at home in a notebook whose loop is running, and obedient to Ctrl-C.

```python
from mailtide.blocking import connect

with connect("imaps://ada@imap.example.org", password=ask) as session:
    for message in session.mailbox("INBOX").fetch("is:unread"):
        print(message.subject, message.text())
```
"""

# The types are in blocking.pyi, made from the asyncio classes by stubs.py.

from __future__ import annotations

from typing import Any

from . import _engine, _mail, _mailbox, _mailboxes, _messages, _running, _server, _session, _test_server, _watch
from ._events import Event, Flags, Gap, New, Offline, Online, Removed, Reset
from ._mailbox import Chosen, Column, One, Order, Part, Selection, Target
from ._native import Attachment, Message, Stream, run_blocking
from ._search import Hit
from ._twin import Twin, inner, twin


@twin(_engine.Engine)
class Engine(Twin):
    def __init__(self, **options: Any) -> None:
        super().__init__(_engine.Engine(**options))


@twin(_messages.Messages)
class Messages(Twin):
    pass


@twin(_watch.Watch)
class Watch(Twin):
    pass


@twin(_mailbox.Mailbox)
class Mailbox(Twin):
    pass


@twin(_mailboxes.Mailboxes)
class Mailboxes(Twin):
    pass


@twin(_session.Session)
class Session(Mailboxes):
    pass


@twin(_mail.Mail)
class Mail(Mailboxes):
    pass


@twin(_running.Running)
class Running(Twin):
    pass


@twin(_server.Server)
class Server(Running):
    def __init__(self, store: Any, **options: Any) -> None:
        super().__init__(_server.Server(inner(store), **options))


@twin(_test_server.TestServer)
class TestServer(Running):
    __test__ = False

    def __init__(self, **options: Any) -> None:
        super().__init__(_test_server.TestServer(**options))


def connect(account: Any, **options: Any) -> Session:
    """Logs in; see `mailtide.connect`. Functions given here are called on a thread of their own."""
    given = {name: inner(value) for name, value in options.items()}
    return Session(run_blocking(_session.connect(account, **given).open()))



def open(path: Any, account: Any = None, **options: Any) -> Mail:
    """Opens the mail in a file; see `mailtide.open`. Functions given here are called on a thread of their own."""
    given = {name: inner(value) for name, value in options.items()}
    return Mail(run_blocking(_mail.open(path, account, **given).open()))


def repair(path: Any) -> Any:
    """Saves what can be saved of a damaged file; see `mailtide.repair`."""
    return run_blocking(_mail.repair(path))


__all__ = [
    "Attachment", "Chosen", "Column", "Engine", "Event", "Flags", "Gap", "Hit", "Mail", "Mailbox", "Mailboxes", "Message",
    "Messages", "New", "Offline", "One", "Online", "Order", "Part", "Removed", "Reset", "Selection",
    "Server", "Session", "Stream", "Target", "TestServer", "Watch", "connect", "open",
    "repair",
]  # fmt: skip
