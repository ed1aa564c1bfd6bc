#!/usr/bin/env python3
"""Many clients at once, for a few seconds; `stress.py` has the whole. And that the judge of it sees what is wrong."""

import sys
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

from clients.history import Change, History, Snapshot
from clients.stress import Stress

SEEN, FLAGGED, DELETED = "\\Seen", "\\Flagged", "\\Deleted"


class ManyClients(unittest.TestCase):
    def test_one_order_of_events_explains_what_all_clients_saw(self) -> None:
        print(Stress(3).run())

    def test_nothing_acknowledged_is_lost_where_the_server_is_killed(self) -> None:
        print(Stress(5, kills=True).run())


class Judge(unittest.TestCase):
    """A history that is right, and one thing in it that is not."""

    def setUp(self) -> None:
        self.history = History()
        self.history.born = {1: "one", 2: "two", 3: "three"}
        for uid, mod_seq, flags in [(1, 2, ()), (2, 3, ()), (3, 4, ()), (1, 5, (SEEN,)), (3, 6, (DELETED,))]:
            self.history.row(uid, mod_seq, frozenset(flags))
        self.history.changes = [Change(1, 5, "+", SEEN), Change(3, 6, "+", DELETED)]
        self.history.moves([(2, 10)])
        self.history.is_gone([3], 8)
        self.history.snapshots = [Snapshot(4, {1: 2, 2: 3, 3: 4}), Snapshot(6, {1: 5, 3: 6}), Snapshot(8, {1: 5})]
        self.left, self.other = {1: "one"}, {10: "two"}

    def is_wrong(self, reason: str) -> None:
        self.assertRaisesRegex(AssertionError, reason, self.history.judge, self.left, self.other)

    def test_what_is_right_is_believed(self) -> None:
        self.history.judge(self.left, self.other)

    def test_a_message_that_is_lost_or_doubled_is_seen(self) -> None:
        self.left[4] = "one"
        self.is_wrong("twice")
        self.left = {}
        self.is_wrong("message 1 is lost")
        self.left, self.other = {1: "one"}, {}
        self.is_wrong("the move of 2")

    def test_a_lost_update_is_seen(self) -> None:
        self.history.row(1, 9, frozenset({FLAGGED}))
        self.history.changes.append(Change(1, 9, "+", FLAGGED))
        self.is_wrong("became")

    def test_two_pictures_of_one_moment_are_seen(self) -> None:
        self.assertRaisesRegex(AssertionError, "message 1 at 5", self.history.row, 1, 5, frozenset())

    def test_a_view_that_no_moment_explains_is_seen(self) -> None:
        for wrong, reason in [
            (Snapshot(6, {1: 2, 3: 6}), "not of the change of 1 at 5"),
            (Snapshot(8, {1: 5, 3: 6}), "3 was gone at 8"),
            (Snapshot(6, {3: 6}), "did not see 1"),
        ]:
            self.history.snapshots = [wrong]
            self.is_wrong(reason)


if __name__ == "__main__":
    unittest.main()
