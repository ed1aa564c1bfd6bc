"""The command line: the program `mailtide`, and `python -m mailtide`."""

import signal
import sys

from mailtide import _native


def main() -> None:
    """Does what was typed."""
    # The command handles Ctrl-C; Python would only look at it once the command has ended.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_native.command_line(sys.argv[1:]))


if __name__ == "__main__":
    main()
