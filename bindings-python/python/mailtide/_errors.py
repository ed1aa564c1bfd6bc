"""The exceptions: one base class, a subclass a family, and the table that says which code has which class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from . import _native

if TYPE_CHECKING:
    from ._types import BulkResult

Retry = Literal["never", "later", "reconnect", "ask_user"]


class MailError(Exception):
    """Anything that goes wrong in Mailtide.

    `code` is a stable string such as `auth.rejected`, the same in every language. `retry` says whether trying again
    may help: `never`, `later` (after `retry_after` seconds, where the server named a delay), `reconnect`, or `ask_user`.
    `context` says where it happened (`host`, `mailbox`, `uid`, `command`, `server` with the server's own text,
    `server_code`, `position`, `hint`), as far as that is known. None of them ever holds a secret.
    """

    code: str
    message: str
    retry: Retry
    retry_after: float | None
    context: dict[str, Any]
    _text: str

    def __str__(self) -> str:
        return self._text

    def __reduce__(self) -> tuple[Any, ...]:
        result = getattr(self, "result", None)
        state = (self.code, self.message, self._text, self.retry, self.retry_after, self.context, result)
        return _build, state


class AuthError(MailError):
    """Logging in failed, or there was nothing to log in with."""


class ServerError(MailError):
    """The server said no, did not understand, or went away by its own decision."""


class ThrottledError(ServerError):
    """The server asks for fewer requests; `retry_after` says for how long, where it named that."""


class NetError(MailError, ConnectionError):
    """The network between us and the server failed."""


class NetTimeoutError(NetError, TimeoutError):
    """Nothing happened for too long."""


class TlsError(NetError):
    """The connection cannot be trusted: certificate, name, protocol, or somebody in between."""


class MailboxError(MailError):
    """Something about a mailbox."""


class MailboxMissingError(MailboxError, LookupError):
    """There is no such mailbox."""


class MailboxResetError(MailboxError):
    """The mailbox has a new UIDVALIDITY: refs and UIDs kept from before mean nothing now."""


class MessageError(MailError):
    """Something about a message."""


class MessageMissingError(MessageError, LookupError):
    """The message is no longer there."""


class PartialError(MailError):
    """Some of many were not done: `result` says which, and why."""

    result: BulkResult


class LimitError(MailError):
    """A bound on what a server or a message may cost was exceeded."""


class QueryError(MailError, ValueError):
    """The query is not of the language: see `context["position"]` and `context["hint"]`."""


class UsageError(MailError, ValueError):
    """The call cannot mean anything: a wrong selection, flag, argument, or a session that is closed."""


class FileError(MailError, OSError):
    """A file could not be read or written."""


class StoreError(MailError, OSError):
    """The local store cannot be read or written: the disk is full, the file damaged, locked, or of a newer version."""


class CursorExpiredError(MailError, LookupError):
    """The change feed no longer reaches back to this cursor: read everything anew, then go on from a new one."""


class BodyNotHereError(MessageError, LookupError):
    """The body of this message is not held on this machine, and there is no network to fetch it."""


class OperationCancelledError(MailError):
    """The operation was cancelled on the engine's side. A cancelled task raises `asyncio.CancelledError` instead."""


class InternalError(MailError):
    """A fault of this library; please report it."""


FAMILIES: Final[dict[str, type[MailError]]] = {
    "auth": AuthError,
    "server": ServerError,
    "net": NetError,
    "mailbox": MailboxError,
    "message": MessageError,
    "bulk": PartialError,
    "limit": LimitError,
    "query": QueryError,
    "usage": UsageError,
    "file": FileError,
    "store": StoreError,
    "cursor": CursorExpiredError,
    "body": BodyNotHereError,
    "cancelled": OperationCancelledError,
    "internal": InternalError,
}

EXCEPTIONS: Final[dict[str, type[MailError]]] = {
    "server.throttled": ThrottledError,
    "net.timeout": NetTimeoutError,
    "net.tls": TlsError,
    "net.tampered": TlsError,
    "mailbox.missing": MailboxMissingError,
    "mailbox.reset": MailboxResetError,
    "message.missing": MessageMissingError,
}

# One entry a code; a code whose family nobody knows is missing here, and a test says so.
CLASSES: Final[dict[str, type[MailError]]] = {
    code: EXCEPTIONS.get(code) or FAMILIES[code.partition(".")[0]]
    for code in _native.codes()
    if code.partition(".")[0] in FAMILIES
}


def usage(code: str, message: str, hint: str | None = None) -> MailError:
    """An error that is found before the engine is asked."""
    return _native.make_error(code, message, hint)


def _build(
    code: str,
    message: str,
    text: str,
    retry: Retry,
    retry_after: float | None,
    context: dict[str, Any],
    result: BulkResult | None,
) -> MailError:
    """Called by the native half, and by pickle."""
    error = CLASSES.get(code, MailError)(text)
    error.code, error.message, error._text = code, message, text
    error.retry, error.retry_after, error.context = retry, retry_after, context
    if isinstance(error, PartialError) and result is not None:
        error.result = result
    return error
