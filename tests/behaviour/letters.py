"""Messages of the scenarios, and how they are run."""

import asyncio
from collections.abc import Coroutine
from email.message import EmailMessage
from typing import Any

#: No scenario may take longer, in seconds.
PATIENCE = 60


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Runs a scenario to its end; one that hangs fails."""
    asyncio.run(asyncio.wait_for(scenario, PATIENCE))


def letter(number: int, body: str = "Hello") -> bytes:
    """A small message; its number is in subject and body."""
    return (
        f"From: Grace Hopper <grace@example.org>\r\nTo: ada@example.org\r\nSubject: Letter {number}\r\n"
        f"Message-ID: <{number}@example.org>\r\nDate: Mon, 13 Oct 2025 10:00:00 +0200\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{body} {number}\r\n"
    ).encode()


def with_attachment(content: bytes) -> bytes:
    """Text, HTML and a file with a name outside ASCII."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Zoë <zoe@example.org>", "ada@example.org", "Möwe über dem Meer"
    message.set_content("Grüße vom Meer\n")
    message.add_alternative("<p>Grüße vom <b>Meer</b></p>\n", subtype="html")
    message.add_attachment(content, maintype="application", subtype="octet-stream", filename="Größe.bin")
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


#: 8-bit bytes that are no UTF-8, a dot alone on a line, a long line, no line end at the end.
ODD = (
    b"From: ada@example.org\r\nSubject: m\xf6we\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\nGr\xfc\xdfe\r\n.\r\n" + b"x" * 2000 + b"\r\nend"
)
