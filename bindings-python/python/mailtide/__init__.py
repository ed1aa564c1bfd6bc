"""IMAP for programs: a live session for asyncio, and in `mailtide.blocking` the same without `await`.

```python
import mailtide
from mailtide import Flag, Role, q

async with mailtide.connect("imaps://ada@imap.example.org", password=ask) as session:
    inbox = session.mailbox("INBOX")
    async for message in inbox.fetch("is:unread newer:7d"):
        print(message.received, message.from_, message.subject)
        await inbox.move(message, Role.ARCHIVE)
```
"""

from __future__ import annotations

from typing import Any

from ._account import Account, Limits, Net, Timeouts
from ._draft import Draft, DraftAttachment
from ._engine import Engine
from ._errors import (
    AuthError,
    BodyNotHereError,
    CursorExpiredError,
    FileError,
    InternalError,
    LimitError,
    MailboxError,
    MailboxMissingError,
    MailboxResetError,
    MailError,
    MessageError,
    MessageMissingError,
    NetError,
    NetTimeoutError,
    OperationCancelledError,
    PartialError,
    QueryError,
    ServerError,
    StoreError,
    ThrottledError,
    TlsError,
    UsageError,
)
from ._events import (
    Event,
    Flags,
    Gap,
    MailboxAdded,
    MailboxChanged,
    MailboxGone,
    MailboxRenamed,
    New,
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
    OutgoingRecipient,
    Paused,
    Pending,
    Repaired,
    SendReport,
    Step,
    SyncCounts,
    SyncReport,
    Usage,
)
from ._mail import Mail, open, repair
from ._mailbox import Mailbox
from ._mailboxes import Mailboxes
from ._messages import Messages
from ._names import Flag, Role
from ._native import Address, Attachment, Bytes, Message, MessageRef, Q, Stream, UidSet
from ._native import version as __version__
from ._query import q
from ._search import Hit, Snippet
from ._server import Server
from ._session import Session, connect
from ._types import (
    AppPassword,
    BulkResult,
    Done,
    Failed,
    Headers,
    MailboxInfo,
    MailboxStatus,
    Namespace,
    Namespaces,
    PasswordRequest,
    Progress,
    RawReply,
    ServerUser,
    Stats,
    Token,
    TokenRequest,
)
from ._watch import Watch

__all__ = [
    "Account", "Address", "AppPassword", "Attachment", "AuthError", "BodyNotHereError", "BulkResult", "Bytes",
    "CursorExpiredError", "DeletedMessage", "Done", "Draft", "DraftAttachment", "Engine", "Event", "Evicted", "Exported", "Failed", "FileError",
    "Flag", "Flags", "Gap", "Headers", "Hit", "Imported", "InternalError", "Keep", "LimitError", "Limits", "Mail", "MailError",
    "Mailbox", "MailboxAdded", "MailboxChanged", "MailboxError", "MailboxGone", "MailboxInfo",
    "MailboxMissingError", "MailboxRenamed", "MailboxResetError", "MailboxStatus", "Mailboxes", "Message",
    "MessageError", "MessageMissingError", "MessageRef", "Messages", "Namespace", "Namespaces", "Net", "NetError",
    "NetTimeoutError", "New", "Offline", "Online", "OperationCancelledError", "Outgoing", "OutgoingChanged",
    "OutgoingRecipient", "PartialError", "PasswordRequest", "Paused", "Pending", "PendingChanged", "Progress", "Q",
    "QueryError", "RawReply", "Removed", "Repaired", "Reset", "Role", "SendReport", "Server", "ServerError", "ServerUser", "Session",
    "Snippet",
    "Stats", "Step", "StoreError", "Stream", "SyncCounts", "SyncReport", "ThrottledError", "Timeouts", "TlsError",
    "Token", "TokenRequest", "UidSet", "Usage", "UsageError", "Watch", "__version__", "connect", "open", "q",
    "repair",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    # The blocking twin and the server for tests cost nothing to those who do not use them.
    if name in ("blocking", "testing"):
        from importlib import import_module

        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
