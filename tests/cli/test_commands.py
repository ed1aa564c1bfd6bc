"""What each command prints and how it ends, from the binary, the Python package and the npm package."""

import contextlib
import json
import os
import pty
import select
import signal
import socket
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import ENTRIES, MOTH, PASSWORD, SECONDS, Cli, client, fill, serving
from mailtide import blocking, testing
from servers.sink import Sink


def test_an_account_is_set_up_mirrored_and_read_without_a_network(each: Cli, tmp_path: Path) -> None:
    with serving(each, tmp_path / "server.mail", "--listen", "127.0.0.1:0", "--user", "ada") as server:
        fill(server["port"])
        each.login(server["url"])
        (report,) = each.json("sync")
        assert (report["total"]["added"], report["problems"], report["stuck"]) == (30, [], [])
        (found,) = each.json("doctor")
        assert found["store"]["damage"] == [] and found["server"]["quirks"] == []
        assert {"capability": "IDLE", "there": True}.items() <= next(
            e for e in found["server"]["extensions"] if e["capability"] == "IDLE"
        ).items()
    inbox = next(box for box in each.json("ls") if box["mailbox"] == "INBOX")
    assert (inbox["messages"], inbox["unread"], inbox["role"]) == (30, 11, "inbox")
    newest, *rest = each.json("ls", "INBOX", "-n", "5")
    assert len(rest) == 4 and newest["subject"].startswith("Moth in relay 70")
    (shown,) = each.json("show", str(newest["uid"]))
    assert shown["text"].startswith("First actual case") and shown["attachments"][0]["filename"] == "log.csv"
    assert [m["uid"] for m in each.json("search", "subject:70", "has:attachment")] == [newest["uid"]]
    assert each.done("--version").startswith("mailtide ")


def test_what_somebody_deletes_on_the_server_is_listed_and_restored(cli: Cli, tmp_path: Path) -> None:
    with serving(cli, tmp_path / "server.mail", "--listen", "127.0.0.1:0", "--user", "ada") as server:
        fill(server["port"])
        cli.login(server["url"])
        cli.done("sync")
        assert cli.done("ls", "--deleted").splitlines()[1:] == []
        with client(server["port"]) as connection:
            connection.select("INBOX")
            connection.uid("STORE", "29:30", "+FLAGS", "(\\Deleted)")
            connection.expunge()
        cli.done("sync")
        newest, other = cli.json("ls", "--deleted")
        assert newest["subject"].startswith("Moth in relay 70") and newest["mailboxes"] == ["INBOX"] and newest["held"]
        assert "Grace Hopper" in cli.done("ls", "--deleted", "-n", "1")
        (placed,) = cli.json("restore", str(newest["id"]))
        assert placed == {"id": newest["id"], "mailbox": "INBOX", "uid": 31}
        assert [one["id"] for one in cli.json("ls", "--deleted")] == [other["id"]]
        cli.done("sync")
        with client(server["port"]) as connection:
            assert connection.select("INBOX")[1] == [b"29"]
    for words, code in [(["restore"], 2), (["restore", "x"], 2), (["restore", "999"], 1), (["ls", "INBOX", "--deleted"], 2)]:
        assert cli.run(*words).returncode == code, words


def test_a_parked_change_is_listed_tried_again_or_dropped(each: Cli) -> None:
    with testing.BlockingServer() as server:
        each.done("login", "home", server.url, "--password-command", f"echo {server.password}")
        assert each.json("pending") == [] and "confirmed everything" in each.run("pending").stderr
        with blocking.open(each.home / "data/mailtide/home.mail") as mail:
            mail.create_mailbox("Log")
            mail.mailbox("Log").append(b"Subject: moth\r\n\r\n")
        server.fault("no", "CREATE", text="[CANNOT] not such a name")
        assert each.run("sync").returncode == 5
        parked, behind = each.json("pending")
        assert (parked["kind"], parked["state"], parked["reason"]) == ("create_mailbox", "parked", "name_refused")
        assert (behind["reason"], behind["behind"]) == ("behind_parked", parked["id"])
        listed = each.done("pending")
        assert "not such a name" in listed and f"Retry or drop change {parked['id']}" in listed
        assert each.json("pending", "retry", str(parked["id"])) == [{"id": parked["id"], "retried": True}]
        server.fault("no", "CREATE", text="[CANNOT] still not")
        assert each.run("sync").returncode == 5
        (dropped,) = each.json("pending", "drop", str(parked["id"]))
        assert parked["id"] in dropped["dropped"]
        assert all(change["state"] == "waiting" for change in each.json("pending"))
    for words, code in [(["retry", "999"], 2), (["drop"], 2), (["drop", "x"], 2), (["keep", "1"], 2)]:
        assert each.run("pending", *words).returncode == code, words


