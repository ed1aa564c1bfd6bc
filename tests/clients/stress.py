#!/usr/bin/env python3
"""Many clients on one mailbox of our server, each doing things at random: tests/clients/stress.py [SECONDS [kill]]

After each command a client looks whether what it was told adds up to what is there; at the end one order of events must
explain all that any of them saw (`history.py`). With `kill` the server is killed every few seconds and started again:
nothing that was acknowledged may be lost.
"""

import random
import re
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

from clients.history import Change, Flags, History, Snapshot
from servers.line import PATIENCE, Line
from servers.ours import Ours

CLIENTS = 10
#: Above so many messages they rather delete than append.
MANY = 40
FLAGS = [r"\Seen", r"\Flagged", r"\Draft", r"\Answered", "$Work", "$Later"]
VERBS = ["append"] * 4 + ["flag"] * 4 + ["unflag"] * 2 + ["delete"] * 2 + [
    "expunge", "move", "search", "status", "idle", "reselect", "nothing",
]  # fmt: skip


def message(name: str) -> bytes:
    return f"Subject: {name}\r\nFrom: ada@example.org\r\n\r\nabout {name}\r\n".encode()


class Client:
    """Keeps what it is told: UIDs by sequence number, the last state by UID."""

    def __init__(self, port: int, number: int, history: History) -> None:
        self.port, self.number, self.history = port, number, history
        self.random = random.Random(number)
        self.is_quick = number % 2 == 0
        self.uids: list[int | None] = []
        self.known: dict[int, tuple[int, Flags]] = {}
        self.reached = 0
        self.validity = ""
        self.appended = 0
        self.told_gone: list[int] = []
        self.end = ""
        self.line = Line(port, "ada")
        self.open()

    def open(self) -> None:
        self.do("ENABLE QRESYNC" if self.is_quick else "ENABLE CONDSTORE")
        self.uids = []
        self.do("SELECT Box")
        self.check()

    def reconnect(self) -> None:
        """As soon as the server is there again. What was known must still be true."""
        self.line.close()
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self.line = Line(self.port, "ada")
                return self.open()
            except OSError:
                assert time.monotonic() < end, "the server did not come back"
                time.sleep(0.02)

    def do(self, command: str, literal: bytes | None = None) -> list[str]:
        """Gives a command, and takes in what comes before its end."""
        self.told_gone = []
        answer, self.end = self.line.run(command, literal)
        return self.heard(command, answer)

    def heard(self, command: str, answer: list[str]) -> list[str]:
        self.history.commands += 1
        assert self.end.startswith("OK"), (command, self.end)
        for response in answer:
            self.hear(response, command)
        return answer

    def hear(self, response: str, command: str) -> None:
        if told := re.match(r"\* (\d+) EXISTS", response):
            count = int(told[1])
            assert count >= len(self.uids), f"{response} where {len(self.uids)} were known ({command})"
            self.uids += [None] * (count - len(self.uids))
        elif told := re.match(r"\* (\d+) EXPUNGE", response):
            self.no_numbers_change(response, command)
            self.vanish({self.uids.pop(int(told[1]) - 1)})
        elif told := re.match(r"\* VANISHED (\(EARLIER\) )?(.*)", response):
            gone = numbers(told[2])
            if not told[1]:
                self.no_numbers_change(response, command)
                self.drop(gone)
            self.vanish(set(gone))
        elif told := re.match(r"\* (\d+) FETCH \((.*)\)", response):
            self.row(int(told[1]), told[2], response)
        elif told := re.match(r"\* OK \[UIDVALIDITY (\d+)", response):
            assert self.validity in ("", told[1]), f"UIDVALIDITY was {self.validity}: {response}"
            self.validity = told[1]

    def drop(self, gone: set[int]) -> None:
        """One whose UID was not asked for yet stands where its UID would (RFC 7162 section 3.2.10)."""
        for uid in sorted(gone):
            if uid in self.uids:
                self.uids.remove(uid)
                continue
            at = max((place for place, known in enumerate(self.uids, 1) if known is not None and known < uid), default=0)
            assert at < len(self.uids) and self.uids[at] is None, f"{uid} is gone of {self.uids}"
            del self.uids[at]

    def no_numbers_change(self, response: str, command: str) -> None:
        assert not re.match("FETCH|STORE|SEARCH", command), f"{response} in the middle of {command}"

    def vanish(self, gone: set[int | None]) -> None:
        known = [uid for uid in gone if uid is not None]
        self.told_gone += known
        for uid in known:
            self.known.pop(uid, None)

    def row(self, number: int, items: str, response: str) -> None:
        assert number <= len(self.uids), f"{response} of {len(self.uids)}"
        known = self.uids[number - 1]
        if uid := re.search(r"UID (\d+)", items):
            assert known in (None, int(uid[1])), f"{response}, but its UID was {known}"
            known = self.uids[number - 1] = int(uid[1])
        flags, mod_seq = re.search(r"FLAGS \(([^)]*)\)", items), re.search(r"MODSEQ \((\d+)\)", items)
        assert flags and mod_seq, f"{response} does not say all"
        if known is not None:
            self.state(known, int(mod_seq[1]), frozenset(flags[1].split()))

    def state(self, uid: int, mod_seq: int, flags: Flags) -> None:
        before = self.known.get(uid, (0, flags))
        assert mod_seq >= before[0], f"message {uid} went back from {before[0]} to {mod_seq}"
        self.history.row(uid, mod_seq, flags)
        self.known[uid] = (mod_seq, flags)
        self.reached = max(self.reached, mod_seq)

    def check(self) -> None:
        """Whether what it was told is what is there."""
        for _ in range(20):
            self.do("NOOP")
            if None not in self.uids:
                break
            self.do(f"FETCH {self.uids.index(None) + 1}:* (UID FLAGS MODSEQ)")
        else:
            return
        uids = [uid for uid in self.uids if uid is not None]
        assert uids == sorted(set(uids)), f"UIDs do not ascend: {uids}"
        mod_seqs = {uid: self.known[uid][0] for uid in uids}
        self.history.snapshots.append(Snapshot(self.reached, mod_seqs))
        if self.uids and self.random.random() < 0.3:
            self.compare()

    def compare(self) -> None:
        """Every row; what is missing is told as gone at the next opportunity."""
        answer = self.do("UID FETCH 1:* (UID FLAGS MODSEQ)")
        there = {int(found[1]) for row in answer if (found := re.search(r"FETCH \(UID (\d+)", row))}
        self.do("NOOP")
        stale = [uid for uid in self.uids if uid is not None and uid not in there and uid <= max(there, default=0)]
        assert not stale, f"{stale} were not among the rows, and not told as gone"

    def step(self) -> None:
        verb = self.random.choice(VERBS)
        if verb == "append" and len(self.uids) > MANY:
            verb = self.random.choice(["delete", "expunge", "move"])
        if not self.uids or self.uids[0] is None:
            verb = "append"
        getattr(self, verb)()
        self.check()

    def one(self) -> tuple[int, int]:
        """Any message by number and UID; those come last whose UID is not known yet."""
        known = [(number, uid) for number, uid in enumerate(self.uids, 1) if uid is not None]
        return self.random.choice(known)

    def nothing(self) -> None:
        self.do("NOOP")

    def append(self) -> None:
        self.appended += 1
        name = f"m{self.number}x{self.appended}"
        self.history.maybe_born.add(name)
        raw = message(name)
        self.do(f"APPEND Box {{{len(raw)}}}", raw)
        told = re.search(r"\[APPENDUID (\d+) (\d+)\]", self.end)
        assert told, self.end
        self.history.born[int(told[2])] = name
        self.history.maybe_born.discard(name)

    def flag(self) -> None:
        self.store("+", self.random.choice(FLAGS))

    def unflag(self) -> None:
        self.store("-", self.random.choice(FLAGS))

    def delete(self) -> None:
        self.store("+", r"\Deleted")

    def store(self, sign: str, flag: str) -> None:
        number, uid = self.one()
        self.history.maybe_flags[uid].add(flag)
        by_uid = self.random.random() < 0.5
        # The row of its own comes first, where the message is still there.
        named = rf"\d+ FETCH \(UID {uid} " if by_uid or self.is_quick else rf"{number} FETCH \("
        own = None
        for row in self.do(f"{f'UID STORE {uid}' if by_uid else f'STORE {number}'} {sign}FLAGS ({flag})"):
            own = own or re.match(rf"\* {named}FLAGS \([^)]*\) MODSEQ \((\d+)\)", row)
        # Where it is gone no row comes.
        if own:
            self.history.changes.append(Change(uid, int(own[1]), sign, flag))
            self.history.maybe_flags[uid].discard(flag)

    def expunge(self) -> None:
        self.do("EXPUNGE")
        if told := re.search(r"\[HIGHESTMODSEQ (\d+)\]", self.end):
            self.history.is_gone(self.told_gone, int(told[1]))

    def move(self) -> None:
        _, uid = self.one()
        self.history.maybe_moved.add(uid)
        for row in self.do(f"UID MOVE {uid} Other"):
            if told := re.search(r"\[COPYUID \d+ (\d+) (\d+)\]", row):
                self.history.moves([(int(told[1]), int(told[2]))])
        self.history.maybe_moved.discard(uid)

    def search(self) -> None:
        answer = self.do("SEARCH UNSEEN")
        found = next(row for row in answer if row.startswith("* SEARCH"))
        assert all(int(number) <= len(self.uids) for number in found.split()[2:]), found

    def status(self) -> None:
        self.do("STATUS Other (MESSAGES UIDNEXT UNSEEN HIGHESTMODSEQ)")

    def idle(self) -> None:
        _, go_on = self.line.run("IDLE")
        assert go_on.startswith("+"), go_on
        time.sleep(self.random.random() / 10)
        answer, self.end = self.line.done()
        self.heard("IDLE", answer)

    def reselect(self) -> None:
        """As after a night: what has changed since, or all anew."""
        before = [uid for uid in self.uids if uid is not None]
        self.do("UNSELECT")
        self.uids = []
        if not self.is_quick:
            self.do("SELECT Box")
            return
        answer, self.end = self.line.run(f"SELECT Box (QRESYNC ({self.validity} {self.reached}))")
        gone = {uid for row in answer if row.startswith("* VANISHED") for uid in numbers(row.split()[-1])}
        count = int(next(row for row in answer if row.endswith(" EXISTS")).split()[1])
        kept = [uid for uid in before if uid not in gone]
        self.uids = [*kept, *[None] * (count - len(kept))]
        assert count >= len(kept), f"of {before} {gone} are gone, but {count} are there"
        self.heard("SELECT", [row for row in answer if not row.endswith(" EXISTS")])


