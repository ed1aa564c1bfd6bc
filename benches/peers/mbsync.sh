#!/bin/sh
# mbsync (isync) as a peer of the local mailbox: pulls all mailboxes into Maildir folders, without fsync.
set -e
mkdir -p "$BENCH_DIR/mail"
configuration=$(mktemp)
trap 'rm -f "$configuration"' EXIT
# A section ends at an empty line, and only there.
cat > "$configuration" <<END
FSync no

IMAPAccount bench
Host $BENCH_HOST
Port $BENCH_PORT
User $BENCH_USER
Pass $BENCH_PASS
SSLType None
AuthMechs LOGIN

IMAPStore far
Account bench

MaildirStore near
Path $BENCH_DIR/mail/
Inbox $BENCH_DIR/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Sync Pull
Create Near
Expunge Near
SyncState *
END
mbsync -q -c "$configuration" all >&2
messages=$(find "$BENCH_DIR/mail" -path '*/cur/*' -type f -o -path '*/new/*' -type f | wc -l)
echo "{\"messages\": $messages, \"bytes\": 0}"
