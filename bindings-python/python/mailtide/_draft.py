"""Messages that are being written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from os import PathLike, fspath
from pathlib import Path
from typing import TypeAlias, TypeVar, cast

from . import _native
from ._errors import usage
from ._native import Address

_T = TypeVar("_T")

#: One address or several, as a header has them: `"Ada <ada@example.org>, grace@example.org"`.
Recipients: TypeAlias = str | Address | Iterable[str | Address]


@dataclass(frozen=True, slots=True)
class DraftAttachment:
    """A file of a `Draft`, where a path alone does not say enough.

    The content is bytes, or the path of a file that is read when the message is queued. The media type is guessed from
    the name unless given. With a `content_id` it is shown where the HTML says `cid:` and this, instead of being attached.
    """

    filename: str | None
    content: bytes | Path = field(repr=False)
    media_type: str | None = field(default=None, kw_only=True)
    content_id: str | None = field(default=None, kw_only=True)


#: The path of a file, or a `DraftAttachment`.
Attached: TypeAlias = str | PathLike[str] | DraftAttachment


@dataclass(frozen=True, slots=True, init=False)
class Draft:
    """A message that is being written; `Mail.send` takes it. Plain data: nothing is read or sent by making one, and
    `dataclasses.replace` makes another one of it.

    Addresses are read by a strict parser: what is none is `usage.address`. `from_` may be left out where the store
    knows its `sender`. With text and HTML, the HTML is the alternative. Nothing given here can become a second header field.
    """

    from_: Address | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    #: Recipients of whom nobody is told: they are in no byte of the message.
    bcc: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    subject: str
    text: str | None
    html: str | None
    attach: tuple[DraftAttachment, ...]
    #: The `Message-ID` of what this answers, and those of its thread, without angle brackets.
    in_reply_to: str | None
    references: tuple[str, ...]
    #: More header fields, such as `List-Unsubscribe`.
    headers: tuple[tuple[str, str], ...]

    def __init__(
        self,
        *,
        to: Recipients = (),
        subject: str = "",
        text: str | None = None,
        html: str | None = None,
        attach: Iterable[Attached] = (),
        from_: str | Address | None = None,
        cc: Recipients = (),
        bcc: Recipients = (),
        reply_to: Recipients = (),
        in_reply_to: str | None = None,
        references: Iterable[str] = (),
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> None:
        self._set("from_", sender_of(from_))
        for name, given in {"to": to, "cc": cc, "bcc": bcc, "reply_to": reply_to}.items():
            self._set(name, _addresses(given))
        for name, text_or_none in {"subject": subject, "text": text, "html": html, "in_reply_to": in_reply_to}.items():
            self._set(name, text_or_none)
        self._set("attach", tuple(map(_attached, _several("attach", attach))))
        self._set("references", tuple(_several("references", references)))
        self._set("headers", tuple(_fields(headers)))

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)


def _addresses(given: Recipients) -> tuple[Address, ...]:
    if isinstance(given, Address):
        return (given,)
    if isinstance(given, str):
        return _native.addresses(given) if given.strip() else ()
    return tuple(address for one in given for address in _addresses(one))


def sender_of(given: str | Address | None) -> Address | None:
    """Exactly one address."""
    if given is None:
        return None
    found = _addresses(given)
    if len(found) != 1:
        raise usage("usage.address", "A message has exactly one sender")
    return found[0]


def _attached(given: Attached) -> DraftAttachment:
    if isinstance(given, DraftAttachment):
        return given
    path = Path(fspath(given))
    return DraftAttachment(path.name, path)


def _fields(given: Mapping[str, str] | Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    if isinstance(given, Mapping):
        return cast(Mapping[str, str], given).items()
    return given


def _several(name: str, given: Iterable[_T]) -> Iterable[_T]:
    if isinstance(given, str | bytes | PathLike):
        raise usage("usage.argument", f"{name}= takes several", f"Write {name}=[…]")
    return given
