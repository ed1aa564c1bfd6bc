"""The demo from the installed packages: it tells its story, both sides are equal, and the picture is one."""

import json
import signal
from pathlib import Path
from xml.etree import ElementTree

from conftest import SECONDS, USER, Cli, client, serving


def test_the_story_is_told_to_its_end_and_the_picture_can_be_seen(each: Cli, tmp_path: Path) -> None:
    picture = tmp_path / "inbox.svg"
    *steps, farewell = each.json("demo", "--picture", picture)
    told = [step["step"] for step in steps]
    assert any(text.startswith("both sides are equal: 258 messages in ") for text in told), told
    assert any("the server is gone: net." in text for text in told) and any("1 reply sent" in text for text in told)
    assert all(step["ms"] >= 0 for step in steps) and farewell["url"].startswith(f"imap://{USER}@127.0.0.1:")
    drawn = ElementTree.parse(picture).getroot()
    texts = "".join(drawn.itertext())
    assert drawn.tag.endswith("svg") and "Grace Hopper" in texts and "湯浅年子" in texts


def test_a_mailbox_that_was_made_is_served_and_never_written_over(cli: Cli, tmp_path: Path) -> None:
    store = tmp_path / "ada.mail"
    assert cli.json("demo", "--fill", store)[0]["messages"] == 257
    assert cli.run("demo", "--fill", store).returncode == 1
    with serving(cli, store, "--listen", "127.0.0.1:0", "--user", USER) as server, client(server["port"]) as connection:
        assert connection.select("INBOX") == ("OK", [b"14"])
    picture = tmp_path / "inbox.svg"
    cli.done("ls", "INBOX", "--store", store, "--picture", picture)
    assert "first actual case of a bug" in "".join(ElementTree.parse(picture).getroot().itertext())


def test_ctrl_c_ends_the_demo(cli: Cli) -> None:
    process = cli.start("demo", "--json")
    assert process.stdout
    assert "ms" in json.loads(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=SECONDS)
    assert process.returncode == 130
