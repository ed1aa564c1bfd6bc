"""Made by stubs.py from the asyncio classes. Do not edit."""

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

__all__ = ['Attachment', 'Chosen', 'Column', 'Engine', 'Event', 'Flags', 'Gap', 'Hit', 'Mail', 'Mailbox', 'Mailboxes', 'Message', 'Messages', 'New', 'Offline', 'One', 'Online', 'Order', 'Part', 'Removed', 'Reset', 'Selection', 'Server', 'Session', 'Stream', 'Target', 'TestServer', 'Watch', 'connect', 'open', 'repair']

@final
class Message:
    """One message. Properties tell what came with the fetch and never do I/O; methods may."""

    @property
    def ref(self) -> MessageRef:
        """Its address: keep this, not the message."""

    @property
    def uid(self) -> int:
        ...

    @property
    def flags(self) -> frozenset[str]:
        """Flags and keywords; compare with `Flag.SEEN` and friends."""

    @property
    def size(self) -> int | None:
        """Bytes, as the server counts them."""

    @property
    def received(self) -> datetime | None:
        """When the server received it."""

    @property
    def date(self) -> datetime | None:
        """When its sender says it was written."""

    @property
    def subject(self) -> str | None:
        ...

    @property
    def from_(self) -> tuple[Address, ...]:
        ...

    @property
    def sender(self) -> tuple[Address, ...]:
        ...

    @property
    def reply_to(self) -> tuple[Address, ...]:
        ...

    @property
    def to(self) -> tuple[Address, ...]:
        ...

    @property
    def cc(self) -> tuple[Address, ...]:
        ...

    @property
    def bcc(self) -> tuple[Address, ...]:
        ...

    @property
    def message_id(self) -> str | None:
        ...

    @property
    def in_reply_to(self) -> str | None:
        ...

    @property
    def mod_seq(self) -> int | None:
        ...

    @property
    def thread(self) -> str | None:
        """The id of its thread, as `thread:` of a query takes it: THREADID (RFC 8474), or X-GM-THRID with `gm-` before it.
        One of a local mailbox has the store's own, which changes when a later message shows two threads to be one. `None`
        where the server has none, or it was not asked for.
        """

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """What is attached, as the server describes it; nothing of it has been fetched."""

    @property
    def problems(self) -> tuple[str, ...]:
        """What of the server's answer could not be read. The rest of the message stands."""

    def text(self) -> str:
        """The text as a person would read it: plain, else the HTML without its markup."""

    def html(self) -> str | None:
        """The HTML text as the sender wrote it, or `None`: never show it without a sanitiser."""

    def headers(self) -> Headers:
        """The whole header."""

    def raw(self) -> Bytes:
        """The whole message as its bytes are."""

    def stream(self) -> Stream:
        """The whole message, a piece at a time."""

    def reply(self, text: str='', *, all: bool=False, quote: bool=True, attribution: str | None=None, me: Recipients | None=None) -> Draft:
        """A draft that answers it, for `Mail.send`: to `Reply-To` or the sender, with `all` to everybody who got it.

        It stands in the thread, with one `Re:`; below `text` the message is quoted under its attribution. `me` are your own
        addresses, which get no copy: the account's user or sender unless given. `dataclasses.replace` changes the draft.
        """

    def forward(self, to: Recipients | None=None, text: str='', *, attachments: bool=True) -> Draft:
        """A draft that passes it on, for `Mail.send`: its text below `text` and a description of it, with its attachments."""

@final
class Attachment:
    """An attachment as the server describes it; nothing of it has been fetched."""

    @property
    def path(self) -> str:
        """Its section number in the message, such as `2.1`."""

    @property
    def filename(self) -> str | None:
        """The name that the sender gave; anything may be in it. `save()` makes it safe."""

    @property
    def media_type(self) -> str:
        ...

    @property
    def size(self) -> int | None:
        """Bytes, near enough: servers tell the size as it is encoded."""

    @property
    def inline(self) -> bool:
        ...

    @property
    def content_id(self) -> str | None:
        ...

    def bytes(self) -> Bytes:
        """The content, decoded."""

    def save(self, directory: str | PathLike[str], *, progress: OnProgress=None) -> Path:
        """Writes the content into a folder, under a safe name that no file there has, and gives the path."""

    def stream(self) -> Stream:
        """The content, decoded, a piece at a time."""

