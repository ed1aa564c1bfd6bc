"""Names that IMAP itself gives: flags and special uses."""

from __future__ import annotations

from enum import StrEnum


class Flag(StrEnum):
    """Flags that everybody knows. Any other keyword is written as a plain string, such as `"$Invoice"`."""

    SEEN = "\\Seen"
    ANSWERED = "\\Answered"
    FLAGGED = "\\Flagged"
    DELETED = "\\Deleted"
    DRAFT = "\\Draft"
    FORWARDED = "$Forwarded"
    MDN_SENT = "$MDNSent"
    JUNK = "$Junk"
    NOT_JUNK = "$NotJunk"
    PHISHING = "$Phishing"
    IMPORTANT = "$Important"


class Role(StrEnum):
    """What a mailbox is for (RFC 6154), wherever the server keeps it and whatever it is called."""

    INBOX = "inbox"
    ALL = "all"
    ARCHIVE = "archive"
    DRAFTS = "drafts"
    FLAGGED = "flagged"
    IMPORTANT = "important"
    JUNK = "junk"
    SENT = "sent"
    TRASH = "trash"
