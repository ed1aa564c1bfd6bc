"""Every code has an exception, and exceptions keep what they know."""

from __future__ import annotations

import pickle

import pytest

import mailtide
from mailtide import _errors, _native


def test_every_code_of_the_engine_has_a_class_of_its_own_family():
    unmapped = [code for code in _native.codes() if code not in _errors.CLASSES]
    assert unmapped == []
    assert all(cls is not mailtide.MailError for cls in _errors.CLASSES.values())


def test_no_class_is_left_without_a_code():
    named = {*_errors.FAMILIES.values(), *_errors.EXCEPTIONS.values()}
    assert named == set(_errors.CLASSES.values()) | {_errors.FAMILIES["net"]}


@pytest.mark.parametrize("code", _native.codes())
def test_an_error_survives_pickling(code: str):
    error = _native.make_error(code, "It went wrong", "Do better")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error) is _errors.CLASSES[code]
    assert (copy.code, copy.message, copy.retry, copy.context) == (code, "It went wrong", error.retry, error.context)
    assert str(copy) == str(error) == f"It went wrong. Do better [{code}]"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("net.lost", ConnectionError),
        ("net.timeout", TimeoutError),
        ("net.tls", ConnectionError),
        ("query.syntax", ValueError),
        ("usage.selection", ValueError),
        ("mailbox.missing", LookupError),
        ("file.io", OSError),
    ],
)
def test_errors_are_what_python_calls_them(code: str, kind: type[Exception]):
    assert isinstance(_native.make_error(code, "x"), kind)


def test_a_partial_result_survives_pickling():
    ref = mailtide.MessageRef("ada@h", "INBOX", 7, 1)
    error = _native.make_error("bulk.partial", "1 done, 1 failed, 0 unknown")
    assert isinstance(error, mailtide.PartialError)
    reason = _native.make_error("server.refused", "No")
    error.result = mailtide.BulkResult((mailtide.Done(ref),), (mailtide.Failed(ref, reason),))
    copy = pickle.loads(pickle.dumps(error))
    assert copy.result.done == error.result.done
    assert copy.result.failed[0].error.code == "server.refused"
    assert not copy.result.ok