@final
class Stream:
    """Pieces of a message or attachment, of at most 256 KiB each."""

    def __iter__(self) -> Iterator[Bytes]:
        ...

    def __next__(self) -> Bytes:
        ...

@dataclass(frozen=True, slots=True)
class New:
    """A message has arrived."""
    message: Message
    cursor: str

Event: TypeAlias = New | Flags | Removed | Reset | Gap | Offline | Online | MailboxAdded | MailboxChanged | MailboxRenamed | MailboxGone | PendingChanged | OutgoingChanged

class Engine:
    """Owns what sessions share.

    `max_connections` bounds the connections to one account, `logins_per_second` the pace of logging in over all.
    `logger` receives every protocol line at level DEBUG, secrets and content left out: `True` for the logger
    `mailtide.wire`, or one of your own. `on_stats` receives the counters whenever a connection has been made. Both are
    called on a thread of their own.
    """

    def __init__(self, *, max_connections: int=4, logins_per_second: float | None=None, logger: logging.Logger | bool | None=None, on_stats: Callable[[Stats], object] | None=None) -> None:
        ...

    @property
    def stats(self) -> Stats:
        """What has been done so far."""

    def close(self, *, timeout: float=10.0) -> None:
        """Closes every session, and waits at most `timeout` seconds for the servers to agree."""

