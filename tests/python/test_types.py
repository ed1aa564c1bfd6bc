"""Plain data: refs, sets, queries, bytes, headers, views."""

from __future__ import annotations

import json
import pickle
from datetime import date, timedelta

import pytest

import mailtide
from mailtide import Address, BulkResult, Bytes, Failed, Flag, Headers, MessageRef, Q, Role, UidSet, q

REF = MessageRef("ada@imap.example.org", "Täglich/Post", 7, 42)


def test_a_ref_is_hashable_picklable_and_json():
    same = MessageRef("ada@imap.example.org", "Täglich/Post", 7, 42)
    assert REF == same and hash(REF) == hash(same) and {REF: 1}[same] == 1
    assert pickle.loads(pickle.dumps(REF)) == REF
    assert MessageRef.from_dict(json.loads(json.dumps(REF.to_dict()))) == REF
    assert sorted([REF, MessageRef("ada@imap.example.org", "Täglich/Post", 7, 9)])[0].uid == 9
    assert str(REF) == "ada@imap.example.org/Täglich/Post;UIDVALIDITY=7/;UID=42"


def test_a_ref_cannot_be_changed_or_made_of_zeros():
    with pytest.raises(AttributeError):
        REF.uid = 3  # type: ignore[misc]
    with pytest.raises(mailtide.UsageError):
        MessageRef("a@h", "INBOX", 7, 0)


def test_uid_sets_are_ranges():
    assert list(UidSet("1:3,9")) == [1, 2, 3, 9]
    assert str(UidSet([9, 2, 1, 3])) == "1:3,9"
    assert len(UidSet("1:4294967295")) == 4294967295
    assert 5 in UidSet("1:9") and 10 not in UidSet("1:9")
    assert pickle.loads(pickle.dumps(UidSet("1:3"))) == UidSet([1, 2, 3])


@pytest.mark.parametrize("bad", ["", "*", "1:*", "0", "a", "1,,2", "-1", "1:2:3", "4294967296", [0], [True], ["1"], [-1]])
def test_what_is_no_uid_set_is_refused(bad: object):
    with pytest.raises((mailtide.UsageError, TypeError)):
        UidSet(bad)  # type: ignore[arg-type]


def test_values_in_queries_can_never_become_syntax():
    assert repr(q("from:{who}", who='x" OR is:unread')) == repr(Q.from_('x" OR is:unread'))
    assert q("is:unread {x}", x="1") != q("is:unread")


def test_templates_name_every_value():
    with pytest.raises(mailtide.UsageError):
        q("from:{who}")
    with pytest.raises(mailtide.UsageError):
        q("from:{}", who=1)


def test_built_and_parsed_queries_are_the_same():
    built = Q.unread() & (Q.from_("ada") | Q.from_("grace")) & ~Q.list("*")
    assert built == Q("is:unread (from:ada OR from:grace) -list:*")
    assert Q.newer("7d") == Q("newer:7d")
    assert Q.newer(timedelta(hours=36)) == Q("newer:36h")
    assert Q.after(date(2024, 1, 31)) == Q("after:2024-01-31")
    assert Q.larger(1_000_000) == Q("larger:1M")
    assert Q.flag("$Invoice") == Q("is:$Invoice")


@pytest.mark.parametrize("bad", ["", "1:*", "ALL", "UNSEEN", "nokey:x", "from:", "(from:a", "newer:7"])
def test_what_is_no_query_is_an_error_with_a_place(bad: str):
    with pytest.raises(mailtide.QueryError) as caught:
        Q(bad)
    assert caught.value.code == "query.syntax"
    assert isinstance(caught.value.context["position"], int)


def test_flags_and_roles_are_strings():
    assert Flag.SEEN == "\\Seen" and Flag.SEEN in {"\\Seen"} and f"{Flag.JUNK}" == "$Junk"
    assert Role("archive") is Role.ARCHIVE and pickle.loads(pickle.dumps(Role.TRASH)) is Role.TRASH


def test_bytes_lend_their_memory():
    data = Bytes(b"Hello, world")
    assert bytes(data) == b"Hello, world" and len(data) == 12 and data == b"Hello, world"
    assert memoryview(data)[7:].tobytes() == b"world" and memoryview(data).readonly
    assert data[0] == 72 and data[-1] == 100 and bytes(data[7:]) == b"world" and data[::-1] == b"dlrow ,olleH"
    assert data.decode() == "Hello, world" and b"wor" in data and hash(data) == hash(bytes(data))
    assert pickle.loads(pickle.dumps(data)) == data
    with pytest.raises(IndexError):
        data[12]
    with pytest.raises(TypeError):
        Bytes("text")  # type: ignore[arg-type]


def test_a_view_keeps_the_memory_alive():
    view = memoryview(Bytes(b"x" * 100_000))[99_990:]
    assert view.tobytes() == b"x" * 10


def test_addresses_print_as_headers_do():
    assert str(Address("ada@example.org", "Lovelace, Ada")) == '"Lovelace, Ada" <ada@example.org>'
    assert Address("ada@example.org").domain == "example.org"
    assert pickle.loads(pickle.dumps(Address("a@b", "A"))) == Address("a@b", "A")


def test_headers_have_no_case_and_keep_repetitions():
    headers = Headers([("Received", "one"), ("received", "two"), ("Subject", "Moth")])
    assert headers["SUBJECT"] == "Moth" and "subject" in headers and headers.get("X") is None
    assert headers.get_all("Received") == ["one", "two"] and headers["received"] == "one"
    assert list(headers) == ["Received", "Subject"] and len(headers) == 2


def test_a_bulk_result_in_a_notebook_is_escaped():
    ref = MessageRef("ada@h", "<script>alert(1)</script>", 7, 1)
    error = mailtide._native.make_error("server.refused", "<img src=http://evil>")
    html = BulkResult(failed=(Failed(ref, error),), unknown=(ref,))._repr_html_()
    assert "<script" not in html and "<img" not in html and "&lt;script&gt;" in html


def test_an_account_shows_no_secret():
    account = mailtide.Account(
        "imaps://ada:planted%2Fsecret@imap.example.org",
        password="planted",
        token=lambda request: "planted",
        net=mailtide.Net(proxy="socks5://u:planted@h:1"),
    )
    assert "planted" not in repr(account) and "planted" not in str(account.net)
    assert repr(account) == "Account('imaps://ada:…@imap.example.org')"
    assert "planted" not in repr(mailtide.TokenRequest("ada", "h", "first", "planted"))
    assert "planted" not in repr(mailtide.Token("planted"))


def test_every_public_name_is_there():
    assert [name for name in mailtide.__all__ if not hasattr(mailtide, name)] == []
    assert [name for name in mailtide.blocking.__all__ if not hasattr(mailtide.blocking, name)] == []
