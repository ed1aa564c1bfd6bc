"""The one order of events that the views of all clients of a mailbox must be explained by.

MODSEQ gives it (RFC 7162): each change of a mailbox has one, and they grow. What clients were told is collected here as
they go, and judged when all are done.
"""

import bisect
import threading
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

Flags = frozenset[str]


@dataclass(frozen=True)
class Change:
    """A STORE that was acknowledged: what it set or took away, and the MODSEQ of the row that came back."""

    uid: int
    mod_seq: int
    sign: str
    flag: str

    def applied(self, flags: Flags) -> Flags:
        return flags | {self.flag} if self.sign == "+" else flags - {self.flag}


@dataclass(frozen=True)
class Snapshot:
    """All that a client knew of the mailbox when nothing was left to be told; `reached` is the largest MODSEQ it had heard."""

    reached: int
    mod_seqs: dict[int, int]


@dataclass
class History:
    """What all clients were told and what they did."""

    states: dict[int, dict[int, Flags]] = field(default_factory=lambda: defaultdict(dict))
    changes: list[Change] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)
    #: By UID: the message of an APPEND that was acknowledged.
    born: dict[int, str] = field(default_factory=dict)
    #: The UID in the other mailbox of what a MOVE took there.
    moved: dict[int, int] = field(default_factory=dict)
    #: A MODSEQ by which the message was gone.
    gone: dict[int, int] = field(default_factory=dict)
    #: What was under way when a connection was lost, and may have happened or not.
    maybe_born: set[str] = field(default_factory=set)
    maybe_flags: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    maybe_moved: set[int] = field(default_factory=set)
    commands: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def row(self, uid: int, mod_seq: int, flags: Flags) -> None:
        """Two clients cannot see different flags at one MODSEQ."""
        with self.lock:
            known = self.states[uid].setdefault(mod_seq, flags)
        assert known == flags, f"message {uid} at {mod_seq} has {set(flags)}, and had {set(known)}"

    def is_gone(self, uids: Iterable[int], mod_seq: int) -> None:
        with self.lock:
            for uid in uids:
                self.gone[uid] = min(mod_seq, self.gone.get(uid, mod_seq))

    def moves(self, pairs: Iterable[tuple[int, int]]) -> None:
        with self.lock:
            for here, there in pairs:
                assert here not in self.moved, f"message {here} was moved twice"
                self.moved[here] = there

    def judge(self, left: dict[int, str], other: dict[int, str]) -> None:
        """`left` and `other` are the messages of both mailboxes at the end."""
        self.judge_messages(left, other)
        self.judge_flags()
        order = {uid: sorted(states) for uid, states in self.states.items()}
        for snapshot in self.snapshots:
            self.judge_snapshot(snapshot, order)

    def judge_messages(self, left: dict[int, str], other: dict[int, str]) -> None:
        """Nothing acknowledged is lost, nothing is there twice, nothing came from nowhere."""
        there = [*left.values(), *other.values()]
        assert len(there) == len(set(there)), f"twice: {sorted(name for name in there if there.count(name) > 1)}"
        strange = set(there) - set(self.born.values()) - self.maybe_born
        assert not strange, f"nobody appended {sorted(strange)}"
        for uid, target in self.moved.items():
            assert uid not in left and other.get(target) in (self.born.get(uid), *self.maybe_born), f"the move of {uid}"
        for uid, name in self.born.items():
            if uid not in left and name not in there:
                assert self.was_deleted(uid), f"message {uid} is lost: {self.states[uid]}"

    def was_deleted(self, uid: int) -> bool:
        """Whether the last that was seen of it allows an EXPUNGE to take it."""
        states = self.states[uid]
        last = states[max(states)] if states else frozenset()
        return "\\Deleted" in last or "\\Deleted" in self.maybe_flags[uid]

    def judge_flags(self) -> None:
        """The flags that a STORE gave back are those before it with its own change, so no change of others was lost."""
        named: dict[tuple[int, int], set[str]] = defaultdict(set)
        for change in self.changes:
            # One of those that name a MODSEQ made it; the others found nothing to do.
            named[change.uid, change.mod_seq].add(change.flag)
        for change in self.changes:
            states = self.states[change.uid]
            after = states[change.mod_seq]
            assert change.applied(after) == after, f"{change} gave {set(after)}"
            before = [mod_seq for mod_seq in states if mod_seq < change.mod_seq]
            if before:
                differs = change.applied(states[max(before)]) ^ after
                # Those that nobody got an answer for may have been done as well.
                allowed = self.maybe_flags[change.uid] | named[change.uid, change.mod_seq]
                assert differs <= allowed, f"{change}: {set(states[max(before)])} became {set(after)}"

    def judge_snapshot(self, snapshot: Snapshot, order: dict[int, list[int]]) -> None:
        """There is a moment at which the mailbox was just as this client saw it, and it is not before what it had heard."""
        for uid, mod_seq in snapshot.mod_seqs.items():
            at = bisect.bisect_right(order[uid], mod_seq)
            later = order[uid][at] if at < len(order[uid]) else None
            assert later is None or later > snapshot.reached, (
                f"a client had heard of {snapshot.reached}, but not of the change of {uid} at {later}"
            )
            gone = self.gone.get(uid)
            assert gone is None or gone > snapshot.reached, f"{uid} was gone at {gone}, and seen at {snapshot.reached}"
        for uid, mod_seqs in order.items():
            is_there = mod_seqs and mod_seqs[0] <= snapshot.reached
            if is_there and uid not in snapshot.mod_seqs and not self.may_be_gone(uid):
                raise AssertionError(f"a client that had heard of {snapshot.reached} did not see {uid} of {mod_seqs[0]}")

    def may_be_gone(self, uid: int) -> bool:
        return uid in self.gone or uid in self.moved or uid in self.maybe_moved or self.was_deleted(uid)
