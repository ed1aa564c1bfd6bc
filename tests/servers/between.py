"""Stands on loopback between a client and a server: hides capabilities, and is a network that can be cut.

A server that has UIDPLUS tells UIDs whether it announces that or not; where UIDPLUS is hidden, so are APPENDUID and
COPYUID.
"""

import re
import socket
import socketserver
import threading
from collections.abc import Iterable

UIDS = re.compile(rb"\[(?:APPENDUID|COPYUID) [^\]\r\n]*\] ?")
CAPABILITIES = re.compile(rb"(?m)^\* CAPABILITY [^\r\n]*|\[CAPABILITY [^\]\r\n]*")


class Between:
    """A port of its own that leads to a server's; use it as a context manager."""

    def __init__(self, server: int, hidden: Iterable[str] = ()) -> None:
        words = "|".join(re.escape(word) for word in hidden)
        self.hidden = re.compile(rf" (?:{words})(?=[ \]]|$)".encode()) if words else None
        self.hides_uids = "UIDPLUS" in words
        self.is_cut = False
        self.sockets: set[socket.socket] = set()
        self.lock = threading.Lock()
        between = self

        class Connection(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                between.connect(self.request, server)

        self.front = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connection)
        self.front.daemon_threads = True
        self.port = self.front.server_address[1]

    def __enter__(self) -> "Between":
        threading.Thread(target=self.front.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self.front.shutdown()
        self.front.server_close()

    def cut(self) -> None:
        """Ends all connections, and lets no new one through."""
        with self.lock:
            self.is_cut = True
            for one in self.sockets:
                hang_up(one)

    def mend(self) -> None:
        with self.lock:
            self.is_cut = False

    def connect(self, client: socket.socket, port: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as server:
            with self.lock:
                if self.is_cut:
                    return
                self.sockets |= {client, server}
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            up = threading.Thread(target=self.pass_on, args=(client, server, False), daemon=True)
            up.start()
            self.pass_on(server, client, self.hidden is not None)
            up.join()
            with self.lock:
                self.sockets -= {client, server}

    def pass_on(self, source: socket.socket, target: socket.socket, hiding: bool) -> None:
        """What ends one way ends the other."""
        kept = b""
        try:
            while data := source.recv(65536):
                if hiding:
                    # Every response ends a line, so a part of one can wait for the rest.
                    data, newline, rest = (kept + data).rpartition(b"\n")
                    kept = rest
                    data = self.without(data + newline)
                target.sendall(data)
        except OSError:
            pass
        hang_up(source)
        hang_up(target)

    def without(self, lines: bytes) -> bytes:
        if self.hides_uids:
            lines = UIDS.sub(b"", lines)
        hidden = self.hidden
        return CAPABILITIES.sub(lambda found: hidden.sub(b"", found[0]), lines) if hidden else lines


def hang_up(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