def test_what_people_see_never_steers_their_terminal(cli: Cli, provider: dict[str, Any]) -> None:
    cli.login(provider["url"])
    cli.done("sync")
    uid = str(cli.json("ls", "INBOX", "-n1")[0]["uid"])
    for words in (["ls", "INBOX"], ["show", uid], ["show", uid, "--headers"], ["search", "moth"], ["ls", "--json"],
                  ["show", uid, "--json"]):  # fmt: skip
        out = cli.done(*words)
        assert "\x1b" not in out and "Moth in relay" in out or words[:2] == ["ls", "--json"], words
    raw = subprocess.run([*ENTRIES["binary"], "show", uid, "--raw"], env=cli.environment, capture_output=True, check=True)
    assert raw.stdout == MOTH
    cli.done("show", uid, "--save", cli.home / "saved")
    assert (cli.home / "saved/log.csv").read_bytes() == b"1545,moth"


def test_a_terminal_gets_colours_and_others_do_not(cli: Cli, provider: dict[str, Any]) -> None:
    cli.login(provider["url"])
    assert "█" in on_a_terminal(cli, "sync")
    assert "\x1b[1m" in on_a_terminal(cli, "ls", "INBOX")
    assert "\x1b" not in on_a_terminal(cli, "ls", "INBOX", NO_COLOR="1")
    narrow = on_a_terminal(cli, "ls", "INBOX", COLUMNS="50", NO_COLOR="1")
    assert max(len(line) for line in narrow.splitlines()) <= 50


def test_exit_codes_say_what_happened(each: Cli, provider: dict[str, Any], tmp_path: Path) -> None:
    each.login(provider["url"])
    nobody = f"imap://ada@127.0.0.1:{free_port()}"
    for words, typed, exit_code, error in [
        (["lst"], "", 2, "usage.argument"),
        (["ls", "--limit", "many", "INBOX"], "", 2, "usage.argument"),
        (["search", "from:"], "", 2, "query.syntax"),
        (["ls", "--account", "other"], "", 2, "usage.argument"),
        (["ls", "No such mailbox"], "", 1, "mailbox.missing"),
        (["ls", "--store", tmp_path / "none.mail"], "", 1, "file.io"),
        (["login", "two", provider["url"]], "wrong\n", 3, "auth.rejected"),
        (["login", "two", provider["url"]], "", 3, "auth.missing"),
        (["login", "two", nobody], "x\n", 4, "net.connect"),
    ]:
        ended = each.run(*words, "--json", typed=typed)
        told = json.loads(ended.stderr.splitlines()[-1])
        assert (ended.returncode, told["error"], told["exit"], ended.stdout) == (exit_code, error, exit_code, ""), words
        assert "Traceback" not in ended.stderr
        assert error in each.run(*words, typed=typed).stderr
    assert "two" not in each.config.read_text()
    assert each.run("--help").returncode == 0 and "Exit codes" in each.done("--help")


def test_ctrl_c_ends_a_command_that_waits(each: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        each.config.parent.mkdir(parents=True)
        port = silent.getsockname()[1]
        each.config.write_text(f'[accounts.a]\nurl = "imap://ada@127.0.0.1:{port}"\npassword_command = "echo x"\n')
        process = each.start("sync")
        with silent.accept()[0]:
            process.send_signal(signal.SIGINT)
            out, errors = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, errors) == (130, "", "")


def test_a_reader_that_has_had_enough_is_no_error(cli: Cli, provider: dict[str, Any]) -> None:
    cli.login(provider["url"])
    cli.done("sync")
    process = cli.start("ls", "INBOX", "--json")
    assert process.stdout and process.stderr
    process.stdout.close()
    assert "panic" not in process.stderr.read() and process.wait() in (0, 130)


