"""IMAP for programs: a live session, asyncio and blocking."""

from __future__ import annotations

from ._native import Bytes, MessageRef

__all__ = ["Bytes", "MessageRef"]
