-- Schema 1. Decision 6 of the architecture says what is here and why; what nobody reads yet cannot be added cheaply.
-- Times are seconds since 1970 unless a comment says milliseconds. Flags are bits and other keywords (store::Flags).

-- store: the store's id. uid_validity: the largest that was given. feed_floor: what is gone.
CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;

-- What other rooms keep for themselves.
CREATE TABLE notes (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- None, or one. Never a secret.
CREATE TABLE account (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    address TEXT NOT NULL,
    settings TEXT NOT NULL,
    identity TEXT
) STRICT;

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    disabled INTEGER NOT NULL,
    mechanism TEXT,
    iterations INTEGER,
    salt BLOB,
    stored_key BLOB,
    server_key BLOB
) STRICT;

CREATE TABLE mailboxes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    delimiter TEXT,
    role TEXT,
    attributes TEXT NOT NULL,
    uid_validity INTEGER NOT NULL,
    uid_next INTEGER NOT NULL,
    mod_seq INTEGER NOT NULL,
    tombstones_from INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    -- NULL for a mailbox of our own; then the other remote columns mean nothing.
    remote_name BLOB,
    remote_uid_validity INTEGER NOT NULL,
    remote_uid_next INTEGER NOT NULL,
    remote_mod_seq INTEGER NOT NULL,
    remote_empty_mod_seq INTEGER NOT NULL,
    remote_exists INTEGER NOT NULL,
    remote_object_id TEXT,
    bodies_from INTEGER NOT NULL,
    audited INTEGER NOT NULL,
    resets INTEGER NOT NULL,
    resets_day INTEGER NOT NULL,
    suspects TEXT NOT NULL,
    unlisted INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX mailbox_names ON mailboxes (name) WHERE state <> 'gone';
CREATE UNIQUE INDEX mailbox_remotes ON mailboxes (remote_name) WHERE state <> 'gone' AND remote_name IS NOT NULL;

CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    thread INTEGER,
    size INTEGER NOT NULL,
    date INTEGER NOT NULL,
    -- Minutes east of UTC.
    zone INTEGER NOT NULL,
    digest BLOB,
    body INTEGER,
    email_id TEXT,
    problem TEXT,
    -- Set while it is placed nowhere.
    deleted_at INTEGER
) STRICT;
CREATE INDEX message_digests ON messages (substr(digest, 1, 8)) WHERE digest IS NOT NULL;
CREATE INDEX message_bodies ON messages (body) WHERE body IS NOT NULL;
CREATE INDEX message_email_ids ON messages (email_id) WHERE email_id IS NOT NULL;
CREATE INDEX message_threads ON messages (thread) WHERE thread IS NOT NULL;
CREATE INDEX messages_deleted ON messages (id) WHERE deleted_at IS NOT NULL;

-- Apart from messages, so that those can be scanned without reading these. A frame each, of header, ENVELOPE and
-- BODYSTRUCTURE; links: the hashes under which it stands in `links`, 8 bytes each.
CREATE TABLE headers (message INTEGER PRIMARY KEY, data BLOB NOT NULL, links BLOB NOT NULL) STRICT;

-- Message-IDs by hash.
CREATE TABLE links (
    hash INTEGER NOT NULL,
    message INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    PRIMARY KEY (hash, message, kind)
) STRICT, WITHOUT ROWID;

