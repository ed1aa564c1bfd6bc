"""What the private SMTP servers share: their ports, their greeting, and where their packages are unpacked.

Their environment: server, home, host, smtp_port (plain, offers STARTTLS), smtps_port (TLS), ca, user, password, mail (a
Maildir that all mail goes to), pid, log.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from servers.private import PrivateServer, ServerError


class SmtpServer(PrivateServer):
    """A server that greets with 220."""

    greeting: ClassVar[bytes] = b"220"
    process: subprocess.Popen[bytes] | None = None

    def ports(self, plain: int, tls: int) -> dict[str, int]:
        return {"smtp_port": plain, "smtps_port": tls}

    def extra_environment(self) -> dict[str, Any]:
        return {"mail": str(self.home / "mail/all")}

    def run_in_background(self, command: list[str | Path], environment: dict[str, str] | None = None) -> None:
        """Runs a program that stays in the foreground; its process id is written for it."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True)  # fmt: skip
        self.pid_file.write_text(f"{self.process.pid}\n", encoding="ascii")

    def stop(self) -> None:
        super().stop()
        if self.process:
            self.process.wait()


def unpacked(package: str, program: str) -> Path:
    """Where tests/servers/setup has put a package; an installed one serves as well."""
    places = [os.environ.get(f"MAILTIDE_{package.upper()}"), f"/var/cache/mailtide/{package}",
              Path.home() / f".cache/mailtide/{package}", "/"]  # fmt: skip
    for place in places:
        if place and Path(place, program).exists():
            return Path(place)
    raise ServerError("not unpacked; run tests/servers/setup")


def unshare() -> list[str]:
    """Begins a command that has file systems of its own, so that fixed paths of a program are nobody else's."""
    program = shutil.which("unshare")
    if program is None:
        raise ServerError("the program unshare is missing; it is in Debian's util-linux")
    return [program, "--mount", "--propagation", "private"]