class Messages:
    """An async iterable of messages. They are read once, in batches; stop when you like, the session stays usable.

    Other calls on the same session may be made inside the loop.
    """

    @property
    def exact(self) -> bool | None:
        """Whether these are just what the query says: false where the server matches words its own way.

        `None` before the first message was asked for.
        """

    def __iter__(self) -> Messages:
        ...

    def __next__(self) -> Message:
        ...

    def list(self) -> list[Message]:
        """All of them."""

    def first(self) -> Message | None:
        """The first, or `None` where there is none; the others are not waited for."""

    def to_arrow(self) -> Any:
        """A `pyarrow.Table` of the properties. Needs the package `pyarrow`."""

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame` of the properties. Needs the package `pandas`."""

class Watch:
    """An async iterable of events. `async with` begins it and ends it; iterating alone does as well.

    Leaving the loop, `close()` from another task and closing the session or the store end it normally; a cancelled task
    gets its `CancelledError`, and misses nothing that it asks for again.
    """

    def ready(self) -> None:
        """Ends when the starting point is fixed: what happens from then on will be told."""

    def close(self) -> None:
        """Ends it, from any task or thread: the loop over it ends normally."""

    def __iter__(self) -> Watch:
        ...

    def __next__(self) -> Event:
        ...

    def __enter__(self) -> Watch:
        ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        ...

One: TypeAlias = Message | MessageRef | int

Chosen: TypeAlias = One | Iterable[One] | UidSet | Q

Selection: TypeAlias = Chosen | str

class Mailbox:
    """A mailbox by its name. Making one does no I/O; every call opens it as it needs to."""

    @property
    def name(self) -> str:
        """How it was named."""

    def fetch(self, selection: Selection | None=None, *, parts: Iterable[Part]=(), columns: Iterable[Column] | None=None, limit: int | None=None, order: Order='oldest', exact: bool=False, tz: str | ZoneInfo | None=None, progress: OnProgress=None) -> Messages:
        """The messages that a selection names, all of them for `None`. Reading marks nothing as seen.

        `parts` loads content ahead, `columns` restricts what is asked of the server. With `exact` the engine matches
        words itself where a server might match them otherwise. `tz` is what `after:`, `before:` and `on:` mean.
        """

    def count(self, selection: Selection | None=None, *, tz: str | ZoneInfo | None=None) -> int:
        """How many messages a selection names."""

    def search(self, selection: Selection | None=None, *, exact: bool=False, tz: str | ZoneInfo | None=None) -> list[MessageRef]:
        """The refs of the messages that a selection names, by ascending UID."""

    def status(self) -> MailboxStatus:
        ...

    def flag(self, selection: Chosen, *, add: str | Iterable[str] | None=None, remove: str | Iterable[str] | None=None, set: str | Iterable[str] | None=None, limit: int | None=None, partial: Literal['raise', 'return']='raise', tz: str | ZoneInfo | None=None) -> BulkResult:
        """Adds and removes flags; or `set`, which goes without the others, replaces them all."""

    def move(self, selection: Chosen, to: Target, *, create: bool=False, limit: int | None=None, partial: Literal['raise', 'return']='raise', tz: str | ZoneInfo | None=None) -> BulkResult:
        """Moves messages; with `create` the target is created if it is missing."""

    def copy(self, selection: Chosen, to: Target, *, create: bool=False, limit: int | None=None, partial: Literal['raise', 'return']='raise', tz: str | ZoneInfo | None=None) -> BulkResult:
        """Copies messages; with `create` the target is created if it is missing."""

    def delete(self, selection: Chosen, *, limit: int | None=None, partial: Literal['raise', 'return']='raise', tz: str | ZoneInfo | None=None) -> BulkResult:
        """Moves messages to the Trash. Without one, or there already, that is an error: see `expunge()`."""

    def expunge(self, selection: Chosen, *, limit: int | None=None, partial: Literal['raise', 'return']='raise', tz: str | ZoneInfo | None=None) -> BulkResult:
        """Removes messages for good: these and no others (UID EXPUNGE)."""

    def append(self, message: Content, *, flags: str | Iterable[str]=(), received: datetime | None=None, create: bool=False, progress: OnProgress=None) -> MessageRef | None:
        """Adds a message: bytes, a path, a file, an iterable of chunks (async or not), or an `EmailMessage`.

        Gives its ref where the server tells it (UIDPLUS).
        """

    def append_many(self, messages: Iterable[Content], *, flags: str | Iterable[str]=(), received: datetime | None=None, create: bool=False, progress: OnProgress=None) -> list[MessageRef | None]:
        """Adds many messages, in few commands where the server has MULTIAPPEND."""

    def watch(self, *, since: str='now', poll: int | None=None) -> Watch:
        """What happens from now on, with `since="all"` also what is there, or from the `cursor` of an event on.

        Use it in `async with`, or just iterate. Of a session it has a connection of its own and survives a lost network;
        `poll` is how often to ask, in seconds, where the server has no IDLE. Of a store it tells what changes here,
        without a gap over restarts too, as `Mail.changes` does of all mailboxes.
        """

Target: TypeAlias = str | Sequence[str] | Role | Mailbox | MailboxInfo

class Mailboxes:
    """A `Session` or a `Mail`, for who does not care which."""

    @property
    def closed(self) -> bool:
        ...

    def mailbox(self, name: Target) -> Mailbox:
        """A mailbox by its own name, by levels, or by special use. No I/O: a missing one shows when used."""

    def mailboxes(self, pattern: str | None=None, *, subscribed: bool=False, status: bool=False) -> list[MailboxInfo]:
        """All mailboxes, or those that fit a pattern (`*` and `%`); with their status where that is asked."""

    def create_mailbox(self, name: Target, *, role: Role | None=None, exist_ok: bool=False) -> str:
        """Creates a mailbox and gives its name."""

    def rename_mailbox(self, name: Target, to: Target) -> None:
        ...

    def delete_mailbox(self, name: Target, *, even_if_not_empty: bool=False) -> None:
        """Deletes a mailbox. One that still holds messages or children is `mailbox.not_empty` unless you say so."""

    def subscribe(self, name: Target, *, on: bool=True) -> None:
        """Subscribes, or with `on=False` unsubscribes."""

    def status(self, name: Target) -> MailboxStatus:
        ...

    def close(self) -> None:
        """Ends what runs and logs out. Pending calls get `usage.closed`; closing twice is fine."""

    def __enter__(self) -> Self:
        ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        ...

class Session(Mailboxes):
    """A small pool of connections to one account. Safe to share between tasks; nothing is stored."""

    @property
    def account(self) -> str:
        """`user@host`, as in a `MessageRef`."""

    def namespaces(self) -> Namespaces:
        ...

    def id(self, fields: Mapping[str, str | None] | None=None) -> dict[str, str | None]:
        """Says who we are (ID, RFC 2971), and gives what the server says of itself."""

    def capabilities(self) -> list[str]:
        ...

    def noop(self) -> None:
        """Asks the server for a sign of life."""

    def raw(self, command: str) -> RawReply:
        """Sends one command as it is, without its tag, and gives what came back."""

def connect(account: str | Account, *, password: Password | None=None, token: TokenSource | None=None, mechanism: str | None=None, net: Net | None=None, read_only: bool | None=None, allow_cleartext: bool | None=None, engine: Engine | None=None) -> Session:
    """Logs in to an account, given by its URL or as an `Account`: `async with connect(…) as session`, or `await`.

    A password is a string or a function that is asked for it. `token` is an OAuth token or, better, a function that is
    given a `TokenRequest` and returns one; it is asked again when the token expires. Functions may be async, and are
    called on the event loop that runs now. `imap://` without encryption is refused but for loopback, unless
    `allow_cleartext`.
    """

@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found."""
    message: Message
    score: float
    snippet: Snippet | None

