// The surface against a real Dovecot: what was done is checked on a connection that knows nothing of Mailtide.

import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { connect, Flag, MessageRef, PartialError, q, Q, Role, UidSet } from "mailtide";
import { mail, mailWithAttachments, startDovecot } from "./support/dovecot.mjs";

let dovecot;
before(async () => (dovecot = await startDovecot()));
after(() => dovecot.stop());

const code = (expected) => (error) => {
  assert.equal(error.code, expected, error.stack);
  return true;
};

/** A fresh account with `messages` in its inbox, and both views of it. */
async function account(t, messages = [mail()]) {
  const user = dovecot.user();
  const raw = await dovecot.raw(user);
  for (const message of messages) await raw.append("INBOX", message);
  const session = await connect(dovecot.url(user), dovecot.login);
  t.after(async () => {
    await session.close();
    raw.close();
  });
  return { raw, session, inbox: session.mailbox("INBOX") };
}

const three = [mail({ subject: "one" }), mail({ subject: "two" }), mail({ subject: "three" })];

test("a message arrives with every property", async (t) => {
  const { session, inbox } = await account(t, [mail({ subject: "=?utf-8?Q?M=C3=B6we?=", extra: "Cc: a@b.c, d@e.f" })]);
  const [message] = await inbox.fetch().list();
  assert.deepEqual(
    [message.uid, message.subject, message.from, message.cc.map((a) => a.email), message.flags.filter((f) => f !== "\\Recent")],
    [1, "Möwe", [{ name: "Ada Lovelace", email: "ada@example.org", group: null }], ["a@b.c", "d@e.f"], []],
  );
  assert.equal(message.date.toISOString(), "1997-09-09T20:45:00.000Z");
  assert.equal(message.dateOffset, -300);
  assert.ok(Math.abs(message.received - Date.now()) < 60_000);
  assert.equal(typeof message.receivedOffset, "number");
  assert.ok(message.size > 100);
  assert.deepEqual([message.bcc, message.inReplyTo, message.problems, message.attachments], [[], null, [], []]);
  assert.equal(message.ref.account, session.account);
  const plain = JSON.parse(JSON.stringify(message));
  assert.deepEqual([plain.subject, plain.ref.uid, plain.date], ["Möwe", 1, "1997-09-09T20:45:00.000Z"]);
  assert.deepEqual(MessageRef.from(plain.ref), message.ref);
});

test("reading marks nothing as read", async (t) => {
  const { raw, inbox } = await account(t);
  const [message] = await inbox.fetch().list();
  assert.match(await message.text(), /A moth in the relay/);
  assert.match(Buffer.from(await message.raw()).toString(), /^From: Ada Lovelace/);
  assert.equal((await message.headers()).get("subject"), "Moth");
  assert.equal(await message.html(), null);
  await raw.run("SELECT INBOX");
  assert.doesNotMatch(await raw.run("FETCH 1 FLAGS"), /Seen/);
});

test("parts that were asked for come with the messages", async (t) => {
  const { session, inbox } = await account(t, [mailWithAttachments()]);
  const [message] = await inbox.fetch(null, { parts: ["text", "html", "headers", "raw"] }).list();
  await session.close();
  assert.match(await message.text(), /See the log/);
  assert.match(await message.html(), /<b>log<\/b>/);
  assert.equal((await message.headers()).get("Subject"), "Log book");
  assert.match(Buffer.from(await message.raw()).toString(), /--edge--/);
});

test("attachments are described without their bytes, and saved under safe names that overwrite nothing", async (t) => {
  const { inbox } = await account(t, [mailWithAttachments()]);
  const message = await inbox.fetch().first();
  assert.deepEqual(message.attachments.map((a) => [a.filename, a.mediaType]), [["log.pdf", "application/pdf"], ["../../etc/passwd", "text/csv"]]);
  assert.equal(Buffer.from(await message.attachments[0].bytes()).toString(), "%PDF-1.4 a moth");
  const folder = await mkdtemp(join(tmpdir(), "mailtide-"));
  t.after(() => rm(folder, { recursive: true }));
  const paths = [];
  for (const attachment of [...message.attachments, message.attachments[0]]) paths.push(await attachment.save(folder));
  assert.equal((await readdir(folder)).length, 3);
  assert.ok(paths.every((path) => join(path, "..") === folder));
  assert.equal(await readFile(paths[0], "utf8"), "%PDF-1.4 a moth");
  const pieces = [];
  for await (const piece of message.attachments[0].stream()) pieces.push(piece);
  assert.equal(Buffer.concat(pieces).toString(), "%PDF-1.4 a moth");
});

