"""A connection that sends what it is told and reads whole responses."""

import re
import socket

from servers.private import PASSWORD

PATIENCE = 60.0


class Line:
    """Line endings inside literals become \\n. A connection that ends is a ConnectionError."""

    def __init__(self, port: int, user: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.file = self.socket.makefile("rb")
        self.tag = 0
        try:
            self.response()
            answer, end = self.run(f'LOGIN "{user}" "{PASSWORD}"')
            assert end.startswith("OK"), (answer, end)
        except BaseException:
            self.close()
            raise

    def response(self) -> str:
        out = ""
        while True:
            line = self.file.readline()
            if not line.endswith(b"\n"):
                raise ConnectionError(f"the connection ended after {out!r}")
            out += line.rstrip(b"\r\n").decode("latin-1")
            literal = re.search(r"\{(\d+)\}$", out)
            if not literal:
                return out
            out += self.file.read(int(literal[1])).decode("latin-1").replace("\r\n", "\n")

    def run(self, command: str, literal: bytes | None = None) -> tuple[list[str], str]:
        self.tag += 1
        tag = f"t{self.tag}"
        self.socket.sendall(f"{tag} {command}\r\n".encode("latin-1"))
        answer: list[str] = []
        while True:
            response = self.response()
            if response.startswith(f"{tag} "):
                return answer, response[len(tag) + 1 :]
            if response.startswith("+"):
                if literal is None:
                    return answer, response
                self.socket.sendall(literal + b"\r\n")
            else:
                answer.append(response)

    def done(self) -> tuple[list[str], str]:
        self.socket.sendall(b"DONE\r\n")
        answer: list[str] = []
        while not (response := self.response()).startswith(f"t{self.tag} "):
            answer.append(response)
        return answer, response.split(" ", 1)[1]

    def close(self) -> None:
        self.file.close()
        self.socket.close()
