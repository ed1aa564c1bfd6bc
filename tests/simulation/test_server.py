#!/usr/bin/env python3
"""The engine's server under several clients at once: what each was told adds up to what is there."""

import random
import re
import threading
import unittest

from test_model import Line, Ours

CLIENTS = 6
COMMANDS = 60
MESSAGE = b"Subject: note\r\nFrom: ada@example.org\r\n\r\nsome text\r\n"
FLAGS = [r"\Seen", r"\Flagged", r"\Draft", "$Work", "$Later"]


class Client:
    """Does things at random, and keeps what it is told: UIDs by sequence number, flags by UID."""

    def __init__(self, port: int, seed: int) -> None:
        self.random = random.Random(seed)
        self.line = Line(port, "ada")
        self.uids: list[int | None] = []
        self.flags: dict[int, set[str]] = {}
        self.seen_uids: set[int] = set()
        self.failure: BaseException | None = None
        self.do("SELECT Box")

    def do(self, command: str, literal: bytes | None = None) -> str:
        """Gives a command, and takes in what comes before its end."""
        answer, end = self.line.run(command, literal)
        assert end.startswith("OK"), (command, end)
        for response in answer:
            self.hear(response, command)
        return end

    def hear(self, response: str, command: str) -> None:
        if told := re.match(r"\* (\d+) EXISTS", response):
            count = int(told[1])
            assert count >= len(self.uids), f"{response} where {len(self.uids)} were known ({command})"
            self.uids += [None] * (count - len(self.uids))
        elif told := re.match(r"\* (\d+) EXPUNGE", response):
            assert not re.match("FETCH|STORE|SEARCH", command), f"{response} in the middle of {command}"
            del self.uids[int(told[1]) - 1]
        elif told := re.match(r"\* (\d+) FETCH \((.*)\)", response):
            self.row(int(told[1]), told[2], response)

    def row(self, number: int, items: str, response: str) -> None:
        assert number <= len(self.uids), f"{response} of {len(self.uids)}"
        known = self.uids[number - 1]
        if uid := re.search(r"UID (\d+)", items):
            assert known in (None, int(uid[1])), f"{response}, but its UID was {known}"
            known = self.uids[number - 1] = int(uid[1])
        flags = re.search(r"FLAGS \(([^)]*)\)", items)
        if known is not None and flags:
            self.flags[known] = set(flags[1].split())

    def learn(self) -> None:
        """Asks for what EXISTS does not say."""
        self.do("NOOP")
        if self.uids:
            self.do("FETCH 1:* (UID FLAGS)")

    def number(self) -> int:
        return self.random.randint(1, len(self.uids))

    def step(self) -> None:
        verb = self.random.choice(["append", "append", "flag", "flag", "unflag", "delete", "expunge", "move", "fetch", "noop"])
        if verb == "append" or not self.uids:
            self.do(f"APPEND Box {{{len(MESSAGE)}}}", MESSAGE)
        elif verb in ("flag", "unflag"):
            sign = "+" if verb == "flag" else "-"
            self.do(f"STORE {self.number()} {sign}FLAGS ({self.random.choice(FLAGS)})")
        elif verb == "delete":
            self.do(rf"STORE {self.number()} +FLAGS (\Deleted)")
        elif verb == "expunge":
            self.do("EXPUNGE")
        elif verb == "move":
            self.do(f"MOVE {self.number()} Other")
        elif verb == "fetch":
            self.do(f"FETCH {self.number()}:* (UID FLAGS)")
        else:
            self.do("NOOP")

    def run(self) -> None:
        try:
            for _ in range(COMMANDS):
                self.step()
        except BaseException as error:
            self.failure = error

    def picture(self) -> list[tuple[int | None, list[str]]]:
        return [(uid, sorted(self.flags.get(uid or 0, set()))) for uid in self.uids]


class ManyClients(unittest.TestCase):
    def test_all_clients_end_with_the_same_picture(self) -> None:
        with Ours() as server:
            setup = Line(server.port, "ada")
            setup.run("CREATE Box")
            setup.run("CREATE Other")
            setup.close()
            clients = [Client(server.port, seed) for seed in range(CLIENTS)]
            threads = [threading.Thread(target=client.run) for client in clients]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for client in clients:
                if client.failure:
                    raise client.failure
            # What they were told so far, and a look at everything, agree with who has just come.
            for client in clients:
                client.do("NOOP")
            fresh = Client(server.port, 99)
            fresh.learn()
            for client in clients:
                told = dict(client.flags)
                client.learn()
                self.assertEqual(client.picture(), fresh.picture())
                for uid, flags in told.items():
                    if uid in client.uids:
                        self.assertEqual(flags, client.flags[uid], f"a change of {uid} was not told")
            self.assertEqual(fresh.uids, sorted(uid or 0 for uid in fresh.uids))
            for client in [*clients, fresh]:
                client.line.close()


if __name__ == "__main__":
    unittest.main()