class Mail(Mailboxes):
    """A local mailbox in step with an account, or one with nothing behind it. Safe to share between tasks.

    Reads come from disk, online or not. Writes show here at once, and are kept until `sync` or `keep_in_sync` has
    brought them to the server.
    """

    @property
    def account(self) -> str | None:
        """`user@host`; `None` where there is nothing behind the store."""

    def sync(self, *, dry_run: bool=False, bytes_a_day: int | None=None, progress: OnProgress=None) -> SyncReport:
        """Brings both sides in step, once, and says what it did; with `dry_run` what it would do, changing nothing.

        What is interrupted, by an error or by cancelling, goes on where it was with the next pass. `bytes_a_day` bounds
        the bodies that are fetched in a day, over all passes. The loss of the network is an error (`net.…`); a mailbox
        or message that cannot be read is in the report.
        """

    def keep_in_sync(self, *, bytes_a_day: int | None=None, progress: OnProgress=None, every_seconds: int | None=None) -> None:
        """Follows the server and what is changed here until it is cancelled or the store is closed.

        A lost network is waited for; what needs a person, such as a new password, is raised. `bytes_a_day` and
        `progress` are those of each pass, as for `sync`. Where nothing is heard, the next pass begins after
        `every_seconds`, 300 unless given; a day at most.
        """

    def changes(self, *, since: str='now') -> Watch:
        """What changes in the store, whoever changed it: from now on, or from the `cursor` of an event on, without a
        gap, over restarts too. The same union as of a watched mailbox; that `keep_in_sync` cannot reach the server is
        told as well.

        Keep the cursor with what you make of the events, and you see each of them once. One that is too old is
        `cursor.expired`: read everything anew, then go on from now.
        """

    def cursor(self) -> str:
        """The place in the feed after all that has happened: take it, fetch what there is, then ask for `changes`."""

    def search(self, query: str | Q, *, mailbox: Target | None=None, order: Literal['newest', 'oldest', 'rank']='newest', limit: int | None=50, snippets: bool=False, tz: str | ZoneInfo | None=None) -> list[Hit]:
        """Searches all mailboxes, or one: at most `limit` messages, those that come first in that order, or all for `None`.

        With `order="rank"` those come first that the words of the query say most about: rare words count more, so does a
        subject, and a whole word more than a piece of one. With `snippets` each comes with the piece of its text that has
        most of what was looked for. A message that is in several mailboxes is found in each.
        """

    def pending(self) -> list[Pending]:
        """Local changes that the server has not confirmed, the oldest first. Those that are parked, or wait for a parked
        one, say why and what can be done.
        """

    def retry(self, change: Pending | int) -> None:
        """Lets a parked change be tried again with the next pass."""

    def drop(self, change: Pending | int) -> list[int]:
        """Gives a parked change up: what it did here is taken back, with all that depends on it. Says what was dropped."""

    def deleted(self, *, limit: int | None=None) -> list[DeletedMessage]:
        """Messages that were deleted, here or on the server, and are not forgotten yet: they are for 30 days, or what
        `tidy` is told. Those deleted last come first, at most `limit`.
        """

    def restore(self, message: DeletedMessage | int, mailbox: Target='INBOX') -> MessageRef:
        """Places a message again that was deleted: in that mailbox, under a UID of its own, with the flags that it had
        in the mailbox it left last, except `\\Deleted`. It reaches the server as one that was added. One that is forgotten is
        `message.missing`, one whose body was not held when it was deleted `body.not_here`.
        """

    def paused(self) -> list[Paused]:
        """Mailboxes in which nothing is taken away until somebody has looked: see `confirm`."""

    def confirm(self, mailbox: Target) -> None:
        """Says of a paused mailbox that the server is right: what is missing there goes here too, with the next pass."""

    def send(self, draft: Draft, *, at: datetime | None=None, copy: bool=True, on_doubt: Literal['ask', 'resend', 'assume_sent']='ask', key: str | None=None) -> Outgoing:
        """Queues a message: it is on the disk when this returns, and leaves with a pass when there is a network.

        `at` is the earliest moment. A copy is filed in Sent once. `on_doubt` is what to do when the server's answer was
        lost: nothing is sent twice unless you say so. What is queued again with the same `key` is the same message.
        """

    def outbox(self) -> list[Outgoing]:
        """Messages that are queued, on their way, uncertain, or without their copy in Sent."""

    def outgoing(self, message: Outgoing | int) -> Outgoing | None:
        """One message that is to be sent, or was: also one that is finished, with what has become of each recipient."""

    def cancel(self, message: Outgoing | int) -> Outgoing:
        """Takes a message back that nobody has begun to send."""

    def decide(self, message: Outgoing | int, decision: Literal['resend', 'sent', 'drop']) -> Outgoing:
        """Decides about a message that may have been sent: send it again, it was sent, or leave it."""

    def send_due(self) -> SendReport:
        """Sends, looks for and files all that is due in the outbox, once, without a pass over the mailboxes."""

    def keep(self, mailbox: Target | None=None) -> Keep:
        """Which bodies are held of a mailbox; without one, of all that have no rule of their own."""

    def set_keep(self, keep: Keeping | None, mailbox: Target | None=None) -> None:
        """Sets which bodies are held of a mailbox, or without one of all that have no rule of their own; `None` takes the
        rule away. What is wanted now comes with the next pass; what is not goes with `evict`.
        """

    def usage(self) -> Usage:
        """What the store takes."""

    def evict(self, bytes: int) -> Evicted:
        """Lets bodies go that can be fetched again, the oldest first, until so many bytes are free; the file shrinks."""

    def tidy(self, *, contents: int=30, feed: int=30, tombstones: int=90, journal: int=30) -> int:
        """Takes away what has been gone for so many days: contents of deleted messages, entries of the feed (an older
        cursor is `cursor.expired`), traces of deletions, and finished changes. Says how many messages went for good.
        """

    def backup(self, path: str | PathLike[str]) -> None:
        """Writes a whole copy of the store, while it is in use."""

    def check(self) -> list[str]:
        """Reads everything in the file and says what is wrong, a sentence each; nothing for a sound one."""

    def export(self, path: str | PathLike[str], *, format: Literal['mbox', 'maildir']='mbox', mailbox: Target | None=None, query: str | Q | None=None, tz: str | ZoneInfo | None=None, progress: OnProgress=None) -> Exported:
        """Writes messages to files of other programs, with their flags, keywords and dates, at a path where nothing is.

        All mailboxes become a folder of mbox files, or a Maildir with folders; a single `mailbox` becomes an mbox file, or
        a Maildir without. A failure leaves nothing. Contents are streamed; one that is not held is fetched.
        """

    def import_(self, path: str | PathLike[str], *, to: Target | None=None, quoting: Literal['rd', 'o', 'none']='rd', progress: OnProgress=None) -> Imported:
        """Adds the messages of an mbox file, of a folder of `*.mbox` files, or of a Maildir with its folders.

        They go to the mailbox `to`, folders below it; without it mailboxes are named as the files are. A message that is in
        its mailbox already is left alone, so an import that was interrupted is done again, and nothing is there twice.
        `quoting` is how another program has quoted `From ` lines in mbox.
        """

