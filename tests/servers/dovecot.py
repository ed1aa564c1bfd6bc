#!/usr/bin/env python3
"""A private Dovecot 2.3 out of Debian's package: python3 tests/servers/dovecot.py start|stop|env|run

Every user name exists and has the same password, so a test takes a name of its own and has a fresh account.
XOAUTH2 and OAUTHBEARER take a signed token, which `env` holds, made by `token()`.
"""

import base64
import hashlib
import hmac
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from servers.private import PASSWORD, USER, PrivateServer, ServerError, command_line, own_account, own_group

TOKEN_KEY = b"a key that signs tokens of a private test server"
MECHANISMS = "plain login scram-sha-256 xoauth2 oauthbearer"


class Dovecot(PrivateServer):
    """Options: plugins (quota, acl, zlib, METADATA), maildir (instead of mdbox), fsync (Dovecot's word), mechanisms (a string)."""

    name: ClassVar[str] = "dovecot"

    @property
    def pid_file(self) -> Path:
        return self.home / "run" / "master.pid"

    def prepare(self, plain: int, tls: int) -> None:
        for folder in ("run", "state", "users", "keys/default/HS256"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        (self.home / "keys/default/HS256/default").write_bytes(base64.b64encode(TOKEN_KEY))
        owner = own_account()
        os.chown(self.home / "users", owner.pw_uid, owner.pw_gid)
        (self.home / "dovecot.conf").write_text(self.configuration(plain, tls), encoding="utf-8")
        (self.home / "oauth2.conf").write_text(OAUTH2.format(home=self.home), encoding="utf-8")

    def launch(self) -> None:
        program = shutil.which("dovecot", path=os.environ["PATH"] + ":/usr/sbin")
        if program is None:
            raise ServerError("not installed; run tests/servers/setup, or apt-get install dovecot-imapd")
        self.run_daemon([program, "-c", self.home / "dovecot.conf"])

    def extra_environment(self) -> dict[str, Any]:
        return {"token": token(USER), "expired_token": token(USER, lifetime=-3600)}

    def configuration(self, plain: int, tls: int) -> str:
        owner = own_account()
        root = os.getuid() == 0
        plugins = bool(self.options.get("plugins"))
        return CONFIGURATION.format(
            home=self.home,
            plain=plain,
            tls=tls,
            uid=owner.pw_uid,
            gid=owner.pw_gid,
            password=PASSWORD,
            store="maildir:~/Maildir" if self.options.get("maildir") else "mdbox:~/mdbox",
            fsync=self.options.get("fsync") or "never",
            mechanisms=self.options.get("mechanisms") or MECHANISMS,
            plugins="quota acl notify zlib" if plugins else "",
            imap_plugins="quota acl notify zlib imap_quota imap_acl imap_zlib" if plugins else "",
            metadata="yes" if plugins else "no",
            attributes=f"mail_attribute_dict = file:{self.home}/users/%u/attributes" if plugins else "",
            internal_user="dovecot" if root else owner.pw_name,
            login_user="dovenull" if root else owner.pw_name,
            internal_group="dovecot" if root else own_group(),
            no_chroot="" if root else "chroot =",
        )


def token(user: str, lifetime: int = 3600) -> str:
    """A signed JSON Web Token that this server accepts for the user."""
    now = int(time.time())
    claims = {"sub": user, "username": user, "iat": min(now, now + lifetime) - 60, "exp": now + lifetime}
    signed = f"{base64url({'alg': 'HS256', 'typ': 'JWT'})}.{base64url(claims)}"
    signature = hmac.new(TOKEN_KEY, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def base64url(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


OAUTH2 = """
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={home}/keys/
username_attribute = username
"""

# No fsync and mdbox, because these servers live for seconds; high limits, because tests open many connections.
CONFIGURATION = """
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
instance_name = mailtide-test
protocols = imap
listen = 127.0.0.1
default_internal_user = {internal_user}
default_internal_group = {internal_group}
default_login_user = {login_user}
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 1
mail_location = {store}
mail_fsync = {fsync}
mail_save_crlf = yes
mailbox_list_index = yes
mail_max_userip_connections = 5000
mail_plugins = {plugins}
{attributes}
ssl = yes
ssl_cert = <{home}/ca/server.pem
ssl_key = <{home}/ca/server.key
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {home}/oauth2.conf
}}
passdb {{
  driver = static
  mechanisms = plain login scram-sha-256
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/users/%u allow_all_users=yes
}}
protocol imap {{
  mail_plugins = {imap_plugins}
  imap_metadata = {metadata}
}}
plugin {{
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage=20G
  acl = vfile
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Archive {{
    auto = create
    special_use = \\Archive
  }}
  mailbox Drafts {{
    auto = create
    special_use = \\Drafts
  }}
  mailbox Junk {{
    auto = create
    special_use = \\Junk
  }}
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
  mailbox Trash {{
    auto = create
    special_use = \\Trash
  }}
}}
service imap-login {{
  service_count = 0
  client_limit = 3000
  process_min_avail = 1
  process_limit = 1
  {no_chroot}
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {tls}
    ssl = yes
  }}
}}
service imap {{
  process_limit = 3000
  client_limit = 1
}}
service anvil {{
  client_limit = 6003
  # No growing delay after a wrong password: tests give many.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
  {no_chroot}
}}
service auth {{
  client_limit = 8000
  # Postfix asks here whether a login is good.
  unix_listener {home}/run/auth-smtp {{
    mode = 0666
  }}
}}
service stats {{
  client_limit = 8000
}}
"""

if __name__ == "__main__":
    command_line(Dovecot, {"plugins": "load quota, acl, zlib and METADATA", "maildir": "store as Maildir"})
