"""Messages as columns, for pyarrow and pandas where they are installed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._errors import usage

if TYPE_CHECKING:
    from ._messages import Messages
    from ._native import Message

SINGLE = ("uid", "size", "received", "date", "subject", "message_id", "in_reply_to", "thread")
ADDRESSES = ("from_", "sender", "to", "cc", "bcc", "reply_to")


async def arrow(messages: Messages) -> Any:
    """Lists of addresses and flags stay lists; dates are in UTC."""
    try:
        pyarrow: Any = import_module("pyarrow")
    except ImportError as error:
        raise _missing("to_arrow()", "pyarrow") from error
    columns = await _columns(messages)
    instant = pyarrow.timestamp("s", tz="UTC")
    typed: dict[str, Any] = {"received": instant, "date": instant, "uid": pyarrow.uint32(), "size": pyarrow.uint64()}
    many = pyarrow.list_(pyarrow.string())
    kinds = {**dict.fromkeys((*ADDRESSES, "flags", "attachments"), many), **typed}
    arrays = {name: pyarrow.array(values, kinds.get(name, pyarrow.string())) for name, values in columns.items()}
    return pyarrow.table(arrays)


async def frame(messages: Messages) -> Any:
    """Dates are in UTC, since one column has one zone."""
    try:
        pandas: Any = import_module("pandas")
    except ImportError as error:
        raise _missing("to_pandas()", "pandas") from error
    made = pandas.DataFrame(await _columns(messages))
    for name in ("received", "date"):
        made[name] = pandas.to_datetime(made[name], utc=True)
    return made


async def _columns(messages: Messages) -> dict[str, list[Any]]:
    rows = [_row(message) async for message in messages]
    return {name: [row[name] for row in rows] for name in (*SINGLE, *ADDRESSES, "flags", "attachments")}


def _row(message: Message) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(message, name) for name in SINGLE}
    row |= {name: [str(address) for address in getattr(message, name)] for name in ADDRESSES}
    row["flags"] = sorted(message.flags)
    row["attachments"] = [attachment.filename or attachment.media_type for attachment in message.attachments]
    return row


def _missing(method: str, package: str) -> Exception:
    return usage("usage.argument", f"{method} needs the package {package}", f"pip install {package}")