def open(path: str | PathLike[str], account: str | Account | None=None, *, password: Password | None=None, token: TokenSource | None=None, mechanism: str | None=None, net: Net | None=None, read_only: bool | None=None, allow_cleartext: bool | None=None, smtp: str | None=None, sender: str | Address | None=None, keep: Keeping | None=None, engine: Engine | None=None) -> Mail:
    """Opens the mail in a file, or makes one: `async with open(…) as mail`, or `await`. No network is asked.

    The account is given as to `connect`. A file knows its account: opened without one it can be read and changed, and is
    brought in step when it is opened with it again. A file that never had one is a mailbox of its own. `smtp` is where
    messages are handed in: a host (TLS), or a URL (`smtps://`, `smtp+starttls://`, on this machine `smtp://`); the
    account's login serves both. `sender` writes drafts that do not say who does; else it is the account's user, where
    that is an address. `keep` says how much is held of messages, `"all"` unless the file has another rule; what
    is not held is fetched when it is asked for.
    """

def repair(path: str | PathLike[str]) -> Repaired:
    """Saves what can be saved of a damaged file, which nobody may have open: a new one takes its place, with changes and
    messages that the server has not got; the rest comes with the next pass. A sound file is left as it is.
    """

class Running:
    """A server in this process: where it is, who may log in, and its end.

    All users see the same mailboxes. Changes hold at once, for open connections too: whoever came in by what was taken
    away is sent away.
    """

    @property
    def url(self) -> str:
        """What a client on this machine connects to: `imap://ada@127.0.0.1:1143`; with TLS `imaps://`, and with STARTTLS
        `imap+starttls://`.
        """

    @property
    def host(self) -> str:
        ...

    @property
    def port(self) -> int:
        ...

    def users(self) -> list[ServerUser]:
        """All who may log in, by name."""

    def set_user(self, name: str, password: str) -> None:
        """Sets a user up, or gives one another password. The store keeps a verifier of it, never the password."""

    def disable_user(self, name: str, disabled: bool=True) -> None:
        """Keeps a user out, whatever the password or token; or lets it in again."""

    def remove_user(self, name: str) -> None:
        """Takes a user away, with its app passwords. The mail stays."""

    def app_passwords(self, user: str) -> list[AppPassword]:
        """The app passwords of a user, by label."""

    def add_app_password(self, user: str, label: str) -> str:
        """Makes a password for one program, which logs in with it as `user+label`. It is told here once."""

    def revoke_app_password(self, user: str, label: str) -> None:
        """Takes an app password back, and sends away whoever is in by it."""

    def start(self) -> Self:
        """Starts it: what `await` and `async with` do."""

    def close(self) -> None:
        """Stops listening and ends all connections. What was acknowledged is kept; closing twice is fine."""

    def __enter__(self) -> Self:
        ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        ...

