#!/usr/bin/env python3
"""Coming in to the engine's server by the TLS of others: Python's own and OpenSSL's."""

import imaplib
import shutil
import ssl
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from servers.ours import Ours
from servers.private import PASSWORD

PATIENCE = 60


class Access(unittest.TestCase):
    def serve(self, mode: str) -> Ours:
        server = Ours(tls=mode)
        self.addCleanup(server.__exit__)
        return server

    def certificate(self, server: Ours) -> str:
        return str(Path(server.folder.name) / "mailtide-server.crt")

    def trust(self, server: Ours) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.certificate(server))

    def test_imaplib_logs_in_after_starttls_and_not_before(self) -> None:
        server = self.serve("starttls")
        with imaplib.IMAP4("localhost", server.port, PATIENCE) as client:
            self.assertIn("STARTTLS", client.capabilities)
            with self.assertRaisesRegex(imaplib.IMAP4.error, "PRIVACYREQUIRED"):
                client.login("ada", PASSWORD)
            client.starttls(self.trust(server))
            self.assertNotIn("LOGINDISABLED", client.capabilities)
            client.login("ada", PASSWORD)
            self.assertEqual(client.select()[0], "OK")

    def test_imaplib_logs_in_over_tls_from_the_first_byte(self) -> None:
        server = self.serve("implicit")
        with imaplib.IMAP4_SSL("localhost", server.port, ssl_context=self.trust(server), timeout=PATIENCE) as client:
            client.login("ada", PASSWORD)
            self.assertEqual(client.select()[0], "OK")

    def test_openssl_shakes_hands_after_starttls(self) -> None:
        if not shutil.which("openssl"):
            self.skipTest("openssl is not installed")
        server = self.serve("starttls")
        command = ["openssl", "s_client", "-quiet", "-starttls", "imap", "-connect", f"localhost:{server.port}"]
        trusted = ["-CAfile", self.certificate(server), "-verify_return_error", "-servername", "localhost"]
        said = f"a LOGIN ada {PASSWORD}\r\nb SELECT INBOX\r\nc LOGOUT\r\n".encode()
        for version in ["-tls1_2", "-tls1_3"]:
            done = subprocess.run([*command, *trusted, version], input=said, capture_output=True, timeout=PATIENCE)
            text = (done.stdout + done.stderr).decode(errors="replace")
            self.assertIn("b OK [READ-WRITE]", text)


if __name__ == "__main__":
    unittest.main()
