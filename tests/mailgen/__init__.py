"""A seeded generator of realistic mail, for tests, the demo and benchmarks. Standard library only."""

from mailgen.generator import Generator, Mail, messages
from mailgen.mailbox import append, connect, fill

__all__ = ["Generator", "Mail", "append", "connect", "fill", "messages"]
