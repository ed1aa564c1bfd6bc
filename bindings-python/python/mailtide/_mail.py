"""The local mailbox: a store in step with an account, which works offline."""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime
from math import ceil
from os import PathLike, fspath
from types import TracebackType
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

from . import _native
from ._account import Account, Net, Password, TokenSource, setup
from ._draft import Draft, sender_of
from ._engine import Engine, default
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
from ._mailbox import Target, unwrap, zone
from ._mailboxes import Mailboxes
from ._native import Address, MessageRef, Q
from ._progress import OnProgress
from ._search import Hit
from ._session import described
from ._watch import Watch

#: How much of the messages is held here; see `Keep`.
Keeping: TypeAlias = Literal["headers", "text", "all"] | Keep


class Mail(Mailboxes):
    """A local mailbox in step with an account, or one with nothing behind it. Safe to share between tasks.

    Reads come from disk, online or not. Writes show here at once, and are kept until `sync` or `keep_in_sync` has
    brought them to the server.
    """

    def __init__(self, native: _native.NativeMail) -> None:
        super().__init__(native)
        self._native = native

    @property
    def account(self) -> str | None:
        """`user@host`; `None` where there is nothing behind the store."""
        return self._native.account

    async def sync(
        self, *, dry_run: bool = False, bytes_a_day: int | None = None, progress: OnProgress = None
    ) -> SyncReport:
        """Brings both sides in step, once, and says what it did; with `dry_run` what it would do, changing nothing.

        What is interrupted, by an error or by cancelling, goes on where it was with the next pass. `bytes_a_day` bounds
        the bodies that are fetched in a day, over all passes. The loss of the network is an error (`net.…`); a mailbox
        or message that cannot be read is in the report.
        """
        return await self._native.sync(dry_run, bytes_a_day, progress)

    async def keep_in_sync(
        self, *, bytes_a_day: int | None = None, progress: OnProgress = None, every_seconds: int | None = None
    ) -> None:
        """Follows the server and what is changed here until it is cancelled or the store is closed.

        A lost network is waited for; what needs a person, such as a new password, is raised. `bytes_a_day` and
        `progress` are those of each pass, as for `sync`. Where nothing is heard, the next pass begins after
        `every_seconds`, 300 unless given; a day at most.
        """
        await self._native.keep_in_sync(bytes_a_day, progress, every_seconds)

    def changes(self, *, since: str = "now") -> Watch:
        """What changes in the store, whoever changed it: from now on, or from the `cursor` of an event on, without a
        gap, over restarts too. The same union as of a watched mailbox; that `keep_in_sync` cannot reach the server is
        told as well.

        Keep the cursor with what you make of the events, and you see each of them once. One that is too old is
        `cursor.expired`: read everything anew, then go on from now.
        """
        return Watch(lambda: self._native.changes(since))

    async def cursor(self) -> str:
        """The place in the feed after all that has happened: take it, fetch what there is, then ask for `changes`."""
        return await self._native.cursor()

    async def search(
        self,
        query: str | Q,
        *,
        mailbox: Target | None = None,
        order: Literal["newest", "oldest", "rank"] = "newest",
        limit: int | None = 50,
        snippets: bool = False,
        tz: str | ZoneInfo | None = None,
    ) -> list[Hit]:
        """Searches all mailboxes, or one: at most `limit` messages, those that come first in that order, or all for `None`.

        With `order="rank"` those come first that the words of the query say most about: rare words count more, so does a
        subject, and a whole word more than a piece of one. With `snippets` each comes with the piece of its text that has
        most of what was looked for. A message that is in several mailboxes is found in each.
        """
        target = None if mailbox is None else unwrap(mailbox)
        return await self._native.search(query, (target, order, limit, snippets, zone(tz)))

    async def pending(self) -> list[Pending]:
        """Local changes that the server has not confirmed, the oldest first. Those that are parked, or wait for a parked
        one, say why and what can be done.
        """
        return await self._native.pending()

    async def retry(self, change: Pending | int) -> None:
        """Lets a parked change be tried again with the next pass."""
        await self._native.retry(_id(change))

    async def drop(self, change: Pending | int) -> list[int]:
        """Gives a parked change up: what it did here is taken back, with all that depends on it. Says what was dropped."""
        return await self._native.drop(_id(change))

    async def deleted(self, *, limit: int | None = None) -> list[DeletedMessage]:
        """Messages that were deleted, here or on the server, and are not forgotten yet: they are for 30 days, or what
        `tidy` is told. Those deleted last come first, at most `limit`.
        """
        return await self._native.deleted(limit)

    async def restore(self, message: DeletedMessage | int, mailbox: Target = "INBOX") -> MessageRef:
        """Places a message again that was deleted: in that mailbox, under a UID of its own, with the flags that it had
        in the mailbox it left last, except `\\Deleted`. It reaches the server as one that was added. One that is forgotten is
        `message.missing`, one whose body was not held when it was deleted `body.not_here`.
        """
        return await self._native.restore(_id(message), unwrap(mailbox))

    async def paused(self) -> list[Paused]:
        """Mailboxes in which nothing is taken away until somebody has looked: see `confirm`."""
        return await self._native.paused()

    async def confirm(self, mailbox: Target) -> None:
        """Says of a paused mailbox that the server is right: what is missing there goes here too, with the next pass."""
        await self._native.confirm(unwrap(mailbox))

    async def send(
        self,
        draft: Draft,
        *,
        at: datetime | None = None,
        copy: bool = True,
        on_doubt: Literal["ask", "resend", "assume_sent"] = "ask",
        key: str | None = None,
    ) -> Outgoing:
        """Queues a message: it is on the disk when this returns, and leaves with a pass when there is a network.

        `at` is the earliest moment. A copy is filed in Sent once. `on_doubt` is what to do when the server's answer was
        lost: nothing is sent twice unless you say so. What is queued again with the same `key` is the same message.
        """
        seconds = None if at is None else ceil(at.timestamp())
        return await self._native.send(draft, (seconds, on_doubt, copy, key))

    async def outbox(self) -> list[Outgoing]:
        """Messages that are queued, on their way, uncertain, or without their copy in Sent."""
        return await self._native.outbox()

    async def outgoing(self, message: Outgoing | int) -> Outgoing | None:
        """One message that is to be sent, or was: also one that is finished, with what has become of each recipient."""
        return await self._native.outgoing(_id(message))

    async def cancel(self, message: Outgoing | int) -> Outgoing:
        """Takes a message back that nobody has begun to send."""
        return await self._native.cancel(_id(message))

    async def decide(self, message: Outgoing | int, decision: Literal["resend", "sent", "drop"]) -> Outgoing:
        """Decides about a message that may have been sent: send it again, it was sent, or leave it."""
        return await self._native.decide(_id(message), decision)

    async def send_due(self) -> SendReport:
        """Sends, looks for and files all that is due in the outbox, once, without a pass over the mailboxes."""
        return await self._native.send_due()

    async def keep(self, mailbox: Target | None = None) -> Keep:
        """Which bodies are held of a mailbox; without one, of all that have no rule of their own."""
        return await self._native.keep(None if mailbox is None else unwrap(mailbox))

    async def set_keep(self, keep: Keeping | None, mailbox: Target | None = None) -> None:
        """Sets which bodies are held of a mailbox, or without one of all that have no rule of their own; `None` takes the
        rule away. What is wanted now comes with the next pass; what is not goes with `evict`.
        """
        await self._native.set_keep(_rule(keep), None if mailbox is None else unwrap(mailbox))

    async def usage(self) -> Usage:
        """What the store takes."""
        return await self._native.usage()

    async def evict(self, bytes: int) -> Evicted:
        """Lets bodies go that can be fetched again, the oldest first, until so many bytes are free; the file shrinks."""
        return await self._native.evict(bytes)

    async def tidy(self, *, contents: int = 30, feed: int = 30, tombstones: int = 90, journal: int = 30) -> int:
        """Takes away what has been gone for so many days: contents of deleted messages, entries of the feed (an older
        cursor is `cursor.expired`), traces of deletions, and finished changes. Says how many messages went for good.
        """
        return await self._native.tidy((contents, feed, tombstones, journal))

    async def backup(self, path: str | PathLike[str]) -> None:
        """Writes a whole copy of the store, while it is in use."""
        await self._native.backup(fspath(path))

    async def check(self) -> list[str]:
        """Reads everything in the file and says what is wrong, a sentence each; nothing for a sound one."""
        return await self._native.check()

    async def export(
        self,
        path: str | PathLike[str],
        *,
        format: Literal["mbox", "maildir"] = "mbox",
        mailbox: Target | None = None,
        query: str | Q | None = None,
        tz: str | ZoneInfo | None = None,
        progress: OnProgress = None,
    ) -> Exported:
        """Writes messages to files of other programs, with their flags, keywords and dates, at a path where nothing is.

        All mailboxes become a folder of mbox files, or a Maildir with folders; a single `mailbox` becomes an mbox file, or
        a Maildir without. A failure leaves nothing. Contents are streamed; one that is not held is fetched.
        """
        return await self._native.export(fspath(path), (format, unwrap(mailbox), query, zone(tz), progress))

    async def import_(
        self,
        path: str | PathLike[str],
        *,
        to: Target | None = None,
        quoting: Literal["rd", "o", "none"] = "rd",
        progress: OnProgress = None,
    ) -> Imported:
        """Adds the messages of an mbox file, of a folder of `*.mbox` files, or of a Maildir with its folders.

        They go to the mailbox `to`, folders below it; without it mailboxes are named as the files are. A message that is in
        its mailbox already is left alone, so an import that was interrupted is done again, and nothing is there twice.
        `quoting` is how another program has quoted `From ` lines in mbox.
        """
        return await self._native.import_(fspath(path), (unwrap(to), quoting, progress))

    def __repr__(self) -> str:
        return f"<Mail {self.account or 'of its own'}{' closed' if self.closed else ''}>"


