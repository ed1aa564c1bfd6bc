"""A server that says what a test tells it to: enough IMAP to log in, and silence where that is wanted."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

#: Called with a command's name and tag; the lines to answer with, or None for silence.
Answer = Callable[[str, str], list[str] | None]

CAPABILITIES = "IMAP4rev1 UIDPLUS MOVE IDLE"


class Scripted:
    """Listens on loopback until the block ends. `commands` holds every line it was sent."""

    def __init__(self, answer: Answer | None = None) -> None:
        self._answer = answer or (lambda name, tag: None)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.commands: list[str] = []
        self.heard = threading.Event()
        self.left = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"imap://ada@127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone would leave the thread in accept().
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in self._open:
            connection.close()

    def hang_up(self) -> None:
        for connection in self._open:
            connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        lines = connection.makefile("rb")
        try:
            connection.sendall(f"* OK [CAPABILITY {CAPABILITIES}] ready\r\n".encode())
            for line in lines:
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                self.commands.append(text)
                tag, _, rest = text.partition(" ")
                for reply in self._replies(rest.upper(), tag):
                    connection.sendall(reply.encode() + b"\r\n")
        except OSError:
            pass
        finally:
            self.left.set()

    def _replies(self, command: str, tag: str) -> list[str]:
        name = command.split(" ")[0]
        replies = self._answer(command, tag)
        if replies is not None:
            return replies
        if name in ("LOGIN", "AUTHENTICATE"):
            return [f"{tag} OK [CAPABILITY {CAPABILITIES}] in"]
        if name in ("SELECT", "EXAMINE"):
            return [f"* {n}" for n in ("0 EXISTS", "OK [UIDVALIDITY 7] v", "OK [UIDNEXT 1] n")] + [f"{tag} OK open"]
        if name == "LIST":
            return ['* LIST () "/" INBOX', f"{tag} OK listed"]
        if name == "LOGOUT":
            return ["* BYE", f"{tag} OK out"]
        if name == "CAPABILITY":
            return [f"* CAPABILITY {CAPABILITIES}", f"{tag} OK"]
        self.heard.set()
        return []
