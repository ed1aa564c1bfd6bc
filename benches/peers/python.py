"""Three Python libraries as peers: python.py LIBRARY TASK, settings in `BENCH_*` variables, one line of JSON at the end.

Each task is written as the library's own documentation would have it.
"""

import email
import email.policy
import imaplib
import json
import os
import re
import ssl
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

imaplib._MAXLINE = 10_000_000  # type: ignore[attr-defined]  # replies to one command over all messages are long lines

HOST, PORT = os.environ["BENCH_HOST"], int(os.environ["BENCH_PORT"])
TLS = os.environ["BENCH_TLS"] == "1"
USER, PASSWORD, BOX = os.environ["BENCH_USER"], os.environ["BENCH_PASS"], os.environ["BENCH_BOX"]
COUNT = int(os.environ["BENCH_N"])
HEADERS = ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODYSTRUCTURE"]
STARTED = time.monotonic()

Result = tuple[int, int]


def context() -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=os.environ["BENCH_CA"]) if TLS else None


def small() -> list[bytes]:
    data, at, messages = Path(os.environ["BENCH_SMALL"]).read_bytes(), 0, []
    while at < len(data) and len(messages) < COUNT:
        (size,) = struct.unpack_from(">I", data, at)
        messages.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return messages


def taken_apart(raw: bytes) -> tuple[Any, ...]:
    """What `parse` asks for, by the standard library."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    body = message.get_body(("plain", "html"))
    names = [part.get_filename() for part in message.iter_attachments()]
    return str(message["subject"]), str(message["from"]), message["date"], body and body.get_content(), names


class Imaplib:
    """Lines as they come: nothing of a header is parsed."""

    def __init__(self, read_only: bool) -> None:
        self.client = imaplib.IMAP4_SSL(HOST, PORT, ssl_context=context()) if TLS else imaplib.IMAP4(HOST, PORT)
        self.client.login(USER, PASSWORD)
        self.client.select(BOX, readonly=read_only)

    def noop(self) -> Result:
        return 0, 0

    def headers(self) -> Result:
        lines = self.client.fetch("1:*", f"(UID {' '.join(HEADERS)})")[1]
        heads = (line[0] if isinstance(line, tuple) else line for line in lines)
        return sum(re.match(rb"\d+ \(", head) is not None for head in heads if head), 0

    def bodies(self, parse: bool = False) -> Result:
        count = size = 0
        for first in range(1, COUNT + 1, 100):
            for item in self.client.fetch(f"{first}:{min(first + 99, COUNT)}", "(UID BODY.PEEK[])")[1]:
                if isinstance(item, tuple):
                    count, size = count + 1, size + len(item[1])
                    parse and taken_apart(item[1])
        return count, size

    def parse(self) -> Result:
        return self.bodies(parse=True)

    def append(self) -> Result:
        messages = small()
        for message in messages:
            self.client.append(BOX, None, None, message)
        return len(messages), 0

    def flags_each(self) -> Result:
        for uid in range(1, COUNT + 1):
            self.client.uid("STORE", str(uid), "+FLAGS", r"(\Seen)")
        return COUNT, 0

    def flags_set(self) -> Result:
        self.client.uid("STORE", ",".join(map(str, range(1, COUNT + 1))), "+FLAGS", r"(\Seen)")
        return COUNT, 0

    def close(self) -> None:
        self.client.logout()


class IMAPClient:
    def __init__(self, read_only: bool) -> None:
        from imapclient import IMAPClient as Client

        self.client = Client(HOST, PORT, ssl=TLS, ssl_context=context(), use_uid=True)
        self.client.login(USER, PASSWORD)
        self.client.select_folder(BOX, readonly=read_only)

    def noop(self) -> Result:
        return 0, 0

    def headers(self) -> Result:
        kept: dict[int, Any] = {}
        for uids in self.slices(8000):
            kept.update(self.client.fetch(uids, HEADERS))
        return len(kept), 0

    def bodies(self, parse: bool = False) -> Result:
        count = size = 0
        for uids in self.slices(100):
            for row in self.client.fetch(uids, ["BODY.PEEK[]"]).values():
                count, size = count + 1, size + len(row[b"BODY[]"])
                parse and taken_apart(row[b"BODY[]"])
        return count, size

    def parse(self) -> Result:
        return self.bodies(parse=True)

    def slices(self, length: int) -> Iterator[list[int]]:
        """It writes every UID, and a command line may have 64 KB with Dovecot."""
        uids = self.client.search("ALL")
        return (uids[start : start + length] for start in range(0, len(uids), length))

    def append(self) -> Result:
        messages = small()
        for message in messages:
            self.client.append(BOX, message)
        return len(messages), 0

    def flags_each(self) -> Result:
        for uid in range(1, COUNT + 1):
            self.client.add_flags(uid, [rb"\Seen"])
        return COUNT, 0

    def flags_set(self) -> Result:
        self.client.add_flags(list(range(1, COUNT + 1)), [rb"\Seen"])
        return COUNT, 0

    def close(self) -> None:
        self.client.logout()


class ImapTools:
    """It has no ENVELOPE: header blocks are fetched and parsed."""

    def __init__(self, read_only: bool) -> None:
        from imap_tools import MailBox, MailBoxUnencrypted

        box = MailBox(HOST, PORT, ssl_context=context()) if TLS else MailBoxUnencrypted(HOST, PORT)
        self.box = box.login(USER, PASSWORD, initial_folder=None)
        self.box.folder.set(BOX, readonly=read_only)

    def noop(self) -> Result:
        return 0, 0

    def headers(self) -> Result:
        fetched = self.box.fetch(mark_seen=False, headers_only=True, bulk=500)
        kept = [
            (m.uid, m.flags, m.size_rfc822, m.subject, m.from_values, m.to_values, m.cc_values, m.date) for m in fetched
        ]
        return len(kept), 0

    def bodies(self, parse: bool = False) -> Result:
        count = size = 0
        for m in self.box.fetch(mark_seen=False, bulk=100):
            count, size = count + 1, size + m.size_rfc822
            parse and (m.subject, m.from_, m.date, m.text or m.html, [a.filename for a in m.attachments])
        return count, size

    def parse(self) -> Result:
        return self.bodies(parse=True)

    def append(self) -> Result:
        messages = small()
        for message in messages:
            self.box.append(message, BOX)
        return len(messages), 0

    def flags_each(self) -> Result:
        for uid in range(1, COUNT + 1):
            self.box.flag(str(uid), r"\Seen", True)
        return COUNT, 0

    def flags_set(self) -> Result:
        self.box.flag([str(uid) for uid in range(1, COUNT + 1)], r"\Seen", True)
        return COUNT, 0

    def close(self) -> None:
        self.box.logout()


LIBRARIES = {"imaplib": Imaplib, "imapclient": IMAPClient, "imap_tools": ImapTools}


def main(library: str, task: str) -> None:
    peer: Any = LIBRARIES[library](task not in ("append", "flags-each", "flags-set"))
    messages, size = getattr(peer, task.replace("-", "_"))()
    peer.close()
    print(json.dumps({"seconds": time.monotonic() - STARTED, "messages": messages, "bytes": size}))


main(*sys.argv[1:3])
