"""The server behind `mailtide.testing`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Literal, TypeAlias

from . import _native
from ._append import Chunk, Composed
from ._draft import Draft
from ._errors import usage
from ._mail import Mail
from ._mailbox import Target, unwrap
from ._native import Message
from ._running import Running, started

#: A message: bytes, an `email.message.EmailMessage`, or a `Draft`. One that does not say who writes to whom is from Grace
#: Hopper to the server's user.
Letter: TypeAlias = Chunk | Composed | Draft
FaultKind: TypeAlias = Literal["cut", "delay", "no", "bad", "garbage"]


class TestServer(Running):
    """An IMAP server for tests, in this process, on a free port and with mail of its own that goes when it ends.

    `mail` is what it holds: messages by mailbox. Missing mailboxes are made; INBOX, Archive, Drafts, Junk, Sent and Trash
    are there. `without` are capabilities that it has not got, such as `"MOVE"` or `"THREAD"`: they are not announced, and
    what needs them is answered with BAD; IMAP4rev2 goes with whatever is a part of it. `quirks` are faults that servers
    are known for, by the names of the rules of the engine (`"Exchange and Office 365"`).
    """

    #: Not a class of tests, whatever pytest makes of its name.
    __test__ = False

    def __init__(
        self,
        *,
        mail: Mapping[str, Iterable[Letter]] | None = None,
        without: Iterable[str] = (),
        quirks: Iterable[str] = (),
        user: str = "ada",
        password: str = "secret",
    ) -> None:
        super().__init__()
        for name, given in {"without": without, "quirks": quirks}.items():
            if isinstance(given, str):
                raise usage("usage.argument", f"{name}= takes several names", f"Write {name}=[…]")
        seeded = [(name, [_letter(one) for one in letters]) for name, letters in (mail or {}).items()]
        self._options = (seeded, list(without), list(quirks), user, password)
        self._started: _native.NativeTestServer | None = None

    @property
    def user(self) -> str:
        return self._native.user or ""

    @property
    def password(self) -> str:
        return self._native.password or ""

    @property
    def mail(self) -> Mail:
        """The mailbox behind it, for all that a test wants to do on the other side."""
        return Mail(self._test.mail)

    @property
    def commands(self) -> list[str]:
        """What clients have sent, in order, without tags, passwords and the contents of messages."""
        return self._test.commands

    async def deliver(self, mailbox: Target, message: Letter, *, flags: str | Iterable[str] | None = None) -> int:
        """Puts a message into a mailbox, as a delivery does, and gives its UID: clients that wait are told. A missing
        mailbox is made.
        """
        return await self._test.deliver(unwrap(mailbox), _letter(message), flags)

    async def messages(self, mailbox: Target = "INBOX") -> list[Message]:
        """What a mailbox holds, oldest first: what clients have made of it, seen from the other side."""
        return await self.mail.mailbox(mailbox).fetch().list()

    def fault(
        self,
        kind: FaultKind,
        command: str | None = None,
        *,
        nth: int = 1,
        after: int | None = None,
        text: str = "No",
        delay: float | timedelta = 0.0,
        data: bytes = b"\0\xff garbage\r\n",
    ) -> None:
        """Has something go wrong once, at the next such command of any client, or at the `nth` from now on.

        `cut` ends the connection; `delay` says nothing for so many seconds; `no` and `bad` answer with `text`, which may
        begin with a response code (`"[OVERQUOTA] Full"`); `garbage` sends `data`. The command is named in any case and
        without UID (`"FETCH"`); `"GREETING"` is the begin of a connection, and no name is any command. With `after`, the
        command is done, and so many bytes of its answer are sent before.
        """
        seconds = delay.total_seconds() if isinstance(delay, timedelta) else delay
        value = {"delay": seconds, "garbage": data}.get(kind, text)
        self._test.fault(kind, value, (command, nth, after))

    async def close(self) -> None:
        """Ends all connections, and removes its mail; closing twice is fine."""
        await super().close()

    async def _begin(self) -> _native.NativeServer:
        self._started = await _native.start_test_server(*self._options)
        return self._started.server

    async def _end(self, running: _native.NativeServer) -> None:
        await self._test.close()

    @property
    def _test(self) -> _native.NativeTestServer:
        return started(self._started)

    def __repr__(self) -> str:
        return f"<testing.{super().__repr__()[1:]}"


def _letter(message: Letter) -> Any:
    if isinstance(message, Draft):
        return message
    composed: Any = getattr(message, "as_bytes", None)
    if composed is not None:
        return composed()
    if isinstance(message, str):
        raise usage("usage.argument", "A message is bytes, an EmailMessage or a Draft", "Write text.encode()")
    return message
