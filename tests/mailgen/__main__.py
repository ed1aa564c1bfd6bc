"""Generated mail as files, or into a private server.

python3 tests/mailgen files FOLDER --count 100 --seed 1
python3 tests/servers/dovecot.py env --home HOME | python3 tests/mailgen fill --count 100
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mailgen import connect, fill, messages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["files", "fill"])
    parser.add_argument("folder", nargs="?", type=Path, help="files: where to write 000001.eml and so on")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--user", help="fill: another account than the server's own")
    arguments = parser.parse_args()
    mails = messages(arguments.count, arguments.seed)
    if arguments.command == "fill":
        with connect(json.load(sys.stdin), arguments.user) as client:
            print("%d messages, %d bytes" % fill(client, mails))
        return
    if arguments.folder is None:
        parser.error("files needs a FOLDER")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for number, mail in enumerate(mails, 1):
        (arguments.folder / f"{number:06}.eml").write_bytes(mail.raw)


if __name__ == "__main__":
    main()
