"""Who may log in to a store that is served: `users`, `[serve.users]`, STARTTLS and certificates of one's own."""

import imaplib
import ssl
from pathlib import Path

import pytest
from conftest import PASSWORD, SECONDS, USER, Cli, client, keyring, serving

ANY = ("--listen", "127.0.0.1:0", "--user", USER)


def can(port: int, user: str, password: str) -> bool:
    """Whether that user can log in with that password."""
    with imaplib.IMAP4("127.0.0.1", port, timeout=SECONDS) as connection:
        try:
            return connection.login(user, password)[0] == "OK"
        except imaplib.IMAP4.error as error:
            assert "AUTHENTICATIONFAILED" in str(error)
            return False


def test_users_and_app_passwords_are_changed_while_the_store_is_served(each: Cli, tmp_path: Path) -> None:
    store = tmp_path / "ada.mail"
    with serving(each, store, *ANY) as server:
        port = server["port"]
        assert each.json("users", "set", "grace", "-f", store, typed="hopper\n") == [{"user": "grace", "password": None}]
        [phone] = each.json("users", "add-app-password", "grace", "phone", "-f", store)
        assert (phone["login"], len(phone["password"])) == ("grace+phone", 24)
        assert can(port, "grace", "hopper") and can(port, phone["login"], phone["password"])
        assert not can(port, "grace", phone["password"]) and not can(port, phone["login"], "hopper")
        assert each.json("users", "-f", store) == [
            {"user": USER, "disabled": False, "app_passwords": []},
            {"user": "grace", "disabled": False, "app_passwords": ["phone"]},
        ]
        [listed] = each.json("users", "app-passwords", "grace", "-f", store)
        assert listed["login"] == "grace+phone" and listed["created"].endswith("Z") and "password" not in listed
        program = imaplib.IMAP4("127.0.0.1", port, timeout=SECONDS)
        program.login(phone["login"], phone["password"])
        each.done("users", "revoke-app-password", "grace", "phone", "-f", store)
        assert not program.readline(), "it is sent away"
        program.shutdown()
        assert not can(port, phone["login"], phone["password"]) and can(port, "grace", "hopper")


def test_a_user_is_kept_out_let_in_given_another_password_and_removed(cli: Cli, tmp_path: Path) -> None:
    store = tmp_path / "ada.mail"
    with serving(cli, store, *ANY) as server:
        port = server["port"]
        [made] = cli.json("users", "set", "grace", "--new-password", "-f", store)
        assert len(made["password"]) == 19 and can(port, "grace", made["password"])
        assert cli.json("users", "disable", "grace", "-f", store) == [{"user": "grace", "disabled": True}]
        assert not can(port, "grace", made["password"]) and "kept out" in cli.done("users", "-f", store)
        cli.done("users", "enable", "grace", "-f", store)
        assert can(port, "grace", made["password"])
        cli.done("users", "set", "grace", "-f", store, typed="hopper\n")
        assert can(port, "grace", "hopper") and not can(port, "grace", made["password"])
        cli.done("users", "remove", "grace", "-f", store)
        assert not can(port, "grace", "hopper") and "grace" not in cli.done("users", "-f", store)
        with client(port) as connection:
            assert connection.select("INBOX")[0] == "OK"


def test_what_users_cannot_do_is_said(cli: Cli, tmp_path: Path) -> None:
    store = tmp_path / "ada.mail"
    assert cli.run("users", "-f", store).returncode == 1 and not store.exists()
    with serving(cli, store, *ANY):
        pass
    for words, code, said in [
        (("disable", "nobody"), 2, 'no user "nobody"'),
        (("add-app-password", USER, "a+b"), 2, "label"),
        (("revoke-app-password", USER, "phone"), 2, 'no app password "phone"'),
        (("set",), 2, "takes the name of a user"),
        (("promote", USER), 2, "users cannot"),
        (("set", "grace"), 3, "--new-password"),
    ]:
        ended = cli.run("users", *words, "-f", store)
        assert ended.returncode == code and said in ended.stderr, (words, ended.returncode, ended.stderr)


