"""As much of Mozilla's Marionette as it takes to run scripts in Thunderbird: lengths and JSON over a socket."""

import json
import socket
import time
from typing import Any

PATIENCE = 120.0


class Marionette:
    """Scripts run with the rights of the program itself, in its main window."""

    def __init__(self, port: int) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
                self.file = self.socket.makefile("rb")
                self.read()
                break
            except (OSError, ValueError):
                # It is still starting.
                assert time.monotonic() < end, "Thunderbird does not listen"
                time.sleep(0.3)
        self.number = 0
        self.call("WebDriver:NewSession", {"capabilities": {}})
        self.call("Marionette:SetContext", {"value": "chrome"})
        self.call("WebDriver:SetTimeouts", {"script": int(PATIENCE * 1000)})

    def read(self) -> Any:
        length = b""
        while (byte := self.file.read(1)) != b":":
            length += byte
            if not byte:
                raise ConnectionError("Thunderbird is gone")
        return json.loads(self.file.read(int(length)))

    def call(self, name: str, values: dict[str, Any]) -> Any:
        self.number += 1
        text = json.dumps([0, self.number, name, values]).encode()
        self.socket.sendall(b"%d:%s" % (len(text), text))
        _, _, error, result = self.read()
        assert error is None, error
        return result

    def run(self, script: str, *arguments: Any) -> Any:
        """What the body of an async function gives."""
        body = f"const [args, done] = arguments; (async () => {{ {script} }})().then(v => done([null, v ?? null]), e => done([String(e) + e.stack]));"
        failure, value = (self.call("WebDriver:ExecuteAsyncScript", {"script": body, "args": [list(arguments)]})["value"] + [None])[:2]
        assert failure is None, failure
        return value

    def close(self) -> None:
        self.file.close()
        self.socket.close()