async def repair(path: str | PathLike[str]) -> Repaired:
    """Saves what can be saved of a damaged file, which nobody may have open: a new one takes its place, with changes and
    messages that the server has not got; the rest comes with the next pass. A sound file is left as it is.
    """
    return await _native.repair(fspath(path))


def _id(one: Pending | Outgoing | DeletedMessage | int) -> int:
    return one if isinstance(one, int) else one.id


#: The submission server, and who writes drafts that do not say so.
Submission: TypeAlias = tuple[str | None, Address | None]


class Opening:
    """A store that is not open yet: `await` it, or use it in `async with`, which closes it."""

    def __init__(self, path: str, options: tuple[Account | None, Submission, Keeping | None], engine: Engine | None):
        self._path = path
        self._options = options
        self._engine = engine
        self._mail: Mail | None = None

    async def open(self) -> Mail:
        """Opens it."""
        engine, (account, smtp, keep) = self._engine or default(), self._options
        known = None if account is None else setup(account)
        return Mail(await engine._native.open(self._path, known, smtp, _rule(keep)))

    def __await__(self) -> Generator[Any, Any, Mail]:
        return self.open().__await__()

    async def __aenter__(self) -> Mail:
        self._mail = await self.open()
        return self._mail

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._mail is not None:
            await self._mail.close()


