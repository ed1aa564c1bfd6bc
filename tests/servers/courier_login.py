"""The login in front of a private Courier: greeting, CAPABILITY, STARTTLS, LOGIN and AUTHENTICATE PLAIN.

What comes after a login is Courier's own: its imapd gets the connection and says the answer to the login itself. A
process per connection; the signal that ends the first one ends them all. Started by courier.py.
"""

import base64
import os
import re
import shutil
import signal
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
from pathlib import Path

HOME = Path(os.environ["MAILTIDE_FRONT_HOME"])
ROOT = Path(os.environ["MAILTIDE_FRONT_ROOT"])
PASSWORD = os.environ["MAILTIDE_FRONT_PASSWORD"]
OWNER, GROUP = map(int, os.environ["MAILTIDE_FRONT_OWNER"].split())
WORDS = os.environ["IMAP_CAPABILITY"]
LONGEST = 8192


class Connection(socketserver.BaseRequestHandler):
    """One client, up to its end."""

    server: "Front"

    def handle(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.is_tls = False
        try:
            if self.server.is_tls:
                self.begin_tls()
            self.say(f"* OK [CAPABILITY {self.words()}] Courier-IMAP ready.")
            self.log_in()
        except (EOFError, ConnectionError, ssl.SSLError):
            pass

    def begin_tls(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(HOME / "ca/server.pem", HOME / "ca/server.key")
        self.request = context.wrap_socket(self.request, server_side=True)
        self.is_tls = True

    def words(self) -> str:
        return f"{WORDS} AUTH=PLAIN" + ("" if self.is_tls else " STARTTLS")

    def say(self, line: str) -> None:
        self.request.sendall(line.encode() + b"\r\n")

    def line(self) -> str:
        """Byte by byte: what follows the login is imapd's."""
        line = b""
        while not line.endswith(b"\n"):
            byte = self.request.recv(1)
            if not byte or len(line) > LONGEST:
                raise EOFError
            line += byte
        return line.decode("latin-1").rstrip("\r\n")

    def log_in(self) -> None:
        while True:
            tag, _, rest = self.line().partition(" ")
            command, _, argument = rest.partition(" ")
            match command.upper():
                case "CAPABILITY":
                    self.say(f"* CAPABILITY {self.words()}")
                    self.say(f"{tag} OK CAPABILITY completed")
                case "NOOP":
                    self.say(f"{tag} OK NOOP completed")
                case "LOGOUT":
                    self.say("* BYE Courier-IMAP server shutting down")
                    self.say(f"{tag} OK LOGOUT completed")
                    return
                case "STARTTLS" if not self.is_tls:
                    self.say(f"{tag} OK Begin SSL/TLS negotiation now.")
                    self.begin_tls()
                case "LOGIN":
                    user, password = self.words_of(argument)
                    if self.admit(tag, user, password):
                        return
                case "AUTHENTICATE" if argument.upper().startswith("PLAIN"):
                    _, user, password = self.plain(argument[6:]).split("\0")
                    if self.admit(tag, user, password):
                        return
                case _:
                    self.say(f"{tag} NO Error in IMAP command received by server.")

    def words_of(self, argument: str) -> list[str]:
        """Atoms, quoted strings and literals."""
        found: list[str] = []
        while literal := re.search(r"\{(\d+)(\+?)\}$", argument):
            found += unquoted(argument[: literal.start()])
            if not literal[2]:
                self.say("+ Go ahead")
            found.append("".join(self.request.recv(1).decode("latin-1") for _ in range(int(literal[1]))))
            argument = self.line()
        return found + unquoted(argument)

    def plain(self, initial: str) -> str:
        if not initial:
            self.say("+ ")
            initial = self.line()
        return base64.b64decode(initial).decode()

    def admit(self, tag: str, user: str, password: str) -> bool:
        if password != PASSWORD or not re.fullmatch(r"[\w.@-]+", user):
            self.say(f"{tag} NO Login failed.")
            return False
        self.serve(tag, user)
        return True

    def serve(self, tag: str, user: str) -> None:
        """Runs imapd at the connection, through a pair of sockets where that is encrypted."""
        environment = os.environ | {"AUTHENTICATED": user, "AUTHADDR": user, "IMAPLOGINTAG": tag, "TCPREMOTEIP": "127.0.0.1",
                                    "TCPREMOTEPORT": str(self.client_address[1]),
                                    "IMAP_TLS": str(int(self.is_tls))}  # fmt: skip
        ours, theirs = socket.socketpair() if self.is_tls else (None, self.request)
        imapd = subprocess.Popen([ROOT / "usr/bin/imapd", "Maildir"], stdin=theirs, stdout=theirs, env=environment,
                                 cwd=home_of(user), user=OWNER, group=GROUP)  # fmt: skip
        if ours is not None:
            theirs.close()
            threading.Thread(target=pump, args=(self.request, ours), daemon=True).start()
            pump(ours, self.request)
        imapd.wait()


class Front(socketserver.ForkingTCPServer):
    """Listens at one port; a connection is a process of its own."""

    allow_reuse_address = True
    request_queue_size = 500
    max_children = 1000

    def __init__(self, port: int, is_tls: bool) -> None:
        self.is_tls = is_tls
        super().__init__(("127.0.0.1", port), Connection)


def unquoted(text: str) -> list[str]:
    words = re.findall(r'"(?:[^"\\]|\\.)*"|[^\s"]+', text)
    return [re.sub(r"\\(.)", r"\1", word[1:-1]) if word.startswith('"') else word for word in words]


def home_of(user: str) -> Path:
    """The user's folder, made at the first login."""
    home = HOME / "users" / user
    if not home.exists():
        new = HOME / "users" / f".{user}.{os.getpid()}"
        shutil.copytree(HOME / "new", new)
        for path in (new, *new.rglob("*")):
            os.chown(path, OWNER, GROUP)
        try:
            new.rename(home)
        except OSError:  # another connection was faster
            shutil.rmtree(new)
    return home


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def end(*_: object) -> None:
    """Ends all connections with us: they are our process group."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
    os._exit(0)


def main() -> None:
    plain, tls = map(int, os.environ["MAILTIDE_FRONT_PORTS"].split())
    # Forking from two threads is not for Python: a process for each port.
    if os.fork() == 0:
        Front(tls, is_tls=True).serve_forever()
        sys.exit()
    signal.signal(signal.SIGTERM, end)
    Front(plain, is_tls=False).serve_forever()


if __name__ == "__main__":
    main()
