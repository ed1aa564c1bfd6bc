"""A seeded generator of realistic mail, for tests, the demo and benchmarks. Standard library only."""

from mailgen.generator import Generator, Mail, messages
from mailgen.mailbox import append, connect, fill
from mailgen.real import real_messages

__all__ = ["Generator", "Mail", "append", "connect", "fill", "messages", "real_messages"]