test("a large message comes in pieces, as an iterable and as a Readable", async (t) => {
  const line = `${"x".repeat(70)}\r\n`;
  const { inbox } = await account(t, [mail({ text: line.repeat(40_000) })]);
  const message = await inbox.fetch().first();
  let [size, largest] = [0, 0];
  for await (const piece of message.stream()) [size, largest] = [size + piece.length, Math.max(largest, piece.length)];
  assert.equal(size, message.size);
  assert.ok(largest <= 256 * 1024);
  let again = 0;
  for await (const piece of message.stream().toReadable()) again += piece.length;
  assert.equal(again, size);
  for await (const _ of message.stream()) break;
  assert.equal((await message.raw()).length, size);
});

test("reads take a query, a Q, messages, refs, UIDs, a set, or nothing", async (t) => {
  const { inbox } = await account(t, three);
  const all = await inbox.fetch().list();
  const uids = async (selection) => (await inbox.search(selection)).map((ref) => ref.uid);
  assert.deepEqual(await uids("subject:two"), [2]);
  assert.deepEqual(await uids(q`subject:${"two"}`), [2]);
  assert.deepEqual(await uids(Q.subject("one").or(Q.subject("three"))), [1, 3]);
  assert.deepEqual(await uids(Q.unread().and(Q.subject("one").not())), [2, 3]);
  assert.deepEqual(await uids(all[1]), [2]);
  assert.deepEqual(await uids([all[0].ref, all[2]]), [1, 3]);
  assert.deepEqual(await uids([3, 1]), [1, 3]);
  assert.deepEqual(await uids(new Set([2])), [2]);
  assert.deepEqual(await uids(new UidSet("2:9")), [2, 3]);
  assert.deepEqual(await uids([]), []);
  assert.equal(await inbox.count(), 3);
  assert.equal(await inbox.count("subject:none"), 0);
});

test("a value cannot become part of the query", async (t) => {
  const { inbox } = await account(t, [mail({ subject: 'odd " OR is:unread' }), mail({ subject: "other" })]);
  const value = 'odd " OR is:unread';
  assert.deepEqual((await inbox.search(q`subject:${value}`)).map((ref) => ref.uid), [1]);
  assert.equal(await inbox.count(Q.subject("x OR is:unread")), 0);
});

test("limit, order, first and columns", async (t) => {
  const { inbox } = await account(t, three);
  const subjects = async (options) => (await inbox.fetch(null, options).list()).map((m) => m.subject);
  assert.deepEqual(await subjects({ limit: 2 }), ["one", "two"]);
  assert.deepEqual(await subjects({ limit: 2, order: "newest" }), ["three", "two"]);
  assert.deepEqual(await subjects({ columns: ["flags"] }), [null, null, null]);
  assert.equal((await inbox.fetch(null, { order: "newest" }).first()).subject, "three");
  assert.equal(await inbox.fetch("subject:none").first(), null);
});

test("flags are added, removed and set, by one and by many", async (t) => {
  const { raw, inbox } = await account(t, three);
  const all = await inbox.fetch().list();
  const result = await inbox.flag(all, { add: [Flag.SEEN, "$Invoice"] });
  assert.deepEqual(result.done.map(({ source, target }) => [source.uid, target]), [[1, null], [2, null], [3, null]]);
  assert.deepEqual([result.failed, result.unknown], [[], []]);
  await inbox.flag(1, { remove: "$Invoice" });
  await inbox.flag(new UidSet("2"), { set: [Flag.FLAGGED] });
  assert.deepEqual((await inbox.fetch().list()).map((m) => [...m.flags].filter((f) => f !== "\\Recent").sort()), [["\\Seen"], ["\\Flagged"], ["$Invoice", "\\Seen"]]);
  await raw.run("SELECT INBOX");
  assert.match(await raw.run("FETCH 3 FLAGS"), /\$Invoice/);
});

test("move and copy say where messages went", async (t) => {
  const { raw, session, inbox } = await account(t, three);
  await session.createMailbox("Archive");
  const moved = await inbox.move(await inbox.fetch("subject:two").first(), "Archive");
  assert.equal(moved.done[0].target.mailbox, "Archive");
  const copied = await inbox.copy([1, 3], "New", { create: true });
  assert.deepEqual(copied.done.map(({ target }) => target.uid), [1, 2]);
  assert.match(await raw.run("STATUS Archive (MESSAGES)"), /MESSAGES 1/);
  assert.match(await raw.run("STATUS New (MESSAGES)"), /MESSAGES 2/);
  assert.match(await raw.run("STATUS INBOX (MESSAGES)"), /MESSAGES 2/);
  await assert.rejects(inbox.copy(1, "Missing"), code("mailbox.missing"));
});

