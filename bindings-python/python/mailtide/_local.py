"""Plain data about a local store: what a pass did, what waits, what is to be sent. Frozen, comparable, picklable."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from ._errors import MailError
from ._native import Address


@dataclass(frozen=True, slots=True)
class Keep:
    """Which bodies are held; headers, flags and structure always are.

    `"text"` holds messages that are hardly more than text (to 256 KiB), a message whole or not at all.
    """

    what: Literal["headers", "text", "all"] = "all"
    #: Bodies only of messages not older than this.
    days: int | None = None
    #: Bodies only of messages up to this many bytes.
    largest: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a pass does, or would do; `str()` says it."""

    #: The mailbox's name on the server.
    mailbox: str
    #: Such as `headers`, `bodies`, `flags`, `remove`, `send`.
    action: str
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class SyncCounts:
    """What one pass did in a mailbox, or with `dry_run` would do as far as the list of mailboxes tells."""

    #: Questions asked; 0 where the list proved that nothing changed.
    asked: int
    #: Messages that became visible here, that left, and whose flags changed.
    added: int
    removed: int
    flags: int
    #: Local changes that the server has confirmed, that were not needed any more, and that this pass has parked.
    applied: int
    superseded: int
    parked: int
    #: Bodies that came.
    bodies: int
    #: Bytes of headers and bodies, both ways.
    bytes: int


@dataclass(frozen=True, slots=True)
class Paused:
    """A mailbox in which nothing is taken away: too much is missing on the server at once, or it numbers the mailbox anew
    again and again. See `Mail.confirm`.
    """

    mailbox: str
    #: Why, and what can be done about it, for a person.
    reason: str
    advice: str

    def __str__(self) -> str:
        return f"{self.mailbox}: {self.reason}. {self.advice}"


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What one pass did, or with `dry_run` would do."""

    #: What was decided, in order.
    work: tuple[Step, ...]
    #: All mailboxes together, as in `SyncCounts`.
    asked: int
    added: int
    removed: int
    flags: int
    applied: int
    superseded: int
    parked: int
    bodies: int
    bytes: int
    #: The same for each mailbox in which something was done, by its name.
    mailboxes: dict[str, SyncCounts]
    #: Mailboxes that are paused, and why.
    paused: tuple[Paused, ...]
    #: Local changes that are parked, by this pass or before, and those that wait for one of them; each says why.
    stuck: tuple[Pending, ...]
    #: What could not be read; the rest was.
    problems: tuple[MailError, ...]

    def __repr__(self) -> str:
        counts = f"{self.added} added, {self.removed} removed, {self.flags} with other flags, {self.applied} applied"
        return f"<SyncReport: {counts}, {len(self.stuck)} stuck, {len(self.problems)} problems>"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a store takes, in bytes and numbers."""

    #: The file, what is free in it, and the write-ahead log beside it.
    file: int
    free: int
    log: int
    #: How many messages are visible, and of how many the content is here.
    messages: int
    bodies: int
    #: What the contents take, and what they are as messages.
    bodies_stored: int
    bodies_size: int
    #: Contents of deleted messages that can still be restored.
    restorable: int


@dataclass(frozen=True, slots=True)
class Evicted:
    """What `evict` has let go."""

    bodies: int
    #: Given back to the disk, free room from before included.
    bytes: int


@dataclass(frozen=True, slots=True)
class Exported:
    """What `export` has written; `bytes` are the messages' sizes in sum."""

    mailboxes: int
    messages: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What `import_` has done: messages that were added, that were there already, and the sizes of those added."""

    messages: int
    known: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Repaired:
    """What `repair` has come to."""

    #: What was wrong, a sentence each; nothing for a sound file, which is left as it is.
    problems: tuple[str, ...]
    #: Tables of which not all could be read, with how many rows could.
    incomplete: tuple[tuple[str, int], ...]
    #: Where the damaged file is now.
    damaged: Path | None


@dataclass(frozen=True, slots=True)
class Pending:
    """A local change that the server has not confirmed."""

    #: Its number in the journal.
    id: int
    #: Such as `flag`, `move`, `append`, `create_mailbox`.
    kind: str
    #: The mailbox, as the server knows it.
    mailbox: str
    #: What it is, for a person.
    text: str
    #: `started`: its command may be under way. `parked`: it waits until it is tried again or dropped.
    state: Literal["waiting", "started", "parked"]
    #: Why it is stuck, such as `over_quota`, or `behind_parked` where it waits for a parked one; the same for a person;
    #: what can be done about it; and the server's own words.
    reason: str | None
    why: str | None
    advice: str | None
    server: str | None
    #: The parked change that it waits for.
    behind: int | None
    #: How often it was tried, and when it is tried again at the earliest.
    attempts: int
    not_before: datetime | None
    created: datetime

    def __str__(self) -> str:
        return f"{self.text}: {self.state}" + (f", {self.why}" if self.why else "")


@dataclass(frozen=True, slots=True)
class DeletedMessage:
    """A message that is in no mailbox any more, and not forgotten yet. It has no UID."""

    #: What `Mail.restore` takes.
    id: int
    #: What its header says.
    subject: str | None
    from_: tuple[Address, ...]
    date: datetime | None
    message_id: str | None
    #: When it was received, `None` for a year that Python has not; its size in bytes.
    received: datetime | None
    size: int
    #: When it left the last mailbox here.
    deleted_at: datetime
    #: The mailboxes that it was in, the one it left last first (to the second); empty where that is forgotten.
    mailboxes: tuple[str, ...]
    #: Whether its body is held. Only then can it be restored.
    held: bool


@dataclass(frozen=True, slots=True)
class OutgoingRecipient:
    """What has become of one recipient, and what the server said about it last."""

    address: str
    state: Literal["waiting", "sending", "accepted", "rejected", "uncertain"]
    reply: str | None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that is to be sent, or was."""

    id: int
    message_id: str
    sender: str
    recipients: tuple[OutgoingRecipient, ...]
    #: `uncertain`: the server's answer was lost. It may have been sent, and is never sent again by itself.
    state: Literal[
        "queued", "connected", "data_started", "dot_sent", "accepted", "rejected", "uncertain", "cancelled"
    ]
    #: Whether it waits for a person; see `Mail.decide`.
    needs_decision: bool
    attempts: int
    #: What the server or the network said last.
    reply: str | None
    created: datetime
    #: Nothing is done about it before.
    not_before: datetime | None


@dataclass(frozen=True, slots=True)
class SendReport:
    """What `send_due` has done."""

    #: The messages whose state has changed, as they are now.
    changed: tuple[Outgoing, ...]
    #: When there is something to do again; `None` until something is queued or decided.
    next: datetime | None
    #: What kept messages from being sent that has nothing to do with them: no network, a login refused.
    trouble: MailError | None