def numbers(text: str) -> set[int]:
    """The numbers of a set."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition(":")
        found |= set(range(int(first), int(last or first) + 1))
    return found


class Stress:
    """One run."""

    def __init__(self, seconds: float, clients: int = CLIENTS, kills: bool = False) -> None:
        self.seconds, self.count, self.kills = seconds, clients, kills
        self.history = History()
        self.failures: list[BaseException] = []
        self.killed = 0

    def run(self) -> str:
        with Ours() as server:
            line = Line(server.port, "ada")
            for name in ("Box", "Other"):
                assert line.run(f"CREATE {name}")[1].startswith("OK")
            line.close()
            self.end = time.monotonic() + self.seconds
            threads = [threading.Thread(target=self.work, args=(server.port, n)) for n in range(self.count)]
            for thread in threads:
                thread.start()
            while self.kills and time.monotonic() < self.end:
                time.sleep(min(1 + random.random() * 2, self.seconds / 3))
                server.kill()
                self.killed += 1
                server.start()
            for thread in threads:
                thread.join()
            if self.failures:
                raise self.failures[0]
            self.history.judge(contents(server.port, "Box"), contents(server.port, "Other"))
        states = sum(map(len, self.history.states.values()))
        return (
            f"{self.history.commands} commands of {self.count} clients in {self.seconds:.0f} s, {self.killed} kills, "
            f"{len(self.history.born)} messages, {states} states, {len(self.history.snapshots)} views: one order explains them"
        )

    def work(self, port: int, number: int) -> None:
        try:
            client = Client(port, number, self.history)
            while time.monotonic() < self.end and not self.failures:
                self.survive(client, client.step)
            # The last kill may come after the last step.
            while not self.survive(client, client.check):
                pass
            client.line.close()
        except BaseException as error:
            self.failures.append(error)

    def survive(self, client: Client, action: Callable[[], None]) -> bool:
        """Whether it went through; where the server was killed under it, the client is connected again."""
        try:
            action()
        except OSError:
            if not self.kills:
                raise
            client.reconnect()
            return False
        return True


def contents(port: int, mailbox: str) -> dict[int, str]:
    """Subjects by UID, as somebody sees them who has just come."""
    line = Line(port, "ada")
    assert line.run(f"SELECT {mailbox}")[1].startswith("OK")
    answer, end = line.run("UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    assert end.startswith("OK"), end
    line.close()
    return {int(row.split("UID ")[1].split()[0].rstrip(")")): row.split("Subject: ")[1].split()[0] for row in answer if "Subject: " in row}


if __name__ == "__main__":
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    print(Stress(seconds, kills="kill" in sys.argv[2:]).run())
