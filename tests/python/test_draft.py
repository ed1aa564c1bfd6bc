"""Drafts: plain data, whose addresses are read strictly."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest

import mailtide
from mailtide import Address, Draft, DraftAttachment


def test_a_draft_takes_addresses_as_a_header_has_them():
    draft = Draft(to="Ada <ada@example.org>, grace@example.org", cc=[Address("b@c.example", "Büro"), "d@e.example"])
    assert [(a.name, a.email) for a in draft.to] == [("Ada", "ada@example.org"), (None, "grace@example.org")]
    assert [a.email for a in draft.cc] == ["b@c.example", "d@e.example"]
    assert draft.from_ is None and draft.bcc == ()


@pytest.mark.parametrize("wrong", ["nobody", "a@b@c", "a@example.org\r\nBcc: evil@example.org", "<a@example.org"])
def test_what_is_no_address_is_refused_when_the_draft_is_made(wrong: str):
    with pytest.raises(mailtide.UsageError) as caught:
        Draft(to=wrong)
    assert caught.value.code == "usage.address"


def test_a_draft_has_one_sender():
    with pytest.raises(mailtide.UsageError, match="one sender"):
        Draft(from_="ada@example.org, grace@example.org")


def test_files_are_paths_or_bytes_with_a_name():
    draft = Draft(attach=["folder/log.pdf", Path("a.txt"), DraftAttachment("b.png", b"x", content_id="moth")])
    assert [one.filename for one in draft.attach] == ["log.pdf", "a.txt", "b.png"]
    assert draft.attach[0].content == Path("folder/log.pdf") and draft.attach[2].content_id == "moth"
    with pytest.raises(mailtide.UsageError, match="several"):
        Draft(attach="log.pdf")


def test_a_draft_is_plain_data():
    draft = Draft(to="ada@example.org", subject="moth", text="…", headers={"X-Moth": "1"}, attach=["log.pdf"])
    assert pickle.loads(pickle.dumps(draft)) == draft and hash(draft) == hash(replace(draft))
    assert replace(draft, subject="Re: moth").subject == "Re: moth"
    assert replace(draft, subject="Re: moth").headers == (("X-Moth", "1"),)
    assert "b'secret'" not in repr(Draft(attach=[DraftAttachment("x", b"secret")]))
