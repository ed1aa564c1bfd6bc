"""A connection that sends what it is told and reads whole responses."""

import re
import socket

from servers.private import PASSWORD

PATIENCE = 60.0


class Line:
    """Line endings inside literals become \\n. A connection that ends is a ConnectionError."""

    def __init__(self, port: int, user: str | None) -> None:
        """Without a user nobody is logged in."""
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.file = self.socket.makefile("rb")
        self.tag = 0
        try:
            self.response()
            if user is not None:
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

    def run(self, command: str, *literals: bytes | None) -> tuple[list[str], str]:
        """Sends a command; a NUL stands where a literal goes that is not its end. Ends early where the server asks for more."""
        self.tag += 1
        tag = f"t{self.tag}"
        chunks = self.chunks(f"{tag} {command}", [literal for literal in literals if literal is not None])
        self.socket.sendall(chunks.pop(0))
        answer: list[str] = []
        while True:
            response = self.response()
            if response.startswith(f"{tag} "):
                return answer, response[len(tag) + 1 :]
            if response.startswith("+"):
                if not chunks:
                    return answer, response
                self.socket.sendall(chunks.pop(0))
            else:
                answer.append(response)

    @staticmethod
    def chunks(command: str, literals: list[bytes]) -> list[bytes]:
        """What may be sent at once: a literal of LITERAL+ waits for nothing."""
        texts = [text.encode("latin-1") for text in command.split("\0")]
        texts += [b""] * (len(literals) + 1 - len(texts))
        chunks = [texts[0] + b"\r\n"]
        for before, literal, after in zip(texts, literals, texts[1:], strict=False):
            chunk = literal + after + b"\r\n"
            if before.endswith(b"+}"):
                chunks[-1] += chunk
            else:
                chunks.append(chunk)
        return chunks

    def done(self, line: str = "DONE") -> tuple[list[str], str]:
        """Sends the line that the command under way waits for."""
        self.socket.sendall(f"{line}\r\n".encode())
        answer: list[str] = []
        while not (response := self.response()).startswith(f"t{self.tag} "):
            answer.append(response)
        return answer, response.split(" ", 1)[1]

    def close(self) -> None:
        self.file.close()
        self.socket.close()
