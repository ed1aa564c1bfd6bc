"""A call of a conformance case on the Python package: names and arguments in, plain data out."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import case_plain as plain
import mailtide
from mailtide import Limits, MessageRef, Net, Q, Role, Timeouts, UidSet, testing

TIMES = ("connect", "greeting", "progress", "slow_progress")


class Caller:
    """What a case has open."""

    def __init__(self, door: Any, port: int, account: dict[str, Any]) -> None:
        """`door` is one of `case_doors`."""
        self.door, self.port, self.account = door, port, account
        self.engine = door.Engine()
        self.session: mailtide.Session | None = None
        self.mail: mailtide.Mail | None = None
        #: What serves the store, and the server for tests.
        self.serving: mailtide.Server | None = None
        self.tested: testing.Server | None = None
        #: The app password that was made last.
        self.made = ""
        self.folder = Path(tempfile.mkdtemp())
        self.watch: mailtide.Watch | None = None
        #: The call that goes on while the next steps are played; it ends with the store.
        self.meanwhile: asyncio.Task[Any] | None = None
        self.messages: list[mailtide.Message] = []
        self.cursor = ""
        self.reasons: list[str] = []

    async def close(self) -> None:
        if self.watch is not None:
            self.watch.close()
        if self.session is not None:
            # A server that says nothing any more is waited for in vain.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.session.close(), 1)
        if self.mail is not None:
            await self.mail.close()
        if self.meanwhile is not None:
            await self.meanwhile
        for server in (self.serving, self.tested):
            if server is not None:
                await server.close()
        shutil.rmtree(self.folder)

    async def call(self, name: str, args: dict[str, Any]) -> Any:
        noun, _, verb = name.rpartition(".")
        match noun:
            case "" if verb == "open":
                return await self.open(dict(args))
            case "" if verb == "repair":
                return plain.answer(await self.door.repair(self.folder / "ada.mail"))
            case "":
                return await self.connect(args)
            case "server":
                return await self.on_server(verb, dict(args))
            case "mail":
                return await self.on_mail(verb, dict(args))
            case "session":
                return await self.on_session(verb, dict(args))
            case "mailbox":
                return await self.on_mailbox(verb, dict(args))
            case "watch":
                assert self.watch is not None
                return self.watch.close()
            case _:
                return await self.on_message(noun, verb, args)

    async def event(self) -> Any:
        """The next event of the watch; null after its end."""
        assert self.watch is not None
        async for event in self.watch:
            if isinstance(event, mailtide.New):
                self.messages = [event.message]
            self.cursor = event.cursor
            return plain.event(event)
        return None

    async def connect(self, args: dict[str, Any]) -> Any:
        self.session = await self.door.connect(self.login(args), engine=self.engine)
        return {"tokens": self.reasons}

    async def open(self, args: dict[str, Any]) -> None:
        """A store in a folder of its own."""
        alone = args.pop("alone", False)
        given = {name: args.pop(name) for name in ("smtp", "sender") if name in args}
        account = None if alone else self.login(args)
        self.mail = await self.door.open(self.folder / "ada.mail", account, engine=self.engine, **given)

    async def start(self, given: dict[str, Any]) -> None:
        """The server of the case's header; the case connects to it."""
        mail = {name: [letter.encode() for letter in letters] for name, letters in given.get("mail", {}).items()}
        self.tested = await self.door.TestServer(**{**given, "mail": mail})
        self.port = self.tested.port

    async def serve(self, args: dict[str, Any]) -> None:
        """Serves the store; what connects from here on connects to it."""
        assert self.mail is not None
        if "tokens" in args:
            args["tokens"] = issuer(args["tokens"])
        self.serving = await self.door.Server(self.mail, **args)
        self.port = self.serving.port

    async def on_server(self, verb: str, args: dict[str, Any]) -> Any:
        if verb == "start":
            return await self.serve(args)
        if self.serving is not None:
            answer = await getattr(self.serving, verb)(**args)
            if verb == "add_app_password":
                self.made = answer
            return plain.answer(answer) if isinstance(answer, list) else None
        assert self.tested is not None
        mailbox = target(args.pop("in", "INBOX"))
        match verb:
            case "deliver":
                return await self.tested.deliver(mailbox, args["content"].encode(), flags=args.get("flags"))
            case "messages":
                return [plain.message(message) for message in await self.tested.messages(mailbox)]
            case "commands":
                return [command for command in self.tested.commands if args["with"] in command]
            case "fault":
                if "data" in args:
                    args["data"] = args["data"].encode()
                return self.tested.fault(**args)
        return await getattr(self.tested, verb)()

    def login(self, args: dict[str, Any]) -> mailtide.Account:
        given = {**self.account, **args}
        url = given.pop("url", "imap://ada@127.0.0.1:PORT").replace("PORT", str(self.port))
        limits = given.pop("limits", {})
        times = {name: given_time for name, given_time in limits.items() if name in TIMES}
        net = Net(timeouts=Timeouts(**times))
        bounds = Limits(**{name: bound for name, bound in limits.items() if name not in times})
        if tokens := given.pop("tokens", None):
            given |= {"token": self.tokens(tokens), "password": None}
        if given.get("password") == "$made":
            given["password"] = self.made
        return mailtide.Account(url, **{"password": "secret", "net": net, "limits": bounds, **given})

    def tokens(self, tokens: list[str]) -> Any:
        """Gives one token after the other."""

        def ask(request: mailtide.TokenRequest) -> str:
            self.reasons.append(request.reason)
            return tokens[min(len(self.reasons), len(tokens)) - 1]

        return ask

    async def on_session(self, verb: str, args: dict[str, Any]) -> Any:
        return await self.on_either(self.session, verb, args)

    async def on_mail(self, verb: str, args: dict[str, Any]) -> Any:
        assert self.mail is not None
        match verb:
            case "changes":
                since = args["since"]
                self.watch = self.mail.changes(since=self.cursor if since == "$cursor" else since)
                return None
            case "cursor":
                self.cursor = await self.mail.cursor()
                return None
            case "backup":
                return await self.mail.backup(self.folder / args["to"])
            case "export" | "import":
                path = self.folder / args.pop("file")
                if "content" in args:
                    path.write_text(args.pop("content"))
                return plain.answer(await getattr(self.mail, {"import": "import_"}.get(verb, verb))(path, **args))
            case "search":
                return plain.answer(await self.mail.search(args.pop("query"), **args))
            case "set_keep":
                rule = args["keep"] and mailtide.Keep(**args["keep"])
                return await self.mail.set_keep(rule, args.get("name"))
            case "send":
                args["from_"] = args.pop("from", None)
                return plain.answer(await self.mail.send(mailtide.Draft(**args)))
        if args.pop("meanwhile", False):
            self.meanwhile = asyncio.create_task(getattr(self.mail, verb)(**args))
            return None
        if "id" in args or "bytes" in args:
            return plain.answer(await getattr(self.mail, verb)(*args.values()))
        return await self.on_either(self.mail, verb, args)

    async def on_either(self, session: Any, verb: str, args: dict[str, Any]) -> Any:
        """What sessions and stores have alike."""
        assert session is not None
        names = [target(args.pop(key)) for key in ("name", "to") if key in args]
        values = [args.pop(key) for key in ("fields", "command") if key in args]
        if "role" in args:
            args["role"] = Role(args["role"])
        done = getattr(session, verb)(*names, *values, **args)
        return None if verb == "mailbox" else plain.answer(await done)

    async def on_mailbox(self, verb: str, args: dict[str, Any]) -> Any:
        place = self.session or self.mail
        assert place is not None
        mailbox = place.mailbox(target(args.pop("in", "INBOX")))
        match verb:
            case "watch":
                since = args.pop("since", "now")
                self.watch = mailbox.watch(since=self.cursor if since == "$cursor" else since, **args)
                return await self.watch.ready()
            case "append" | "append_many":
                return await self.append(mailbox, verb, args)
            case "status":
                return plain.answer(await mailbox.status())
        chosen = self.selection(args)
        if verb == "fetch":
            return await self.fetch(mailbox, chosen, args)
        to = [target(args.pop("to"))] if "to" in args else []
        return plain.answer(await getattr(mailbox, verb)(chosen, *to, **args))

    async def fetch(self, mailbox: mailtide.Mailbox, chosen: Any, args: dict[str, Any]) -> Any:
        if "columns" in args:
            args["columns"] = ["from_" if name == "from" else name for name in args["columns"]]
        messages = mailbox.fetch(chosen, **args)
        self.messages = []
        async for message in messages:
            self.messages.append(message)
        return {"exact": messages.exact, "messages": [plain.message(m) for m in self.messages]}

    async def append(self, mailbox: mailtide.Mailbox, verb: str, args: dict[str, Any]) -> Any:
        content = args.pop("content")
        if "received" in args:
            args["received"] = datetime.fromisoformat(args["received"])
        source = self.source(content) if verb == "append" else [self.source(one) for one in content]
        return plain.answer(await getattr(mailbox, verb)(source, **args))

    def source(self, content: Any) -> Any:
        """Text, `{"base64": …}`, `{"file": text}`, `{"path": …}` or `{"stream": [text, …]}`."""
        if isinstance(content, str):
            return content.encode()
        if "base64" in content:
            return base64.b64decode(content["base64"])
        if "stream" in content:
            return self.door.pieces(content["stream"])
        if "path" in content:
            return Path(content["path"])
        file = Path(tempfile.mkstemp()[1])
        file.write_bytes(content["file"].encode())
        return file

    def selection(self, args: dict[str, Any]) -> Any:
        given = {key: args.pop(key) for key in ("query", "raw", "uids", "refs", "messages", "bare") if key in args}
        match given:
            case {"query": query}:
                return Q(query)
            case {"raw": raw}:
                return Q.raw(raw)
            case {"uids": uids}:
                return UidSet(uids)
            case {"refs": refs}:
                return [self.reference(ref) for ref in refs]
            case {"bare": text}:
                return text
            case {"messages": numbers}:
                return [self.messages[number] for number in numbers]
        return None

    def reference(self, text: str) -> MessageRef:
        assert self.session is not None
        mailbox, validity, uid = text.rsplit("/", 2)
        return MessageRef(self.session.account, mailbox, int(validity), int(uid))

    async def on_message(self, noun: str, verb: str, args: dict[str, Any]) -> Any:
        message = self.messages[args.get("message", 0)]
        chosen: Any = message if noun == "message" else message.attachments[args.get("attachment", 0)]
        thing = self.door.awaited(chosen)
        if verb == "stream":
            return plain.content(b"".join([bytes(piece) async for piece in thing.stream()]))
        if verb == "save":
            saved = await thing.save(args.get("directory") or tempfile.mkdtemp())
            return {"name": saved.name, "content": plain.content(saved.read_bytes())}
        given = {name: value for name, value in args.items() if name not in ("message", "attachment")}
        return plain.answer(await getattr(thing, verb)(**given))


def issuer(tokens: dict[str, str]) -> Any:
    """Knows the one token of each user; `raise` is an issuer that is out of order."""

    async def check(user: str, token: str) -> bool:
        if tokens.get(user) == "raise":
            raise RuntimeError("out of order")
        return tokens.get(user) == token

    return check


def target(named: Any) -> Any:
    """A name, its levels, or `{"role": …}`."""
    return Role(named["role"]) if isinstance(named, dict) else named
