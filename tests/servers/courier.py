#!/usr/bin/env python3
"""A private Courier IMAP 5.0 out of unpacked Debian packages: python3 tests/servers/courier.py start|stop|env|run

Courier asks about passwords at a path that is fixed when it is built, so a front of ours (courier_login.py) takes the
login, and from the answer to it on its imapd is at the connection. Every user name exists and has the same password.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from servers.private import PASSWORD, PrivateServer, ServerError, command_line, own_account

#: What Debian's configuration announces.
CAPABILITIES = "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE"
#: What a provider makes for a new user.
FOLDERS = ("Archive", "Drafts", "Junk", "Sent", "Trash")


class Courier(PrivateServer):
    """No options."""

    name: ClassVar[str] = "courier"
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def pid_file(self) -> Path:
        return self.home / "pid"

    def prepare(self, plain: int, tls: int) -> None:
        root = unpacked()
        self.make_template(root)
        for folder in ("users", "shared"):
            (self.home / folder).mkdir(exist_ok=True)
        owner = own_account()
        for path in (self.home, *self.home.rglob("*")):
            if "ca" not in path.parts:
                os.chown(path, owner.pw_uid, owner.pw_gid)
        self.environment = {
            "MAILTIDE_FRONT_HOME": str(self.home),
            "MAILTIDE_FRONT_ROOT": str(root),
            "MAILTIDE_FRONT_PORTS": f"{plain} {tls}",
            "MAILTIDE_FRONT_PASSWORD": PASSWORD,
            "MAILTIDE_FRONT_OWNER": f"{owner.pw_uid} {owner.pw_gid}",
            "LD_LIBRARY_PATH": libraries(root),
            # Without a file monitor imapd looks for one for a second at every command that locks a mailbox. The first
            # imapd starts it; it ends half a minute after the last.
            "GAMIN_DEBUG_SERVER": str(root / "usr/libexec/gam_server"),
            "GAM_CLIENT_ID": self.home.name,
            "IMAP_CAPABILITY": CAPABILITIES,
            "IMAP_KEYWORDS": "1",
            "IMAP_ACL": "1",
            "IMAP_USELOCKS": "1",
            "IMAP_ENHANCEDIDLE": "1",
            "IMAP_IDLE_TIMEOUT": "60",
            "IMAP_TRASHFOLDERNAME": "Trash",
            "IMAP_EMPTYTRASH": "",
            "IMAP_SHAREDINDEXFILE": str(self.home / "shared/index"),
            "IMAP_UMASK": "022",
            "IMAP_MAILBOX_SANITY_CHECK": "0",
            "IMAP_STARTTLS": "NO",
            "PROTOCOL": "IMAP",
        }

    def make_template(self, root: Path) -> None:
        """The mail of a new user; the front copies it."""
        if (self.home / "new").exists():
            return
        make = [root / "usr/bin/maildirmake.courier"]
        environment = os.environ | {"LD_LIBRARY_PATH": libraries(root)}
        maildir = self.home / "new/Maildir"
        maildir.parent.mkdir()
        subprocess.run([*make, maildir], env=environment, check=True)
        for folder in FOLDERS:
            subprocess.run([*make, "-f", folder, maildir], env=environment, check=True)
        subscribed = "".join(f"INBOX.{folder}\n" for folder in FOLDERS)
        (maildir / "courierimapsubscribed").write_text(subscribed, encoding="ascii")

    def launch(self) -> None:
        front = Path(__file__).resolve().parent / "courier_login.py"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([sys.executable, front], env=os.environ | self.environment, stdout=log,
                                            stdin=subprocess.DEVNULL, stderr=log, start_new_session=True)  # fmt: skip
        self.pid_file.write_text(f"{self.process.pid}\n", encoding="ascii")

    def stop(self) -> None:
        super().stop()
        if self.process:
            self.process.wait()


def unpacked() -> Path:
    """Where tests/servers/setup has put the packages."""
    places = [os.environ.get("MAILTIDE_COURIER"), "/var/cache/mailtide/courier", Path.home() / ".cache/mailtide/courier"]
    for place in places:
        if place and Path(place, "usr/libexec/gam_server").exists():
            return Path(place)
    raise ServerError("not unpacked; run tests/servers/setup")


def libraries(root: Path) -> str:
    return ":".join(str(root / place) for place in ("usr/lib", "usr/lib/x86_64-linux-gnu"))


if __name__ == "__main__":
    command_line(Courier, {})
