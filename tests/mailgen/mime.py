"""Writes MIME: encoded words, parameters, transfer encodings, multiparts. Bytes depend on the arguments alone."""

import base64
import binascii
import quopri
from collections.abc import Iterable
from email.header import Header

CRLF = "\r\n"


def header(name: str, value: str, charset: str = "utf-8") -> str:
    """One header field; what is not ASCII becomes encoded words (RFC 2047), in UTF-8 where the charset cannot."""
    if value.isascii():
        return f"{name}: {value}{CRLF}"
    return f"{name}: {encoded(value, charset, len(name) + 2)}{CRLF}"


def encoded(value: str, charset: str, first_column: int = 0) -> str:
    try:
        value.encode(charset)
    except UnicodeEncodeError:
        charset = "utf-8"
    # The email package has no encoded words in gb18030.
    charset = "utf-8" if charset in ("us-ascii", "gb18030") else charset
    return Header(value, charset, maxlinelen=74, header_name=" " * first_column).encode(linesep=CRLF)


def address(name: str | None, mail: str, charset: str = "utf-8") -> str:
    if name is None:
        return mail
    if not name.isascii():
        return f"{encoded(name, charset)} <{mail}>"
    return f'"{name}" <{mail}>' if "'" in name else f"{name} <{mail}>"


def parameter(name: str, value: str) -> str:
    """A parameter of Content-Type or Content-Disposition, in the form of RFC 2231 where it is not ASCII."""
    if value.isascii():
        return f'; {name}="{value}"'
    octets = "".join(chr(b) if chr(b).isalnum() and b < 128 else f"%{b:02X}" for b in value.encode())
    return f";{CRLF} {name}*=utf-8''{octets}"


def text_part(text: str, charset: str, subtype: str = "plain", encoding: str | None = None) -> bytes:
    """A text part with its header; the encoding is the one that mail programs use for the charset."""
    data = text.replace("\n", CRLF).encode(charset, "replace")
    encoding = encoding or ("7bit" if charset in ("us-ascii", "iso-2022-jp") else "quoted-printable")
    top = f'Content-Type: text/{subtype}; charset="{charset}"{CRLF}Content-Transfer-Encoding: {encoding}{CRLF}{CRLF}'
    return top.encode() + transfer_encode(data, encoding)


def file_part(data: bytes, media_type: str, name: str, disposition: str = "attachment", content_id: str = "") -> bytes:
    top = (
        f"Content-Type: {media_type}{parameter('name', name)}{CRLF}"
        f"Content-Disposition: {disposition}{parameter('filename', name)}{CRLF}"
        + (f"Content-ID: <{content_id}>{CRLF}" if content_id else "")
        + f"Content-Transfer-Encoding: base64{CRLF}{CRLF}"
    )
    return top.encode() + transfer_encode(data, "base64")


def multipart(subtype: str, boundary: str, parts: Iterable[bytes], parameters: str = "") -> bytes:
    top = f'Content-Type: multipart/{subtype}; boundary="{boundary}"{parameters}{CRLF}{CRLF}'
    body = b"".join(f"--{boundary}{CRLF}".encode() + part + CRLF.encode() for part in parts)
    return top.encode() + body + f"--{boundary}--{CRLF}".encode()


def transfer_encode(data: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        return base64.encodebytes(data).replace(b"\n", b"\r\n")
    if encoding == "quoted-printable":
        return quopri.encodestring(data.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    return data


def wrap_csv(rows: int, seed: int) -> bytes:
    """A table whose bytes follow from its size."""
    lines = (f"{row};{binascii.crc32(str(row + seed).encode()) % 100_000};ok" for row in range(rows))
    return CRLF.join(lines).encode()
