#!/usr/bin/env python3
"""A private OpenSMTPD 6.8 out of unpacked Debian packages: python3 tests/servers/opensmtpd.py start|stop|env|run

Takes mail for any domain, as root only, and keeps all of it in one Maildir, whose path `env` holds as `mail`. It speaks no
TLS, and so takes no login: Debian's cannot finish a handshake (deviations.md). Its paths and users are fixed when it is
built, so it gets file systems of its own.
"""

import os
import sys
from pathlib import Path
from typing import ClassVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from servers.private import ServerError, command_line, own_account
from servers.smtp import SmtpServer, unpacked, unshare


class OpenSmtpd(SmtpServer):
    """No options."""

    name: ClassVar[str] = "opensmtpd"

    @property
    def pid_file(self) -> Path:
        return self.home / "pid"

    def ports(self, plain: int, tls: int) -> dict[str, int]:
        return {"smtp_port": plain}

    def prepare(self, plain: int, tls: int) -> None:
        if os.getuid() != 0:
            raise ServerError("OpenSMTPD starts as root only")
        owner = own_account()
        for folder in ("spool/smtpd", "lib/opensmtpd/empty", "run", "mail/all"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        (self.home / "spool/smtpd").chmod(0o711)
        for folder in (self.home / "mail", self.home / "mail/all"):
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        for name, line in (("passwd", "{0}:x:{1}:{1}::/nonexistent:/bin/false"), ("group", "{0}:x:{1}:")):
            known = Path("/etc", name).read_text(encoding="utf-8")
            new = [line.format(user, number) for user, number in (("opensmtpd", 64901), ("opensmtpq", 64902))]
            (self.home / name).write_text(known.rstrip("\n") + "\n" + "\n".join(new) + "\n", encoding="utf-8")
        values = {"home": self.home, "root": self.root, "plain": plain, "owner": owner.pw_name}
        (self.home / "smtpd.conf").write_text(CONFIGURATION.format(**values), encoding="utf-8")
        (self.home / "start").write_text(START.format(**values), encoding="utf-8")

    def launch(self) -> None:
        self.run_in_background([*unshare(), "/bin/sh", str(self.home / "start")])

    @property
    def root(self) -> Path:
        return unpacked("opensmtpd", "usr/sbin/smtpd")


# Only the server sees these mounts; they end with it.
START = """
set -e
mount --bind {home}/passwd /etc/passwd
mount --bind {home}/group /etc/group
mount --bind {home}/spool /var/spool
mount --bind {home}/lib /var/lib
mount --bind {home}/run /run
mount --bind {root}/usr/libexec /usr/libexec
exec {root}/usr/sbin/smtpd -d -f {home}/smtpd.conf
"""

CONFIGURATION = """
listen on 127.0.0.1 port {plain}
smtp max-message-size "1M"
action "keep" maildir "{home}/mail/all" virtual {{ "@" = {owner} }}
match from any for any action "keep"
"""

if __name__ == "__main__":
    command_line(OpenSmtpd, {})