class Server(Running):
    """Serves a store over IMAP to any mail client, in this process: `async with Server(…) as server`, or `await`.

    Given a path, it is the mail in that file, which is made where there is none: a mailbox of its own, with an inbox and
    the usual mailboxes. Given a `Mail`, it is a gateway: clients read and change that mailbox also while its account's
    server is away, and what they do arrives there with the next `sync`; what is not held is fetched, and refused while
    that cannot be done. The `Mail` stays yours to close.

    `user` may log in with `password`; without one a password is made, another one each time: `server.password` has it.
    `users` are further ones with their passwords. Those may log in as well who were set up before. The address is an IP
    address and a port, 0 for any free one; beyond this machine it takes `tls` and a user. `tls=True` makes a self-signed
    certificate beside the store, which `server.certificate` gives for clients to trust; with `starttls=True` a client
    begins in clear, and can only log in after STARTTLS. `append_limit` bounds the messages that clients may add, in bytes.

    With `tokens`, clients may log in with an OAuth token (OAUTHBEARER, XOAUTH2): the function is asked with the user and
    the token, where the server was started, and lets in by `True` alone. Where it raises, the client is told to try later.
    """

    def __init__(self, store: str | PathLike[str] | Mail, *, user: str | None=None, password: str | None=None, users: Mapping[str, str] | None=None, address: str='127.0.0.1:0', tls: Tls=False, starttls: bool=False, tokens: TokenCheck | None=None, append_limit: int | None=None) -> None:
        ...

    @property
    def user(self) -> str | None:
        ...

    @property
    def password(self) -> str | None:
        """The password of that user, given or made."""

    @property
    def certificate(self) -> str | None:
        """The certificate in PEM, for `Net(ca=…)`; `None` without TLS."""

