"""Makes mail from a seed: the same arguments give the same bytes on every machine.

Shapes and sizes follow real mailboxes: most messages are a few kilobytes of plain or alternative text, a fifth
carries attachments, some are forwarded messages, and a third answers an earlier one.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TypeVar

from mailgen import mime, words

T = TypeVar("T")
START = datetime(2025, 1, 6, 8, 0, tzinfo=UTC)
NOISE_BYTES = 1 << 20
LARGEST_ATTACHMENT = 3_000_000


@dataclass(frozen=True)
class Mail:
    """One message and where it belongs; `mailbox` is a path, to be joined with a server's delimiter."""

    mailbox: tuple[str, ...]
    flags: tuple[str, ...]
    received: datetime
    subject: str
    raw: bytes


@dataclass
class Thread:
    """What an answer needs of the messages before it."""

    subject: str
    language: tuple[str, list[str], int]
    ids: list[str] = field(default_factory=list)


def messages(count: int, seed: int = 1) -> Iterator[Mail]:
    """`count` messages, oldest first."""
    generator = Generator(seed)
    return (generator.message() for _ in range(count))


class Generator:
    """The source behind `messages`; take one message at a time where their number is not known."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.number = 0
        self.seed = seed
        self.now = START
        self.people = [self.person(i) for i in range(60)]
        self.noise = self.random.randbytes(NOISE_BYTES)
        self.threads: list[Thread] = []

    def message(self) -> Mail:
        self.number += 1
        self.now += timedelta(minutes=self.random.expovariate(1 / 47))
        thread, is_answer = self.thread()
        identity = f"{self.number}.{self.random.getrandbits(48):012x}@{self.random.choice(words.DOMAINS)}"
        subject = f"Re: {thread.subject}" if is_answer else thread.subject
        raw = self.top(thread, identity, subject) + self.content(thread)
        thread.ids.append(identity)
        return Mail(self.weighted(words.MAILBOXES)[0], self.flags(), self.now.replace(microsecond=0), subject, raw)

    def thread(self) -> tuple[Thread, bool]:
        """An earlier thread to answer in, or a new one."""
        if self.threads and self.random.random() < 0.34:
            return self.random.choice(self.threads[-40:]), True
        language = self.weighted(words.LANGUAGES)
        self.threads.append(Thread(self.subject(language[1]), language))
        return self.threads[-1], False

    def top(self, thread: Thread, identity: str, subject: str) -> bytes:
        charset = thread.language[0]
        sender, *receivers = self.random.sample(self.people, self.random.choice([2, 2, 2, 3, 5]))
        lines = [
            mime.header("Date", format_datetime(self.now.replace(microsecond=0))),
            f"From: {mime.address(*sender, charset)}\r\n",
            "To: " + ",\r\n ".join(mime.address(*r, charset) for r in receivers) + "\r\n",
            mime.header("Subject", subject, charset),
            f"Message-ID: <{identity}>\r\n",
        ]
        if thread.ids:
            lines.append(f"In-Reply-To: <{thread.ids[-1]}>\r\n")
            lines.append("References: " + "\r\n ".join(f"<{i}>" for i in thread.ids[-10:]) + "\r\n")
        if self.random.random() < 0.15:
            lines.append("List-Id: Moths in relays <moths.lists.example.org>\r\n")
        lines.append("MIME-Version: 1.0\r\n")
        return "".join(lines).encode()

    def content(self, thread: Thread) -> bytes:
        """The Content fields and the body, in one of the shapes that mail has."""
        charset = thread.language[0]
        text = self.text(thread.language)
        shape = self.random.random()
        if shape < 0.40:
            return mime.text_part(text, charset, encoding=self.text_encoding(charset))
        if shape < 0.72:
            return self.alternative(text, charset)
        if shape < 0.80:
            return self.related(text, charset)
        if shape < 0.97:
            files = [self.attachment() for _ in range(self.random.choice([1, 1, 1, 2, 3]))]
            body = self.alternative(text, charset) if self.random.random() < 0.5 else mime.text_part(text, charset)
            return mime.multipart("mixed", self.boundary(), [body, *files])
        return self.forwarded(text, charset)

    def alternative(self, text: str, charset: str) -> bytes:
        parts = [mime.text_part(text, charset), mime.text_part(as_html(text), charset, "html")]
        return mime.multipart("alternative", self.boundary(), parts)

    def related(self, text: str, charset: str) -> bytes:
        """HTML with a picture of its own, which is not an attachment."""
        picture = f"logo.{self.number}@example.org"
        html = as_html(text).replace("</body>", f'<img src="cid:{picture}"></body>')
        image = mime.file_part(self.bytes(self.size(4_000)), "image/png", "logo.png", "inline", picture)
        parts = [mime.text_part(html, charset, "html"), image]
        return mime.multipart("related", self.boundary(), parts, '; type="text/html"')

    def forwarded(self, text: str, charset: str) -> bytes:
        """A message inside a message."""
        language = self.weighted(words.LANGUAGES)
        thread = Thread(self.subject(language[1]), language)
        inner = self.top(thread, f"inner.{self.number}@example.org", thread.subject) + self.alternative(
            self.text(language), language[0]
        )
        note = b"Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n"
        return mime.multipart("mixed", self.boundary(), [mime.text_part(text, charset), note + inner])

    def attachment(self) -> bytes:
        media_type, extension, median, _ = self.weighted(words.ATTACHMENTS)
        size = min(self.size(median), LARGEST_ATTACHMENT)
        data = mime.wrap_csv(size // 12, self.number) if extension == "csv" else self.bytes(size)
        return mime.file_part(data, media_type, f"{self.random.choice(words.FILE_STEMS)}.{extension}")

    def text(self, language: tuple[str, list[str], int]) -> str:
        """Paragraphs up to a size that a log-normal law gives: 1.2 kB in the middle, 20 kB now and then."""
        lines, left = [], self.size(1_200)
        spaced = language[1][0].isascii() or language[1][0] < "\u3000"
        while left > 0:
            line = (" " if spaced else "").join(self.random.choices(language[1], k=self.random.randint(3, 11)))
            lines.append(line if self.random.random() > 0.12 else line + "\n")
            left -= len(line)
        return "\n".join(lines) + "\n"

    def text_encoding(self, charset: str) -> str | None:
        """Some programs send base64 or raw 8-bit text where most send quoted-printable."""
        if charset in ("us-ascii", "iso-2022-jp"):
            return None
        return self.random.choice(["8bit", "base64", None, None])

    def subject(self, vocabulary: list[str]) -> str:
        return " ".join(self.random.choices(vocabulary, k=self.random.randint(2, 7)))

    def flags(self) -> tuple[str, ...]:
        chances = [("\\Seen", 0.7), ("\\Answered", 0.15), ("\\Flagged", 0.06), ("$Forwarded", 0.03)]
        return tuple(flag for flag, chance in chances if self.random.random() < chance)

    def person(self, number: int) -> tuple[str | None, str]:
        first, last = self.random.choice(words.FIRST_NAMES), self.random.choice(words.LAST_NAMES)
        name = f"{first} {last}" if self.random.random() < 0.9 else None
        return name, f"user{number}@{self.random.choice(words.DOMAINS)}"

    def size(self, median: int) -> int:
        return int(median * math.exp(self.random.gauss(0, 0.9)))

    def bytes(self, size: int) -> bytes:
        start = self.random.randrange(NOISE_BYTES)
        repeats = (start + size) // NOISE_BYTES + 1
        return (self.noise * repeats)[start : start + size]

    def boundary(self) -> str:
        return f"=_{self.number}_{self.random.getrandbits(64):016x}"

    def weighted(self, table: Sequence[T]) -> T:
        return self.random.choices(table, weights=[row[-1] for row in table])[0]  # type: ignore[index]


def as_html(text: str) -> str:
    paragraphs = "\n".join(f"<p>{line}</p>" for line in text.splitlines() if line)
    return f"<html><body>\n{paragraphs}\n</body></html>\n"
