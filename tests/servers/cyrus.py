#!/usr/bin/env python3
"""A private Cyrus IMAP 3.6 out of unpacked Debian packages: python3 tests/servers/cyrus.py start|stop|env|run

Debian's cyrus and dovecot packages exclude each other, so tests/servers/setup unpacks Cyrus beside the system.
Every user name and every password is accepted; an INBOX is made at the first login.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import ClassVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from servers.private import PrivateServer, ServerError, command_line, own_account, own_group

LIBRARIES = "usr/lib/x86_64-linux-gnu"


class Cyrus(PrivateServer):
    """No options."""

    name: ClassVar[str] = "cyrus"

    @property
    def pid_file(self) -> Path:
        return self.home / "master.pid"

    def prepare(self, plain: int, tls: int) -> None:
        for folder in ("db", "socket", "proc", "log", "lock", "msg", "backup"):
            (self.home / "conf" / folder).mkdir(parents=True, exist_ok=True)
        (self.home / "spool").mkdir(exist_ok=True)
        programs = unpacked() / "usr/lib/cyrus/bin"
        owner = {"user": own_account().pw_name, "group": own_group()}
        values = owner | {"home": self.home, "bin": programs, "plain": plain, "tls": tls}
        (self.home / "imapd.conf").write_text(IMAPD.format(**values), encoding="utf-8")
        (self.home / "cyrus.conf").write_text(CYRUS.format(**values), encoding="utf-8")
        give_to_owner(self.home)

    def launch(self) -> None:
        root = unpacked()
        owner = own_account().pw_name
        environment = os.environ | {
            "LD_LIBRARY_PATH": str(root / LIBRARIES),
            "CYRUS_USER": owner,
            "CYRUS_GROUP": own_group(),
            # Cyrus syncs every message and database page; for a server that lives for seconds that is waste.
            "LD_PRELOAD": "libeatmydata.so" if Path("/", LIBRARIES, "libeatmydata.so").exists() else "",
        }
        master = [root / "usr/lib/cyrus/bin/master", "-C", self.home / "imapd.conf", "-M", self.home / "cyrus.conf",
                  "-p", self.pid_file, "-d"]  # fmt: skip
        self.run_daemon(master, environment)


def unpacked() -> Path:
    """Where tests/servers/setup has put the packages."""
    places = [os.environ.get("MAILTIDE_CYRUS"), "/var/cache/mailtide/cyrus", Path.home() / ".cache/mailtide/cyrus"]
    for place in places:
        if place and Path(place, "usr/lib/cyrus/bin/master").exists():
            return Path(place)
    raise ServerError("not unpacked; run tests/servers/setup")


def give_to_owner(folder: Path) -> None:
    owner = own_account()
    for path in [folder, *folder.rglob("*")]:
        shutil.chown(path, owner.pw_uid, owner.pw_gid)


IMAPD = """
configdirectory: {home}/conf
defaultpartition: default
partition-default: {home}/spool
cyrus_user: {user}
cyrus_group: {group}
admins: cyrus
allowplaintext: yes
sasl_mech_list: PLAIN LOGIN
sasl_pwcheck_method: alwaystrue
unixhierarchysep: yes
altnamespace: yes
autocreate_quota: 0
autocreate_inbox_folders: Archive|Drafts|Junk|Sent|Trash
xlist-archive: Archive
xlist-drafts: Drafts
xlist-junk: Junk
xlist-sent: Sent
xlist-trash: Trash
hashimapspool: yes
tls_server_cert: {home}/ca/server.pem
tls_server_key: {home}/ca/server.key
idlesocket: {home}/conf/socket/idle
imapidlepoll: 60
duplicatesuppression: 0
munge8bit: no
conversations: 0
"""

CYRUS = """
START {{
  recover cmd="{bin}/ctl_cyrusdb -C {home}/imapd.conf -r"
}}
SERVICES {{
  imap  cmd="{bin}/imapd -C {home}/imapd.conf -U 100" listen="127.0.0.1:{plain}" prefork=1 maxchild=2000
  imaps cmd="{bin}/imapd -C {home}/imapd.conf -s -U 100" listen="127.0.0.1:{tls}" prefork=0 maxchild=2000
}}
EVENTS {{
}}
DAEMON {{
  idled cmd="{bin}/idled -C {home}/imapd.conf"
}}
"""

if __name__ == "__main__":
    command_line(Cyrus, {})