test("delete moves to the Trash, and expunge takes just these", async (t) => {
  const { raw, session, inbox } = await account(t, three);
  await session.createMailbox("Trash", { role: Role.TRASH, existOk: true });
  await inbox.delete(1);
  assert.match(await raw.run("STATUS Trash (MESSAGES)"), /MESSAGES 1/);
  await assert.rejects(session.mailbox(Role.TRASH).delete(1), (error) => /expunge/.test(error.message));
  await raw.run("SELECT INBOX");
  await raw.run("UID STORE 3 +FLAGS (\\Deleted)");
  await inbox.expunge(2);
  await raw.run("NOOP");
  assert.match(await raw.run("UID SEARCH ALL"), /\* SEARCH 3\r\n/);
});

test("append from bytes, a file, a path and a stream", async (t) => {
  const { inbox } = await account(t, []);
  const folder = await mkdtemp(join(tmpdir(), "mailtide-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "moth.eml");
  await writeFile(path, mail({ subject: "file" }));
  const received = new Date("2024-02-29T12:00:00Z");
  const ref = await inbox.append(Buffer.from(mail({ subject: "bytes" })), { flags: [Flag.SEEN], received, receivedOffset: 60 });
  assert.deepEqual([ref.uid, ref.mailbox], [1, "INBOX"]);
  const bytes = Buffer.from(mail({ subject: "stream" }));
  const refs = await inbox.appendMany([
    pathToFileURL(path), { path }, Readable.from([bytes.subarray(0, 50), bytes.subarray(50)], { objectMode: false }),
    { stream: Readable.from([bytes], { objectMode: false }), size: bytes.length },
  ]);
  assert.deepEqual(refs.map((r) => r.uid), [2, 3, 4, 5]);
  const all = await inbox.fetch().list();
  assert.deepEqual(all.map((m) => m.subject), ["bytes", "file", "file", "stream", "stream"]);
  assert.equal(all[0].received.getTime(), received.getTime());
  assert.ok(all[0].flags.includes("\\Seen"));
});

test("a stream that fails is the error of the append, and nothing is added", async (t) => {
  const { inbox } = await account(t, []);
  const broken = (async function* () {
    yield Buffer.from("Subject: half\r\n");
    throw new RangeError("the disk is gone");
  })();
  await assert.rejects(inbox.append(broken), new RangeError("the disk is gone"));
  assert.equal(await inbox.count(), 0);
});

test("mailboxes are created, listed, renamed, subscribed and deleted", async (t) => {
  const { session } = await account(t, []);
  assert.equal(await session.createMailbox(["Büro", "日本"]), "Büro/日本");
  await session.createMailbox(["Büro", "日本"], { existOk: true });
  await assert.rejects(session.createMailbox(["Büro", "日本"]), code("mailbox.exists"));
  const names = async (options) => (await session.mailboxes(options)).map((m) => m.name).sort();
  assert.deepEqual(await names({ pattern: "Büro*" }), ["Büro", "Büro/日本"]);
  const [inbox] = (await session.mailboxes({ status: true })).filter((m) => m.role === Role.INBOX);
  assert.deepEqual([inbox.selectable, inbox.delimiter, inbox.status.messages], [true, "/", 0]);
  await session.subscribe("Büro/日本");
  assert.deepEqual(await names({ subscribed: true }), ["Büro/日本"]);
  await session.renameMailbox("Büro/日本", "Archiv");
  await session.mailbox("Archiv").append(Buffer.from(mail()));
  await assert.rejects(session.deleteMailbox("Archiv"), code("mailbox.not_empty"));
  await session.deleteMailbox("Archiv", { evenIfNotEmpty: true });
  assert.deepEqual((await names({})).includes("Archiv"), false);
});

test("status, namespaces, id, capabilities, noop and raw", async (t) => {
  const { session, inbox } = await account(t);
  const status = await inbox.status();
  assert.deepEqual([status.messages, status.unseen, status.uidNext], [1, 1, 2]);
  assert.equal(typeof status.highestModSeq, "bigint");
  assert.deepEqual((await session.namespaces()).personal, [{ prefix: "", delimiter: "/" }]);
  assert.equal((await session.id({ name: "mailtide" })).name, "Dovecot");
  assert.ok((await session.capabilities()).includes("IDLE"));
  await session.noop();
  assert.match((await session.raw("STATUS INBOX (MESSAGES)")).untagged.join(), /MESSAGES 1/);
});

test("other calls inside the loop are fine, and leaving it leaves a usable session", async (t) => {
  const { session, inbox } = await account(t, three);
  await session.createMailbox("Archive");
  for await (const message of inbox.fetch()) {
    assert.match(await message.text(), /moth/);
    await inbox.move(message, "Archive");
  }
  const archive = session.mailbox("Archive");
  for await (const _ of archive.fetch()) break;
  const messages = archive.fetch();
  for await (const _ of messages) break;
  await assert.rejects(messages.list(), code("usage.closed"));
  assert.equal(await archive.count(), 3);
});

test("a watch yields new messages, flags and removals, each once, and goes on from a cursor", async (t) => {
  const { raw, session, inbox } = await account(t, three);
  const watch = inbox.watch();
  await watch.ready();
  const events = watch[Symbol.asyncIterator]();
  const next = async () => (await events.next()).value;
  await raw.append("INBOX", mail({ subject: "four" }));
  const arrived = await next();
  assert.deepEqual([arrived.type, arrived.message.subject], ["new", "four"]);
  assert.match(await arrived.message.text(), /moth/);
  await raw.run("SELECT INBOX");
  await raw.run("UID STORE 2 +FLAGS (\\Flagged)");
  const flagged = await next();
  assert.deepEqual([flagged.type, flagged.ref.uid, flagged.added, flagged.removed], ["flags", 2, ["\\Flagged"], []]);
  await raw.run("UID STORE 1 +FLAGS (\\Deleted)");
  assert.equal((await next()).type, "flags");
  await raw.run("UID EXPUNGE 1");
  const removed = await next();
  assert.deepEqual([removed.type, removed.ref.uid], ["removed", 1]);
  assert.equal(JSON.parse(JSON.stringify(removed)).ref.uid, 1);
  const pending = events.next();
  watch.close();
  assert.deepEqual(await pending, { value: undefined, done: true });

  await raw.append("INBOX", mail({ subject: "five" }));
  for await (const event of inbox.watch({ since: removed.cursor })) {
    assert.deepEqual([event.type, event.message?.subject], ["new", "five"]);
    break;
  }
  const closing = (async () => {
    for await (const _ of inbox.watch()) assert.fail("nothing happens");
  })();
  await session.close();
  await closing;
});

test("what cannot be meant is refused before the server hears of it", async (t) => {
  const { session, inbox } = await account(t, three);
  const [message] = await inbox.fetch().list();
  for (const bad of ["123", "is:unread", undefined, null, {}, [{}], ["1"], [1, message], 0, -1, 1.5, 2 ** 32, NaN, true, new Date()]) {
    await assert.rejects(inbox.delete(bad), code("usage.selection"), String(bad));
  }
  for (const bad of ["1:*", "ALL", "UNSEEN", "nosuch:key", 'subject:"open', "a\r\nb", ""]) {
    await assert.rejects(inbox.count(bad), code("query.syntax"), bad);
  }
  for (const bad of ["Seen", "a b", "", "a\r\nb"]) await assert.rejects(inbox.flag(1, { add: [bad] }), code("usage.flag"), bad);
  await assert.rejects(inbox.flag(1, { ad: ["\\Seen"] }), code("usage.argument"));
  await assert.rejects(async () => inbox.fetch(null, { limit: -1 }), code("usage.argument"));
  await assert.rejects(async () => inbox.fetch(null, { order: "random" }), code("usage.argument"));
  await assert.rejects(inbox.append("Subject: x"), code("usage.argument"));
  for (const bad of ["", [], [""], "a\r\nb", "a\0b"]) assert.throws(() => session.mailbox(bad), code("usage.argument"));
  await assert.rejects(inbox.flag(new UidSet("1:3"), { add: Flag.SEEN, limit: 2 }), code("limit.exceeded"));
  const stale = new MessageRef(message.ref.account, "INBOX", message.ref.uidValidity - 1, 1);
  await assert.rejects(inbox.fetch(stale).list(), code("mailbox.reset"));
  await assert.rejects(inbox.expunge([stale]), code("mailbox.reset"));
  assert.equal(await inbox.count(), 3);
});

test("a read-only session refuses writes", async () => {
  const session = await connect(dovecot.url(dovecot.user()), { ...dovecot.login, readOnly: true });
  await assert.rejects(session.mailbox("INBOX").flag(1, { add: Flag.SEEN }), code("usage.read_only"));
  await session.close();
});

test("a closed session says so, and closes twice", async (t) => {
  const { session, inbox } = await account(t);
  await session.close();
  await session.close();
  assert.equal(session.closed, true);
  await assert.rejects(inbox.count(), code("usage.closed"));
});

test("progress is told, and a partial result is an error that carries it", async (t) => {
  const { inbox } = await account(t, three);
  const told = [];
  await inbox.fetch(null, { onProgress: (progress) => told.push(progress) }).list();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([told.at(-1).phase, told.at(-1).done], ["fetch", 3]);
  assert.ok(PartialError.prototype instanceof Error);
});
