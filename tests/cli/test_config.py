"""The configuration, where passwords come from, and what shells complete."""

import os
import pty
import select
import shutil
import signal
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import ENTRIES, PASSWORD, Cli, keyring


def test_a_password_comes_from_a_command_the_keyring_or_a_person(cli: Cli, provider: dict[str, Any]) -> None:
    keyring(cli)
    url, typed = provider["url"], PASSWORD + "\n"
    cli.done("login", "keyring", url, "--keyring", typed=typed)
    cli.done("login", "clear", url, "--password-insecure", typed=typed)
    cli.done("login", "asked", url, typed=typed)
    cli.done("login", "command", url, "--password-command", f"echo {PASSWORD}")
    text = cli.config.read_text()
    assert text.count(PASSWORD) == 2, "in clear where it was insisted on, and in the command"
    assert PASSWORD not in (cli.home / "keyring.args").read_text()
    assert stat.S_IMODE(cli.config.stat().st_mode) == 0o600
    for name in ("keyring", "clear", "command"):
        assert cli.json("sync", "--account", name)[0]["total"]["added"] == 30
    assert cli.json("sync", "--account", "asked", typed=typed)[0]["total"]["added"] == 30
    assert cli.run("sync", "--account", "asked").returncode == 3


def test_a_configuration_that_cannot_be_trusted_is_refused(cli: Cli) -> None:
    cli.config.parent.mkdir(parents=True)
    for text, mode, said in [
        ('[accounts.a]\nurl = "imap://a@127.0.0.1"\npassword = "planted"\n', 0o600, "password_insecure"),
        ('[accounts.a]\nurl = "imap://a:planted@127.0.0.1"\n', 0o600, "holds a password"),
        ('[accounts.a]\npassword = "planted"\npassword_insecure = true\n', 0o644, "chmod 600"),
        ('[accounts.a]\nurl = "imap://a@127.0.0.1"\n', 0o666, "chmod 600"),
        ('[accounts.a]\nurls = "planted"\n', 0o600, "accounts.a.urls is not known"),
        ('[accounts.a]\npassword = "planted\n', 0o600, "line 2"),
    ]:
        cli.config.write_text(text)
        cli.config.chmod(mode)
        ended = cli.run("ls")
        assert ended.returncode == 2 and said in ended.stderr and "planted" not in ended.stderr, ended.stderr


def test_an_account_fetches_no_more_bodies_a_day_than_it_may(cli: Cli, provider: dict[str, Any]) -> None:
    cli.login(provider["url"])
    configured = cli.config.read_text()
    for most, bodies in [("bytes_a_day = 0", 0), ("bytes_a_day = 1_000_000", 30)]:
        cli.config.write_text(f"{configured}{most}\n")
        assert cli.json("sync")[0]["total"]["bodies"] == bodies
    cli.config.write_text(f"{configured}bytes_a_day = '1M'\n")
    for command in (["sync"], ["sync", "--follow"], ["watch"]):
        ended = cli.run(*command)
        assert ended.returncode == 2 and "accounts.home.bytes_a_day is not a number" in ended.stderr


def test_bash_completes_commands_and_options(cli: Cli) -> None:
    script = cli.home / "completion.bash"
    script.write_text(cli.done("completion", "bash"))
    for typed, expected in [
        ("se", "serve search send"), ("serve --us", "--user"), ("completion z", "zsh"), ("users rev", "revoke-app-password"),
    ]:  # fmt: skip
        words = ["mailtide", *typed.split(" ")]
        line = f"source {script}; COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; _mailtide; echo ${{COMPREPLY[@]}}"
        # compopt only works while a shell completes.
        ended = subprocess.run(["bash", "-c", f"compopt() {{ :; }}; {line}"], capture_output=True, text=True, check=True)
        assert ended.stdout.strip() == expected, (typed, ended.stderr)


def test_fish_completes_commands_and_options(cli: Cli) -> None:
    script = script_of(cli, "fish")
    for typed, expected in [
        ("se", "search send serve"), ("serve --us", "--user"), ("completion z", "zsh"), ("users rev", "revoke-app-password"),
    ]:  # fmt: skip
        line = f"source {script}; complete -C 'mailtide {typed}'"
        ended = subprocess.run(["fish", "-N", "-c", line], capture_output=True, text=True, check=True)
        assert " ".join(row.split("\t")[0] for row in ended.stdout.splitlines()) == expected, typed


def test_zsh_completes_at_the_first_key(cli: Cli) -> None:
    script_of(cli, "zsh").rename(cli.home / "_mailtide")
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe("zsh", ["zsh", "-fi"], {**os.environ, "TERM": "dumb", "PS1": "> "})
    try:
        os.write(terminal, f"fpath=({cli.home} $fpath); autoload -U compinit; compinit -D -u; echo rea''dy\n".encode())
        read_until(terminal, "ready")
        os.write(terminal, b"mailtide sho\t")
        read_until(terminal, "mailtide show ")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)


def script_of(cli: Cli, shell: str) -> Path:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = cli.home / f"completion.{shell}"
    script.write_text(cli.done("completion", shell))
    return script


def read_until(terminal: int, text: str) -> None:
    """Ends when the terminal has shown that; a quarter of a minute later it fails."""
    seen = ""
    while text not in seen:
        ready, _, _ = select.select([terminal], [], [], 15)
        assert ready, f"{text!r} is not in {seen!r}"
        seen += os.read(terminal, 4096).decode(errors="replace")


def test_the_documentation_runs_and_prints_what_it_says(cli: Cli, provider: dict[str, Any]) -> None:
    """Every console block of docs/cli.md, in one home; `…` stands for anything."""
    bin_folder = cli.home / "bin"
    bin_folder.mkdir()
    (bin_folder / "mailtide").symlink_to(ENTRIES["binary"][0])
    cli.environment["PATH"] = f"{bin_folder}:{cli.environment['PATH']}"
    cli.environment["PROVIDER"] = provider["url"]
    text = (Path(__file__).resolve().parent.parent.parent / "docs/cli.md").read_text(encoding="utf-8")
    blocks = [block.split("```")[0] for block in text.split("```console\n")[1:]]
    assert len(blocks) > 2
    for block in blocks:
        for example in block.split("$ ")[1:]:
            line, _, claimed = example.partition("\n")
            line = line.replace("imaps://ada@imap.example.org", "$PROVIDER")
            ended = subprocess.run(["sh", "-c", line], env=cli.environment, capture_output=True, text=True,
                                   stdin=subprocess.DEVNULL, timeout=60, check=False, cwd=cli.home)  # fmt: skip
            assert ended.returncode == 0, (line, ended.stderr)
            rest = ended.stdout + ended.stderr
            for part in filter(None, (part.strip() for part in claimed.replace("\n", "…").split("…"))):
                assert part in rest, (line, part, ended.stdout)
                rest = rest[rest.index(part) + len(part):]
