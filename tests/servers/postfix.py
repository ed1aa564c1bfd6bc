#!/usr/bin/env python3
"""A private Postfix 3.7 out of unpacked Debian packages: python3 tests/servers/postfix.py start|stop|env|run

Takes mail for example.org and example.net, as root only, and keeps all of it in one Maildir, whose path `env` holds as
`mail`. `refused@example.org` is refused for good, `later@example.org` for now. A private Dovecot stands beside it, whose
users and tokens may log in here too, over TLS; `env` has its ports and tokens as well.
"""

import functools
import os
import shutil
import sys
from pathlib import Path
from typing import Any, ClassVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from servers.dovecot import Dovecot
from servers.private import ServerError, command_line, own_account
from servers.smtp import SmtpServer, unpacked

QUEUES = "active bounce corrupt defer deferred flush hold incoming maildrop pid private public saved trace"


class Postfix(SmtpServer):
    """No options."""

    name: ClassVar[str] = "postfix"

    @property
    def pid_file(self) -> Path:
        return self.home / "queue/pid/master.pid"

    def prepare(self, plain: int, tls: int) -> None:
        if os.getuid() != 0:
            raise ServerError("Postfix starts as root only")
        owner = own_account()
        for folder in ("conf", "queue", "data", "mail"):
            (self.home / folder).mkdir(exist_ok=True)
        for folder in QUEUES.split():
            (self.home / "queue" / folder).mkdir(exist_ok=True)
            if folder != "pid":
                shutil.chown(self.home / "queue" / folder, owner.pw_uid)
        for folder in ("data", "mail"):
            shutil.chown(self.home / folder, owner.pw_uid, owner.pw_gid)
        shutil.copytree(self.home / "ca", self.dovecot.home / "ca", dirs_exist_ok=True)
        if self.dovecot.pid() is None:
            self.dovecot.start()
        values = {"home": self.home, "logins": self.dovecot.home / "run/auth-smtp", "root": self.root, "plain": plain, "tls": tls,
                  "owner": owner.pw_name, "uid": owner.pw_uid, "gid": owner.pw_gid}  # fmt: skip
        (self.home / "conf/main.cf").write_text(MAIN.format(**values), encoding="utf-8")
        (self.home / "conf/master.cf").write_text(MASTER.format(**values), encoding="utf-8")

    def launch(self) -> None:
        environment = os.environ | {
            "LD_LIBRARY_PATH": str(self.root / "usr/lib/postfix"),
            "MAIL_CONFIG": str(self.home / "conf"),
        }
        self.run_in_background([self.root / "usr/lib/postfix/sbin/master", "-c", self.home / "conf"], environment)

    def stop(self) -> None:
        super().stop()
        self.dovecot.stop()

    def extra_environment(self) -> dict[str, Any]:
        names = ("imap_port", "imaps_port", "token", "expired_token")
        return super().extra_environment() | {name: self.dovecot.env[name] for name in names}

    @functools.cached_property
    def dovecot(self) -> Dovecot:
        return Dovecot(self.home / "dovecot")

    @property
    def root(self) -> Path:
        return unpacked("postfix", "usr/lib/postfix/sbin/master")


MAIN = """
compatibility_level = 3.6
config_directory = {home}/conf
queue_directory = {home}/queue
data_directory = {home}/data
command_directory = {root}/usr/sbin
daemon_directory = {root}/usr/lib/postfix/sbin
meta_directory = {root}/etc/postfix
shlib_directory = {root}/usr/lib/postfix
mail_owner = {owner}
setgid_group = daemon
import_environment = MAIL_CONFIG LD_LIBRARY_PATH LANG=C
maillog_file = {home}/log
maillog_file_prefixes = {home}
inet_protocols = ipv4
inet_interfaces = loopback-only
myhostname = localhost.localdomain
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions =
  check_recipient_access inline:{{ {{ refused@example.org = REJECT no }}, {{ later@example.org = DEFER not now }} }}
  permit_mynetworks, reject
smtpd_tls_security_level = may
smtpd_tls_cert_file = {home}/ca/server.pem
smtpd_tls_key_file = {home}/ca/server.key
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {logins}
smtpd_sasl_security_options = noanonymous
smtputf8_enable = yes
message_size_limit = 1000000
virtual_mailbox_domains = example.org, example.net
virtual_mailbox_base = {home}/mail
virtual_mailbox_maps = static:all/
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_mailbox_limit = 0
default_transport = error:this server sends nothing
"""

MASTER = """
127.0.0.1:{plain} inet n - n - - smtpd
127.0.0.1:{tls} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""

if __name__ == "__main__":
    command_line(Postfix, {})
