"""Puts generated mail into an account through imaplib, which shares no code with the library under test."""

import base64
import imaplib
import ssl
from collections.abc import Iterable
from typing import Any

from mailgen.generator import Mail


def connect(env: dict[str, Any], user: str | None = None) -> imaplib.IMAP4_SSL:
    """A logged-in connection to a private server (see tests/servers)."""
    context = ssl.create_default_context(cafile=env["ca"])
    client = imaplib.IMAP4_SSL(env["host"], env["imaps_port"], ssl_context=context)
    client.login(user or env["user"], env["password"])
    return client


def fill(client: imaplib.IMAP4, mails: Iterable[Mail]) -> tuple[int, int]:
    """Appends the mail, makes the mailboxes it needs, and returns how many messages and bytes that was."""
    delimiter = hierarchy_delimiter(client)
    known = {"INBOX"}
    count = size = 0
    for mail in mails:
        name = delimiter.join(encode_name(part) for part in mail.mailbox)
        if name not in known:
            client.create(quoted(name))  # NO when it is there already, which is as good
            client.subscribe(quoted(name))
            known.add(name)
        append(client, name, mail)
        count, size = count + 1, size + len(mail.raw)
    return count, size


def append(client: imaplib.IMAP4, name: str, mail: Mail) -> None:
    flags = " ".join(mail.flags)
    word, answer = client.append(quoted(name), flags, imaplib.Time2Internaldate(mail.received), mail.raw)
    if word != "OK":
        raise RuntimeError(f"APPEND to {name}: {answer!r}")


def hierarchy_delimiter(client: imaplib.IMAP4) -> str:
    """From the answer to LIST "" "": (\\Noselect) "/" ""."""
    line: Any = client.list('""', '""')[1][0]
    return line.decode().split('"')[1]


def quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def encode_name(name: str) -> str:
    """Modified UTF-7 (RFC 3501 section 5.1.3)."""
    out, wide = [], ""
    for character in name + "\0":
        if " " <= character <= "~" or character == "\0":
            if wide:
                out.append("&" + wide_name(wide) + "-")
                wide = ""
            out.append("&-" if character == "&" else character)
        else:
            wide += character
    return "".join(out)[:-1]


def wide_name(text: str) -> str:
    return base64.b64encode(text.encode("utf-16-be")).decode().rstrip("=").replace("/", ",")
