"""The generator: same seed, same bytes; every message is well formed; every shape and charset occurs."""

import email
import email.policy
import hashlib
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mailgen import connect, fill, messages
from mailgen.mailbox import encode_name
from servers.dovecot import Dovecot


def digest(seed: int) -> str:
    return hashlib.sha256(b"".join(m.raw for m in messages(50, seed))).hexdigest()


class Mailgen(unittest.TestCase):
    def test_the_same_seed_gives_the_same_bytes_and_another_seed_gives_others(self) -> None:
        self.assertEqual(digest(1), digest(1))
        self.assertNotEqual(digest(1), digest(2))

    def test_every_message_is_well_formed_and_every_shape_occurs(self) -> None:
        kinds: set[str] = set()
        charsets: set[str] = set()
        answers = 0
        for mail in messages(400):
            self.assertEqual(mail.raw.count(b"\n"), mail.raw.count(b"\r\n"), "a bare line feed")
            parsed = email.message_from_bytes(mail.raw, policy=email.policy.default)
            self.assertEqual(parsed["subject"], mail.subject)
            answers += parsed["in-reply-to"] is not None
            for part in parsed.walk():
                self.assertEqual(part.defects, [], mail.subject)
                kinds.add(part.get_content_type())
                charsets.add(part.get_content_charset() or "")
        self.assertGreater(answers, 50)
        self.assertGreaterEqual(len(charsets - {""}), 9, charsets)
        wanted = {"multipart/mixed", "multipart/alternative", "multipart/related", "message/rfc822", "application/pdf"}
        self.assertEqual(wanted - kinds, set())

    def test_mailbox_names_travel_as_modified_utf_7(self) -> None:
        self.assertEqual(encode_name("moth & relay"), "moth &- relay")
        self.assertEqual(encode_name("台北"), "&U,BTFw-")
        self.assertEqual(encode_name("Ärger"), "&AMQ-rger")

    def test_an_account_is_filled_over_several_mailboxes(self) -> None:
        with Dovecot() as server, connect(server.env, "grace") as client:
            count, size = fill(client, messages(60))
            self.assertEqual(count, 60)
            self.assertGreater(size, 60 * 1000)
            stored = 0
            for line in client.list()[1]:
                if b"\\Noselect" in line:
                    continue
                name = line.decode().split(' "/" ')[1]
                stored += int(client.select(name, readonly=True)[1][0])
            self.assertEqual(stored, 60)


if __name__ == "__main__":
    unittest.main()
