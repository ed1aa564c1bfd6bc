"""A submission server that keeps what it is given in memory: no package, no mail queue."""

import socketserver
import threading
from contextlib import suppress


class Sink(socketserver.ThreadingTCPServer):
    """Takes every message but those to `nobody`, from its start to the end of its `with`."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Dialogue)
        self.taken: list[bytes] = []
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"

    def server_close(self) -> None:
        self.shutdown()
        self.thread.join()
        super().server_close()


class Dialogue(socketserver.StreamRequestHandler):
    """RFC 5321, as far as one client needs it."""

    server: Sink

    def handle(self) -> None:
        with suppress(ConnectionError):
            self.talk()

    def talk(self) -> None:
        self.wfile.write(b"220 sink\r\n")
        while line := self.rfile.readline():
            word = line.split(b" ")[0].strip().upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.server.taken.append(b"".join(iter(self.rfile.readline, b".\r\n")))
            answer = b"550 no such user\r\n" if word == b"RCPT" and b"nobody" in line else b"250 fine\r\n"
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else answer)