-- In the order in which they are listed, so that a list is one range.
CREATE TABLE placements (
    mailbox INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    remote_uid INTEGER,
    -- NULL while the UID is only reserved.
    message INTEGER,
    bits INTEGER NOT NULL,
    keywords TEXT,
    -- What both sides last agreed on; NULL for never.
    agreed INTEGER,
    agreed_keywords TEXT,
    mod_seq INTEGER NOT NULL,
    save_date INTEGER NOT NULL,
    PRIMARY KEY (mailbox, uid)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX placement_remotes ON placements (mailbox, remote_uid) WHERE remote_uid IS NOT NULL;
CREATE INDEX placement_messages ON placements (message) WHERE message IS NOT NULL;
CREATE INDEX placement_mod_seqs ON placements (mailbox, mod_seq);
CREATE INDEX placements_reserved ON placements (mailbox, remote_uid) WHERE message IS NULL;

CREATE TABLE tombstones (
    mailbox INTEGER NOT NULL,
    mod_seq INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    remote_uid INTEGER,
    message INTEGER,
    at INTEGER NOT NULL,
    PRIMARY KEY (mailbox, mod_seq, uid)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_flags (
    user INTEGER NOT NULL,
    mailbox INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    bits INTEGER NOT NULL,
    keywords TEXT,
    PRIMARY KEY (user, mailbox, uid)
) STRICT, WITHOUT ROWID;

CREATE TABLE rights (
    mailbox INTEGER NOT NULL,
    identifier TEXT NOT NULL,
    rights TEXT NOT NULL,
    PRIMARY KEY (mailbox, identifier)
) STRICT, WITHOUT ROWID;

-- User 0 is the account's own.
CREATE TABLE subscriptions (user INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (user, name)) STRICT, WITHOUT ROWID;

-- Mailbox 0 is the server, user 0 is everybody.
CREATE TABLE metadata (
    mailbox INTEGER NOT NULL,
    user INTEGER NOT NULL,
    entry TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (mailbox, user, entry)
) STRICT, WITHOUT ROWID;

-- Mailbox 0 is the rule for those without one.
CREATE TABLE keep (mailbox INTEGER PRIMARY KEY, keep TEXT NOT NULL, days INTEGER, largest INTEGER) STRICT;

-- Staged ones have `staged`, and are seen by nobody.
CREATE TABLE bodies (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash BLOB NOT NULL,
    size INTEGER NOT NULL,
    header INTEGER NOT NULL,
    recipe BLOB NOT NULL,
    -- How many of each.
    parts INTEGER NOT NULL,
    chunks INTEGER NOT NULL,
    stored INTEGER NOT NULL,
    staged INTEGER
) STRICT;
CREATE INDEX body_hashes ON bodies (substr(hash, 1, 8)) WHERE staged IS NULL;
CREATE INDEX bodies_staged ON bodies (staged) WHERE staged IS NOT NULL;

-- id: body * 65536 + number.
CREATE TABLE chunks (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;

-- Contents that stand in others, decoded, and are stored once for all of these: attachments (store::body).
CREATE TABLE body_parts (
    body INTEGER NOT NULL,
    number INTEGER NOT NULL,
    part INTEGER NOT NULL,
    PRIMARY KEY (body, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX body_part_users ON body_parts (part);

-- kind: 0 for headers, 1 for bodies; the newest is the one to write with. number: how frames name it. data: a frame.
CREATE TABLE dictionaries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    number INTEGER NOT NULL UNIQUE,
    kind INTEGER NOT NULL,
    data BLOB NOT NULL
) STRICT;

-- The journal's values as JSON, and what they are found by.
CREATE TABLE journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    intent TEXT NOT NULL,
    state TEXT NOT NULL,
    detail TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    over INTEGER NOT NULL,
    remote_name BLOB,
    remote_uid_validity INTEGER,
    remote_uid INTEGER,
    -- Where it begins and where it arrives here.
    source INTEGER,
    source_uid INTEGER,
    landing INTEGER,
    landing_uid INTEGER
) STRICT;
CREATE INDEX journal_pending ON journal (id) WHERE over = 0;
CREATE INDEX journal_sources ON journal (source, source_uid) WHERE over = 0 AND source IS NOT NULL;
CREATE INDEX journal_landings ON journal (landing, landing_uid) WHERE over = 0 AND landing IS NOT NULL;
CREATE INDEX journal_over ON journal (changed) WHERE over = 1;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    message_id TEXT NOT NULL,
    sender TEXT NOT NULL,
    body INTEGER NOT NULL,
    payload TEXT NOT NULL,
    created INTEGER NOT NULL,
    state TEXT NOT NULL,
    changed INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    reply TEXT,
    sent_copy TEXT,
    over INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_open ON outbox (id) WHERE over = 0;
CREATE INDEX outbox_over ON outbox (changed) WHERE over = 1;
CREATE TABLE recipients (
    outbox INTEGER NOT NULL,
    number INTEGER NOT NULL,
    address TEXT NOT NULL,
    state TEXT NOT NULL,
    reply TEXT,
    PRIMARY KEY (outbox, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE feed (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    mailbox INTEGER,
    uid INTEGER,
    ref INTEGER,
    bits INTEGER,
    text TEXT,
    -- Of other flags: those from before.
    before_bits INTEGER,
    before_text TEXT
) STRICT;

-- Times in milliseconds.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    fence INTEGER NOT NULL,
    renewed INTEGER NOT NULL,
    ttl INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The index of words (the room `index`). Segments never change; a block's words are compressed.
CREATE TABLE segments (id INTEGER PRIMARY KEY AUTOINCREMENT, bytes INTEGER NOT NULL, head BLOB NOT NULL) STRICT;
-- id: segment * 65536 + number.
CREATE TABLE segment_blocks (id INTEGER PRIMARY KEY, words BLOB NOT NULL, postings BLOB NOT NULL) STRICT;
-- Messages whose header or text is to be indexed. stale: the index holds something of it that is no longer so.
CREATE TABLE unindexed (message INTEGER PRIMARY KEY, stale INTEGER NOT NULL) STRICT;
CREATE TRIGGER index_new AFTER INSERT ON messages BEGIN
    INSERT INTO unindexed VALUES (new.id, 0);
END;
CREATE TRIGGER index_body AFTER UPDATE OF body ON messages WHEN new.body IS NOT NULL AND new.body IS NOT old.body BEGIN
    INSERT INTO unindexed VALUES (new.id, 0) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER index_header BEFORE INSERT ON headers WHEN EXISTS (SELECT 1 FROM headers WHERE message = new.message) BEGIN
    INSERT INTO unindexed VALUES (new.message, 1) ON CONFLICT (message) DO UPDATE SET stale = 1;
END;
CREATE TRIGGER index_gone AFTER DELETE ON messages BEGIN
    INSERT INTO unindexed VALUES (old.id, 1) ON CONFLICT (message) DO UPDATE SET stale = 1;
END;
CREATE INDEX unindexed_stale ON unindexed (message) WHERE stale = 1;
-- What a search walks along.
CREATE INDEX message_dates ON messages (date);
CREATE INDEX placements_flagged ON placements (mailbox, uid, message, bits, keywords) WHERE bits & 4 <> 0 AND message IS NOT NULL;
CREATE INDEX placements_unseen ON placements (mailbox, uid, message, bits, keywords) WHERE bits & 1 = 0 AND message IS NOT NULL;
