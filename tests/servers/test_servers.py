"""The servers themselves: they start beside each other, speak TLS, check passwords, and leave nothing running."""

import imaplib
import json
import os
import smtplib
import ssl
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from servers.courier import Courier
from servers.cyrus import Cyrus
from servers.dovecot import Dovecot, token
from servers.opensmtpd import OpenSmtpd
from servers.postfix import Postfix
from servers.private import alive, wait_for

HERE = Path(__file__).resolve().parent


def connect(env: dict[str, Any]) -> imaplib.IMAP4_SSL:
    context = ssl.create_default_context(cafile=env["ca"])
    return imaplib.IMAP4_SSL(env["host"], env["imaps_port"], ssl_context=context)


def try_login(env: dict[str, Any], mechanism: str, response: bytes) -> str:
    """The tagged answer's word for one SASL response."""
    client = connect(env)
    try:
        return client.authenticate(mechanism, lambda _: response)[0]
    except imaplib.IMAP4.error:
        return "NO"
    finally:
        client.shutdown()


class Servers(unittest.TestCase):
    def test_all_servers_give_a_login_over_tls_and_over_starttls(self) -> None:
        with Dovecot() as dovecot, Cyrus() as cyrus, Courier() as courier:
            for env in (dovecot.env, cyrus.env, courier.env):
                with connect(env) as client:
                    self.assertEqual(client.login(env["user"], env["password"])[0], "OK")
                    self.assertEqual(client.select("INBOX")[0], "OK")
                with imaplib.IMAP4(env["host"], env["imap_port"]) as client:
                    client.starttls(ssl.create_default_context(cafile=env["ca"]))
                    self.assertEqual(client.login(env["user"], env["password"])[0], "OK")

    def test_two_servers_of_one_kind_run_in_parallel_and_share_nothing(self) -> None:
        with Dovecot() as one, Dovecot() as other:
            self.assertNotEqual(one.env["imaps_port"], other.env["imaps_port"])
            with connect(one.env) as client:
                client.login("ada", one.env["password"])
                client.append("INBOX", "", "", b"Subject: only here\r\n\r\n.\r\n")
            with connect(other.env) as client:
                client.login("ada", other.env["password"])
                self.assertEqual(client.select("INBOX")[1], [b"0"])

    def test_dovecot_refuses_what_is_wrong_and_takes_tokens(self) -> None:
        with Dovecot() as server:
            env = server.env
            with connect(env) as client:
                self.assertIn("AUTH=SCRAM-SHA-256", client.capabilities)
                with self.assertRaisesRegex(imaplib.IMAP4.error, "AUTHENTICATIONFAILED"):
                    client.login("ada", "wrong")
            bearer = "user=ada\1auth=Bearer {}\1\1"
            self.assertEqual(try_login(env, "XOAUTH2", bearer.format(env["token"]).encode()), "OK")
            self.assertEqual(try_login(env, "XOAUTH2", bearer.format(env["expired_token"]).encode()), "NO")
            self.assertEqual(try_login(env, "XOAUTH2", bearer.format(token("grace")).encode()), "NO")
            gs2 = f"n,a=ada,\1host=localhost\1port=993\1auth=Bearer {env['token']}\1\1"
            self.assertEqual(try_login(env, "OAUTHBEARER", gs2.encode()), "OK")

    def test_courier_ends_its_connections_with_itself_and_refuses_a_wrong_password(self) -> None:
        with Courier() as server:
            with connect(server.env) as client:
                self.assertRaises(imaplib.IMAP4.error, client.login, "ada", "wrong")
                client.login("ada", server.env["password"])
            open_still = connect(server.env)
            open_still.login("ada", server.env["password"])
            server.stop()
            self.assertRaises((imaplib.IMAP4.abort, OSError), open_still.noop)
            open_still.shutdown()

    def test_plugins_bring_metadata_and_quota(self) -> None:
        with Dovecot(plugins=True) as server, connect(server.env) as client:
            client.login("ada", server.env["password"])
            words = client.capability()[1][0].decode().split()
            self.assertTrue({"METADATA", "QUOTA", "ACL"} <= set(words), words)

    def test_run_stops_the_server_when_its_caller_goes_away(self) -> None:
        for script in ("dovecot.py", "cyrus.py", "courier.py"):
            caller = subprocess.Popen([sys.executable, HERE / script, "run"], text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
            assert caller.stdout and caller.stdin
            env = json.loads(caller.stdout.readline())
            self.assertTrue(alive(env["pid"]))
            caller.stdin.close()
            self.assertEqual(caller.wait(30), 0)
            caller.stdout.close()
            self.assertFalse(alive(env["pid"]))
            self.assertFalse(Path(env["home"]).exists())

    def test_start_and_stop_are_separate_commands_too(self) -> None:
        with tempfile.TemporaryDirectory() as home:
            script = [sys.executable, str(HERE / "dovecot.py")]
            started = subprocess.run([*script, "start", "--home", home], check=True, capture_output=True, text=True)
            env = json.loads(started.stdout)
            shown = subprocess.run([*script, "env", "--home", home], check=True, capture_output=True, text=True)
            self.assertEqual(json.loads(shown.stdout), env)
            subprocess.run([*script, "stop", "--home", home], check=True)
            self.assertFalse(alive(env["pid"]))


@unittest.skipUnless(os.getuid() == 0, "Postfix and OpenSMTPD start as root only")
class SmtpServers(unittest.TestCase):
    def test_both_take_mail_and_leave_nothing_running(self) -> None:
        pids: list[int] = []
        with Postfix() as postfix, OpenSmtpd() as opensmtpd:
            pids = [postfix.env["pid"], opensmtpd.env["pid"], postfix.dovecot.env["pid"]]
            for env in (postfix.env, opensmtpd.env):
                with smtplib.SMTP("127.0.0.1", env["smtp_port"]) as client:
                    client.sendmail("ada@example.org", "grace@example.org", b"Subject: moth\r\n\r\n.\r\n")
                folder = Path(env["mail"], "new")
                arrived = wait_for(lambda at=folder: at.exists() and any(at.iterdir()), 20)
                self.assertTrue(arrived, Path(env["log"]).read_text(encoding="utf-8"))
        self.assertEqual([alive(pid) for pid in pids], [False] * 3)

    def test_postfix_takes_logins_over_tls_only_and_refuses_wrong_ones(self) -> None:
        with Postfix() as server:
            env = server.env
            context = ssl.create_default_context(cafile=env["ca"])
            with smtplib.SMTP_SSL("localhost", env["smtps_port"], context=context) as client:
                client.login(env["user"], env["password"])
                self.assertEqual(client.mail("ada@example.org")[0], 250)
                self.assertEqual(client.rcpt("refused@example.org")[0], 554)
                self.assertEqual(client.rcpt("later@example.org")[0], 450)
            with smtplib.SMTP("localhost", env["smtp_port"]) as client:
                client.ehlo()
                self.assertNotIn("auth", client.esmtp_features)
                client.starttls(context=context)
                self.assertRaises(smtplib.SMTPAuthenticationError, client.login, env["user"], "wrong")


if __name__ == "__main__":
    unittest.main()
