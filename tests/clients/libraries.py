"""The story of `test_libraries.py` in each of Python's libraries: libraries.py NAME PORT. Run by the Python that has them.

INBOX holds one, two and three: tell their subjects and the text of one; flag one, move two to Archive, remove three,
append four, and tell what a search for it finds.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

from servers.private import PASSWORD

FOUR = b"Subject: four\r\nFrom: ada@example.org\r\n\r\nabout four\r\n"


def imapclient(port: int) -> dict[str, Any]:
    from imapclient import IMAPClient

    with IMAPClient("127.0.0.1", port, ssl=False) as client:
        client.login("ada", PASSWORD)
        client.select_folder("INBOX")
        rows = client.fetch([1, 2, 3], ["ENVELOPE", "BODY.PEEK[TEXT]", "BODYSTRUCTURE", "INTERNALDATE"])
        subjects = [row[b"ENVELOPE"].subject.decode() for row in rows.values()]
        text = rows[1][b"BODY[TEXT]"].decode()
        client.add_flags(1, [b"\\Flagged"])
        client.move(2, "Archive")
        client.delete_messages(3)
        client.uid_expunge(3)
        client.append("INBOX", FOUR)
        return {"subjects": subjects, "text": text, "found": len(client.search(["SUBJECT", "four"], "UTF-8"))}


def imap_tools(port: int) -> dict[str, Any]:
    from imap_tools import AND, MailBoxUnencrypted

    with MailBoxUnencrypted("127.0.0.1", port).login("ada", PASSWORD) as box:
        mails = list(box.fetch(mark_seen=False))
        box.flag(mails[0].uid, ["\\Flagged"], True)
        box.move(mails[1].uid, "Archive")
        box.delete(mails[2].uid)
        box.append(FOUR, "INBOX")
        found = box.uids(AND(subject="four"))
        return {"subjects": [mail.subject for mail in mails], "text": mails[0].text, "found": len(found)}


def aioimaplib(port: int) -> dict[str, Any]:
    return asyncio.run(with_aioimaplib(port))


async def with_aioimaplib(port: int) -> dict[str, Any]:
    from aioimaplib import IMAP4

    client = IMAP4("127.0.0.1", port)
    await client.wait_hello_from_server()
    await client.login("ada", PASSWORD)
    await client.select("INBOX")
    subjects = []
    for number in "123":
        lines = (await client.uid("fetch", number, "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")).lines
        subjects.append(bytes(lines[1]).decode().split()[1])
    text = bytes((await client.uid("fetch", "1", "(BODY.PEEK[TEXT])")).lines[1]).decode()
    await client.uid("store", "1", r"+FLAGS (\Flagged)")
    await client.uid("move", "2", "Archive")
    await client.uid("store", "3", r"+FLAGS (\Deleted)")
    await client.expunge()
    idle = await client.idle_start(timeout=20)
    other = IMAP4("127.0.0.1", port)
    await other.wait_hello_from_server()
    await other.login("ada", PASSWORD)
    await other.append(FOUR, "INBOX")
    pushed = await client.wait_server_push()
    client.idle_done()
    await asyncio.wait_for(idle, 10)
    assert b"2 EXISTS" in pushed, pushed
    found = (await client.uid_search("SUBJECT four")).lines[0].split()
    await other.logout()
    await client.logout()
    return {"subjects": subjects, "text": text, "found": len(found)}


if __name__ == "__main__":
    name, port = sys.argv[1:]
    print(json.dumps({"imapclient": imapclient, "imap_tools": imap_tools, "aioimaplib": aioimaplib}[name](int(port))))
