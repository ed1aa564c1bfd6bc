#!/usr/bin/env python3
"""Coming in to the engine's server: by the TLS of others (Python's own, OpenSSL's), many at once, with large things."""

import imaplib
import shutil
import socket
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
MEBIBYTE = 1024


class Access(unittest.TestCase):
    def serve(self, mode: str = "") -> Ours:
        server = Ours(tls=mode) if mode else Ours()
        self.addCleanup(server.__exit__)
        return server

    def memory(self, server: Ours, what: str) -> int:
        """In KiB: VmRSS is what the server's process has, VmHWM the most that it had."""
        status = Path(f"/proc/{server.process.pid}/status")
        if not status.exists():
            self.skipTest("only Linux tells what memory a process has")
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith(what))

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

    def test_a_thousand_slow_clients_cost_little_and_keep_nobody_out(self) -> None:
        server = self.serve()
        self.memory(server, "VmRSS")
        # A line that never ends, as long as one may be before login; so many from a peer as are let in.
        begun = b"a LOGIN " + b"x" * 15_000
        slow = []
        for number in range(1000):
            client = socket.create_connection(("127.0.0.1", server.port), PATIENCE, (f"127.0.1.{number // 8 + 1}", 0))
            self.addCleanup(client.close)
            client.sendall(begun)
            slow.append(client)
        for client in slow:
            self.assertTrue(client.recv(64).startswith(b"* OK"))
        with imaplib.IMAP4("127.0.0.1", server.port, PATIENCE) as client:
            client.login("ada", PASSWORD)
            self.assertEqual(client.select()[0], "OK")
        rss = self.memory(server, "VmRSS")
        self.assertLess(rss, 64 * MEBIBYTE, "KiB for 1,000 connections")
        # Their time is over: they are sent away, whatever they send.
        for client in slow:
            while client.recv(4096):
                pass

    def test_a_large_message_costs_little_memory(self) -> None:
        server = self.serve()
        with imaplib.IMAP4("127.0.0.1", server.port, PATIENCE) as client:
            client.login("ada", PASSWORD)
            client.append("INBOX", "", "", b"Subject: small\r\n\r\ntext\r\n")
            before = self.memory(server, "VmHWM")
            large = b"Subject: large\r\n\r\n" + (b"0123456789" * 7 + b"\r\n") * 800_000
            self.assertEqual(client.append("INBOX", "", "", large)[0], "OK")
            self.assertLess(self.memory(server, "VmHWM") - before, 32 * MEBIBYTE, f"KiB for {len(large)} bytes")
            client.select()
            self.assertEqual(client.fetch("2", "(RFC822.SIZE)")[1], [f"2 (RFC822.SIZE {len(large)})".encode()])
            self.assertEqual(client.fetch("2", "(BINARY.SIZE[1] BODY[9])")[0], "OK")
            part = client.fetch("2", "(BODY[1]<50000000.100>)")[1][0]
            assert isinstance(part, tuple)
            self.assertEqual(part[1], large[50_000_018:50_000_118])
            part = client.fetch("2", "(BODY[1])")[1][0]
            assert isinstance(part, tuple)
            self.assertEqual(part[1], large[18:])
            self.assertLess(self.memory(server, "VmHWM") - before, 32 * MEBIBYTE, f"KiB for parts of {len(large)} bytes")


if __name__ == "__main__":
    unittest.main()