def _rule(keep: Keeping | None) -> tuple[str, int | None, int | None] | None:
    if keep is None:
        return None
    rule = Keep(keep) if isinstance(keep, str) else keep
    return rule.what, rule.days, rule.largest


def open(
    path: str | PathLike[str],
    account: str | Account | None = None,
    *,
    password: Password | None = None,
    token: TokenSource | None = None,
    mechanism: str | None = None,
    net: Net | None = None,
    read_only: bool | None = None,
    allow_cleartext: bool | None = None,
    smtp: str | None = None,
    sender: str | Address | None = None,
    keep: Keeping | None = None,
    engine: Engine | None = None,
) -> Opening:
    """Opens the mail in a file, or makes one: `async with open(…) as mail`, or `await`. No network is asked.

    The account is given as to `connect`. A file knows its account: opened without one it can be read and changed, and is
    brought in step when it is opened with it again. A file that never had one is a mailbox of its own. `smtp` is where
    messages are handed in: a host (TLS), or a URL (`smtps://`, `smtp+starttls://`, on this machine `smtp://`); the
    account's login serves both. `sender` writes drafts that do not say who does; else it is the account's user, where
    that is an address. `keep` says how much is held of messages, `"all"` unless the file has another rule; what
    is not held is fetched when it is asked for.
    """
    given: dict[str, Any] = {
        "password": password,
        "token": token,
        "mechanism": mechanism,
        "net": net,
        "read_only": read_only,
        "allow_cleartext": allow_cleartext,
    }
    known = None if account is None else described(account, given)
    return Opening(fspath(path), (known, (smtp, sender_of(sender)), keep), engine)
