"""The engine's server in a process of its own, over a store of its own: alone, or as a gateway of a provider."""

import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from servers.private import PASSWORD

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 20.0


class Ours:
    """The example `serve` of the core; words are its own: `port`, `tls`, `provider`. `store` is a file of before."""

    def __init__(
        self, *, store: Path | None = None, program: str = "", env: dict[str, str] | None = None, **words: object
    ) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="mt-ours-")
        self.store = store or Path(self.folder.name) / "served.mail"
        self.words, self.env, self.program_file = words, env or {}, program or self.program()
        self.port = 0
        self.start()

    @staticmethod
    @cache
    def program() -> str:
        build = ["cargo", "build", "--quiet", "--package", "mailtide", "--example", "serve"]
        subprocess.run(build, cwd=ROOT, check=True)
        return str(ROOT / "target" / "debug" / "examples" / "serve")

    def start(self) -> None:
        """At the port of before, where there was one."""
        words = [f"{name}={value}" for name, value in {"port": self.port, **self.words}.items()]
        command = [self.program_file, str(self.store), "ada", PASSWORD, *words]
        env = os.environ | self.env
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())

    def kill(self) -> None:
        """As kill -9 does it."""
        self.process.kill()
        self.reap()

    def stop(self) -> None:
        self.reap()

    def reap(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()

    def __enter__(self) -> "Ours":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.stop()
        self.folder.cleanup()
