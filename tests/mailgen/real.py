"""Real mail out of a corpus archive, where one is at hand."""

import email
import email.policy
import tarfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from mailgen.generator import START, Mail


def real_messages(archive: Path, count: int) -> Iterator[Mail]:
    """The first messages of a tar archive with one message a file, in the order of their names; none without it."""
    if not archive.exists():
        return
    with tarfile.open(archive) as tar:
        members = sorted((m for m in tar.getmembers() if m.isfile()), key=lambda m: m.name)
        step = max(1, len(members) // max(1, count))
        for number, member in enumerate(members[::step][:count]):
            file = tar.extractfile(member)
            raw = canonical(file.read() if file else b"")
            if raw and b"\0" not in raw:  # a NUL may not travel in a plain literal (RFC 3501 section 9, CHAR8)
                yield from_bytes(raw, number)


def from_bytes(raw: bytes, number: int) -> Mail:
    subject = str(email.message_from_bytes(raw, policy=email.policy.compat32)["subject"])
    flags = () if number % 3 == 0 else ("\\Seen",)
    return Mail(("INBOX",), flags, received(number), subject, raw)


def received(number: int) -> datetime:
    return START - timedelta(hours=number)


def canonical(raw: bytes) -> bytes:
    """Without the separator line of an mbox, and with CRLF at every line's end."""
    if raw.startswith(b"From "):
        raw = raw.partition(b"\n")[2]
    return b"\r\n".join(raw.replace(b"\r\n", b"\n").split(b"\n"))
