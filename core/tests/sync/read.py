"""Prints all mail of an account as JSON, read by imaplib: read.py HOST PORT USER PASSWORD."""

import base64
import imaplib
import json
import re
import sys


def decode(name: str) -> str:
    """Modified UTF-7 (RFC 3501 section 5.1.3)."""
    def shifted(match: re.Match[str]) -> str:
        text = match.group(1).replace(",", "/")
        return base64.b64decode(text + "=" * (-len(text) % 4)).decode("utf-16-be") if text else "&"

    return re.sub(r"&([^-]*)-", shifted, name)


def main() -> None:
    host, port, user, password = sys.argv[1:]
    everything: dict[str, list[list[str]]] = {}
    with imaplib.IMAP4(host, int(port)) as imap:
        imap.login(user, password)
        for line in imap.list()[1]:
            name = re.sub(rb'^\([^)]*\) "[^"]*" ', b"", line).strip(b'"').decode()
            status, _ = imap.select(f'"{name}"', readonly=True)
            if status != "OK":
                continue
            rows = []
            for item in imap.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")[1] or []:
                if not isinstance(item, tuple):
                    continue
                found = re.search(rb"FLAGS \(([^)]*)\)", item[0])
                flags = sorted(flag for flag in found.group(1).decode().split() if flag != "\\Recent")
                text = item[1].decode()
                rows.append([text.split("Subject: ")[1][:4], " ".join(flags), text])
            everything[decode(name)] = rows
    json.dump(everything, sys.stdout)


main()