def test_the_users_of_the_configuration_can_log_in(cli: Cli, tmp_path: Path) -> None:
    keyring(cli)
    (cli.home / "keyring").write_text("clarke")
    cli.config.parent.mkdir(parents=True)
    cli.config.write_text(
        '[serve.users.grace]\npassword_command = ["echo", "hopper"]\n'
        '[serve.users."edith@example.org"]\npassword = "clara"\npassword_insecure = true\n'
        "[serve.users.joan]\nkeyring = true\n"
    )
    cli.config.chmod(0o600)
    store, listen = tmp_path / "ada.mail", ("--listen", "127.0.0.1:0")
    with serving(cli, store, *listen, MAILTIDE_SERVER_PASSWORD="") as server:
        assert server["user"] is None, "nobody is asked for the password of one more"
        for user, password in [("grace", "hopper"), ("edith@example.org", "clara"), ("joan", "clarke")]:
            assert can(server["port"], user, password) and not can(server["port"], user, "x"), user
    with serving(cli, store, *listen, "--user", "grace", MAILTIDE_SERVER_PASSWORD="") as server:
        assert server["user"] == "grace" and can(server["port"], "grace", "hopper")
    with serving(cli, store, *listen, "--user", "grace") as server:
        assert can(server["port"], "grace", PASSWORD) and not can(server["port"], "grace", "hopper")
    # Who has a password in the store needs none here; somebody new does.
    cli.config.write_text("[serve.users.grace]\n")
    with serving(cli, store, *listen, MAILTIDE_SERVER_PASSWORD="") as server:
        assert can(server["port"], "grace", PASSWORD)
    cli.config.write_text("[serve.users.ida]\n")
    ended = cli.run("serve", store, *listen)
    assert ended.returncode == 3 and "ida could not log in" in ended.stderr


def test_nobody_logs_in_before_starttls(cli: Cli, tmp_path: Path) -> None:
    with serving(cli, tmp_path / "ada.mail", *ANY, "--starttls") as server:
        assert server["url"].startswith("imap+starttls://ada@")
        with imaplib.IMAP4("localhost", server["port"], timeout=SECONDS) as connection:
            with pytest.raises(imaplib.IMAP4.error):
                connection.login(USER, PASSWORD)
            connection.starttls(ssl.create_default_context(cafile=server["certificate"]))
            assert connection.login(USER, PASSWORD)[0] == "OK"


def test_a_certificate_of_ones_own_is_shown_by_option_and_by_configuration(cli: Cli, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    with serving(cli, own / "ada.mail", *ANY, "--tls") as server:
        certificate = Path(server["certificate"])
    key, store = certificate.with_suffix(".key"), tmp_path / "ada.mail"
    cli.config.parent.mkdir(parents=True)
    for words, text in [
        (("--certificate", certificate, "--key", key), ""),
        ((), f'[serve]\ncertificate = "{certificate}"\nkey = "{key}"\n'),
    ]:
        cli.config.write_text(text)
        with serving(cli, store, *ANY, *words) as server:
            assert server["url"].startswith("imaps://") and server["certificate"] is None
            context = ssl.create_default_context(cafile=certificate)
            with imaplib.IMAP4_SSL("localhost", server["port"], ssl_context=context, timeout=SECONDS) as connection:
                assert connection.login(USER, PASSWORD)[0] == "OK"
    assert not (tmp_path / "mailtide-server.crt").exists()
    cli.config.write_text("")
    for wrong, code in [
        (("--certificate", certificate), 2),
        (("--certificate", key, "--key", key), 2),
        (("--certificate", tmp_path / "none", "--key", key), 1),
        (("--tls", "--starttls"), 2),
    ]:
        assert cli.run("serve", store, *ANY, *wrong, MAILTIDE_SERVER_PASSWORD=PASSWORD).returncode == code, wrong