class TestServer(Running):
    """An IMAP server for tests, in this process, on a free port and with mail of its own that goes when it ends.

    `mail` is what it holds: messages by mailbox. Missing mailboxes are made; INBOX, Archive, Drafts, Junk, Sent and Trash
    are there. `without` are capabilities that it has not got, such as `"MOVE"` or `"THREAD"`: they are not announced, and
    what needs them is answered with BAD; IMAP4rev2 goes with whatever is a part of it. `quirks` are faults that servers
    are known for, by the names of the rules of the engine (`"Exchange and Office 365"`).
    """
    __test__ = False

    def __init__(self, *, mail: Mapping[str, Iterable[Letter]] | None=None, without: Iterable[str]=(), quirks: Iterable[str]=(), user: str='ada', password: str='secret') -> None:
        ...

    @property
    def user(self) -> str:
        ...

    @property
    def password(self) -> str:
        ...

    @property
    def mail(self) -> Mail:
        """The mailbox behind it, for all that a test wants to do on the other side."""

    @property
    def commands(self) -> list[str]:
        """What clients have sent, in order, without tags, passwords and the contents of messages."""

    def deliver(self, mailbox: Target, message: Letter, *, flags: str | Iterable[str] | None=None) -> int:
        """Puts a message into a mailbox, as a delivery does, and gives its UID: clients that wait are told. A missing
        mailbox is made.
        """

    def messages(self, mailbox: Target='INBOX') -> list[Message]:
        """What a mailbox holds, oldest first: what clients have made of it, seen from the other side."""

    def fault(self, kind: FaultKind, command: str | None=None, *, nth: int=1, after: int | None=None, text: str='No', delay: float | timedelta=0.0, data: bytes=b'\x00\xff garbage\r\n') -> None:
        """Has something go wrong once, at the next such command of any client, or at the `nth` from now on.

        `cut` ends the connection; `delay` says nothing for so many seconds; `no` and `bad` answer with `text`, which may
        begin with a response code (`"[OVERQUOTA] Full"`); `garbage` sends `data`. The command is named in any case and
        without UID (`"FETCH"`); `"GREETING"` is the begin of a connection, and no name is any command. With `after`, the
        command is done, and so many bytes of its answer are sent before.
        """

    def close(self) -> None:
        """Ends all connections, and removes its mail; closing twice is fine."""