def test_messages_are_sent_and_what_was_refused_is_told(cli: Cli, tmp_path: Path, sink: Sink) -> None:
    with serving(cli, tmp_path / "server.mail", "--listen", "127.0.0.1:0", "--user", "ada") as server:
        fill(server["port"])
        cli.login(server["url"], "--smtp", sink.url)
        cli.done("sync")
        (sent,) = cli.json("send", "--to", "Grace <grace@example.org>", "-s", "Wings", typed="Seen them.\n")
        assert (sent["state"], sent["copy"], sent["recipients"][0]["state"]) == ("accepted", "filed", "accepted")
        assert b"Subject: Wings\r\n" in sink.taken[0] and b"Seen them." in sink.taken[0]
        answered = cli.json("ls", "INBOX", "-n1")[0]["uid"]
        cli.done("send", "--reply", str(answered), "--text", "It is in the log.", "--attach", cli.config)
        assert b'To: "Grace Hopper" <grace@example.org>\r\n' in sink.taken[1] and b"In-Reply-To: <moth@" in sink.taken[1]
        assert "\\Answered" in cli.json("ls", "INBOX", "-n1")[0]["flags"]
        refused = cli.run("send", "--to", "nobody@example.org", "--text", "x", "--json")
        assert (refused.returncode, json.loads(refused.stdout)["state"]) == (1, "rejected")
        some = cli.run("send", "--to", "nobody@example.org, grace@example.org", "--text", "x", "--json")
        assert (some.returncode, json.loads(some.stdout)["state"]) == (5, "accepted")
        cli.done("sync")
        assert next(box for box in cli.json("ls") if box["mailbox"] == "Sent")["messages"] == 3
    queued = cli.json("send", "--to", "grace@example.org", "--text", "x", "--queue")
    assert queued[0]["state"] == "queued"
    sink.server_close()
    waits = cli.run("send", "--to", "grace@example.org", "--text", "x", "--json")
    assert (waits.returncode, json.loads(waits.stdout)["trouble"]["error"]) == (5, "net.connect")


def test_what_happens_is_told_from_where_it_was_left(each: Cli, tmp_path: Path) -> None:
    store = tmp_path / "server.mail"
    with serving(each, store, "--listen", "127.0.0.1:0", "--user", "ada") as server:
        each.login(server["url"])
        each.done("sync")
        watching = each.start("watch", "--json")
        with client(server["port"]) as connection:
            connection.append("INBOX", None, None, MOTH)  # type: ignore[arg-type]
        event = next_event(watching, "new")
        assert event["message"]["subject"].startswith("Moth in relay")
        watching.send_signal(signal.SIGTERM)
        assert watching.wait(SECONDS) == 0
        with client(server["port"]) as connection:
            connection.select("INBOX")
            connection.store("1", "+FLAGS", "\\Flagged")
        later = each.start("watch", "INBOX", "--json", "--since", event["cursor"])
        assert next_event(later, "flags")["added"] == ["\\Flagged"]
        later.send_signal(signal.SIGINT)
        assert later.wait(SECONDS) == 0


def next_event(process: subprocess.Popen[str], kind: str) -> Any:
    assert process.stdout
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == kind:
            return event
    pytest.fail(f"it ended with {process.wait()} before {kind}: {process.stderr and process.stderr.read()}")


def on_a_terminal(cli: Cli, *words: str, **extra: str) -> str:
    """What a terminal would show, of both streams."""
    own, other = pty.openpty()
    process = subprocess.Popen([*ENTRIES[cli.entry], *words], env=cli.environment | {"TERM": "xterm"} | extra,
                               stdin=other, stdout=other, stderr=other)  # fmt: skip
    os.close(other)
    out = b""
    while select.select([own], [], [], SECONDS)[0]:
        try:
            piece = os.read(own, 65536)
        except OSError:
            break
        if not piece:
            break
        out += piece
    os.close(own)
    assert process.wait() == 0, out
    return out.decode()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def test_a_store_that_cannot_be_opened_is_reported_and_repaired(cli: Cli, provider: dict[str, Any]) -> None:
    cli.login(provider["url"])
    cli.done("sync")
    store = next((cli.home / "data/mailtide").glob("*.mail"))
    with contextlib.closing(sqlite3.connect(store)) as whoever:
        whoever.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = bytearray(store.read_bytes())
    whole[100:4096] = bytes(3996)  # All of the first page but the file's own header: SQLite's schema.
    store.write_bytes(whole)
    ended = cli.run("doctor", "--offline", "--json")
    assert ended.returncode == 5
    found = json.loads(ended.stdout)["store"]
    assert found["messages"] is None and "--repair" in found["damage"][0]
    ended = cli.run("doctor", "--offline", "--repair")
    assert "Repaired." in ended.stdout + ended.stderr and ended.returncode == 0, ended
    cli.done("sync")
    assert len(cli.json("ls", "INBOX")) > 0


def test_the_password_is_nowhere(cli: Cli, provider: dict[str, Any]) -> None:
    cli.login(provider["url"])
    for words in (["sync"], ["doctor"], ["ls"], ["doctor", "--json"]):
        ended = cli.run(*words)
        assert PASSWORD not in ended.stdout + ended.stderr, words
    store = next((cli.home / "data/mailtide").glob("*.mail")).read_bytes()
    assert PASSWORD.encode() not in store
