"""`serve`: alone, over TLS, and as a gateway to a provider that goes away and comes back."""

import imaplib
import ssl
import time
from pathlib import Path

from conftest import MOTH, PASSWORD, SECONDS, USER, Cli, client, serving

ANY = ("--listen", "127.0.0.1:0", "--user", USER)


def test_what_was_acknowledged_is_there_after_a_restart_and_so_is_the_user(each: Cli, tmp_path: Path) -> None:
    store = tmp_path / "ada.mail"
    with serving(each, store, *ANY) as server:
        assert (server["url"], server["password"]) == (f"imap://ada@127.0.0.1:{server['port']}", None)
        with client(server["port"]) as connection:
            names = {line.split(b" ")[-1].strip(b'"') for line in connection.list()[1] if isinstance(line, bytes)}
            assert {b"INBOX", b"Archive", b"Drafts", b"Sent", b"Trash", b"Junk"} <= names
            assert connection.append("INBOX", None, None, MOTH)[0] == "OK"  # type: ignore[arg-type]
    with serving(each, store, *ANY, MAILTIDE_SERVER_PASSWORD="") as server, client(server["port"]) as connection:
        assert connection.select("INBOX") == ("OK", [b"1"])


def test_a_password_that_is_made_up_is_told_once(cli: Cli, tmp_path: Path) -> None:
    with serving(cli, tmp_path / "ada.mail", *ANY, "--new-password") as server:
        assert len(server["password"]) == 19
        with client(server["port"], server["password"]) as connection:
            assert connection.select("INBOX")[0] == "OK"


def test_tls_has_a_certificate_of_its_own_that_stays(cli: Cli, tmp_path: Path) -> None:
    for _ in range(2):
        with serving(cli, tmp_path / "ada.mail", *ANY, "--tls") as server:
            context = ssl.create_default_context(cafile=server["certificate"])
            connection = imaplib.IMAP4_SSL("localhost", server["port"], ssl_context=context, timeout=SECONDS)
            assert connection.login(USER, PASSWORD)[0] == "OK" and server["url"].startswith("imaps://")
            connection.logout()


def test_nobody_is_served_without_a_password_or_beyond_this_machine_without_tls(cli: Cli, tmp_path: Path) -> None:
    ended = cli.run("serve", tmp_path / "ada.mail", "--listen", "127.0.0.1:0")
    assert ended.returncode == 3 and "--new-password" in ended.stderr
    ended = cli.run("serve", tmp_path / "ada.mail", "--listen", "0.0.0.0:0", "--new-password")
    assert ended.returncode == 2 and "TLS" in ended.stderr
    assert cli.run("serve", tmp_path / "ada.mail", "--listen", "here").returncode == 2


def test_a_gateway_serves_what_the_provider_has_and_goes_on_without_it(cli: Cli, tmp_path: Path) -> None:
    far = Cli("binary", tmp_path / "far")
    with serving(far, tmp_path / "provider.mail", *ANY) as provider:
        with client(provider["port"]) as connection:
            connection.append("INBOX", None, None, MOTH)  # type: ignore[arg-type]
        cli.login(provider["url"])
        with serving(cli, *ANY) as gateway:
            wait_for(gateway["port"], "INBOX", 1)
            with client(gateway["port"]) as near:
                near.append("INBOX", None, None, MOTH.replace(b"<moth@", b"<second@"))  # type: ignore[arg-type]
            wait_for(provider["port"], "INBOX", 2)
    with serving(cli, *ANY) as gateway, client(gateway["port"]) as near:
        near.select("INBOX")
        assert near.fetch("1", "(BODY.PEEK[])")[1][0][1] == MOTH  # type: ignore[index]
        near.store("1", "+FLAGS", "\\Flagged")
    with serving(far, tmp_path / "provider.mail", "--listen", f"127.0.0.1:{provider['port']}", "--user", USER):
        assert cli.json("sync")[0]["total"]["applied"] == 1
        with client(provider["port"]) as connection:
            connection.select("INBOX")
            assert connection.search(None, "FLAGGED")[1] == [b"1"]


def wait_for(port: int, mailbox: str, count: int) -> None:
    """Returns when the mailbox is there and has so many messages."""
    with client(port) as connection:
        until = time.monotonic() + SECONDS
        while connection.select(mailbox) != ("OK", [b"%d" % count]):
            assert time.monotonic() < until, f"{mailbox} has not come to {count}"
            time.sleep(0.05)
