-- Takes out of a repaired store what no longer fits together, in an order in which each step makes the next one true.

-- Contents that are not whole, headers that are not there, and what that leaves of messages.
DELETE FROM bodies WHERE staged IS NOT NULL OR chunks <>
    (SELECT count(*) FROM chunks c WHERE c.id BETWEEN bodies.id * 65536 AND bodies.id * 65536 + 65535);
DELETE FROM body_parts WHERE part NOT IN (SELECT id FROM bodies);
DELETE FROM bodies WHERE parts <> (SELECT count(*) FROM body_parts p WHERE p.body = bodies.id);
UPDATE messages SET body = NULL WHERE body IS NOT NULL AND body NOT IN (SELECT id FROM bodies);
DELETE FROM messages WHERE id NOT IN (SELECT message FROM headers);
DELETE FROM headers WHERE message NOT IN (SELECT id FROM messages);
DELETE FROM links WHERE message NOT IN (SELECT id FROM messages);
DELETE FROM outbox WHERE body NOT IN (SELECT id FROM bodies);
DELETE FROM recipients WHERE outbox NOT IN (SELECT id FROM outbox);
-- Mailboxes whose row is lost: as the journal knows them, else under a number; of these only what is not on the server
-- stays, since the rest comes again under the right name.
INSERT OR IGNORE INTO mailboxes (id, name, attributes, uid_validity, uid_next, mod_seq, tombstones_from, state,
        remote_name, remote_uid_validity, remote_uid_next, remote_mod_seq, remote_empty_mod_seq, remote_exists,
        bodies_from, audited, resets, resets_day, suspects, unlisted)
    SELECT lost.id, coalesce(CASE WHEN instr(remote_name, '&') = 0 THEN CAST(remote_name AS TEXT) END, 'Recovered ' || lost.id),
        '', 1, 1, 1, 1, 'ready', remote_name, coalesce(remote_uid_validity, 0), 0, 0, 0, 0, 0, 0, 0, 0, '', 0
    FROM (SELECT DISTINCT mailbox AS id FROM placements
              WHERE mailbox NOT IN (SELECT id FROM mailboxes) AND message IN (SELECT id FROM messages)) AS lost
        LEFT JOIN (SELECT source, remote_name, remote_uid_validity, max(id) FROM journal
              WHERE remote_name IS NOT NULL GROUP BY source) AS known ON known.source = lost.id;
DELETE FROM placements WHERE remote_uid IS NOT NULL AND mailbox IN (SELECT id FROM mailboxes WHERE remote_name IS NULL);
-- What was visible and has lost its message is only reserved again: the next pass fetches it.
UPDATE placements SET message = NULL, agreed = NULL, agreed_keywords = NULL
    WHERE message NOT IN (SELECT id FROM messages) AND remote_uid IS NOT NULL;
DELETE FROM placements WHERE message NOT IN (SELECT id FROM messages)
    OR (message IS NULL AND remote_uid IS NULL) OR mailbox NOT IN (SELECT id FROM mailboxes);
UPDATE messages SET deleted_at = NULL WHERE id IN (SELECT message FROM placements);
UPDATE messages SET deleted_at = unixepoch() WHERE deleted_at IS NULL
    AND id NOT IN (SELECT message FROM placements WHERE message IS NOT NULL);
DELETE FROM bodies WHERE id NOT IN (SELECT body FROM messages WHERE body IS NOT NULL)
    AND id NOT IN (SELECT body FROM outbox) AND id NOT IN (SELECT part FROM body_parts);
-- What was only in these.
DELETE FROM body_parts WHERE body NOT IN (SELECT id FROM bodies);
DELETE FROM bodies WHERE id NOT IN (SELECT body FROM messages WHERE body IS NOT NULL)
    AND id NOT IN (SELECT body FROM outbox) AND id NOT IN (SELECT part FROM body_parts);
DELETE FROM chunks WHERE id / 65536 NOT IN (SELECT id FROM bodies);
DELETE FROM app_passwords WHERE user NOT IN (SELECT id FROM users);
-- No number is given again, and everything is compared anew.
UPDATE mailboxes SET
    uid_next = max(uid_next, coalesce((SELECT max(uid) + 1 FROM placements p WHERE p.mailbox = mailboxes.id), 1),
        coalesce((SELECT max(uid) + 1 FROM tombstones t WHERE t.mailbox = mailboxes.id), 1)),
    mod_seq = max(mod_seq, coalesce((SELECT max(mod_seq) FROM placements p WHERE p.mailbox = mailboxes.id), 1),
        coalesce((SELECT max(mod_seq) FROM tombstones t WHERE t.mailbox = mailboxes.id), 1)),
    remote_uid_next = 0, remote_mod_seq = 0, remote_empty_mod_seq = 0, remote_exists = 0, bodies_from = 0,
    audited = 0, suspects = '';
UPDATE mailboxes SET tombstones_from = mod_seq + 1;
UPDATE mailboxes SET state = 'reserved' WHERE state = 'ready'
    AND id IN (SELECT mailbox FROM placements WHERE message IS NULL);
UPDATE meta SET value = max(value, (SELECT coalesce(max(uid_validity), 0) FROM mailboxes), unixepoch())
    WHERE name = 'uid_validity';
UPDATE mailboxes SET uid_validity = (SELECT value FROM meta WHERE name = 'uid_validity') WHERE uid_validity = 1;
