// The local mailbox against a real Dovecot: what the server holds is checked on a connection that knows nothing of
// Mailtide.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { BodyNotHereError, CursorExpiredError, Draft, FileError, Flag, MailError, NetError, open, Role, Mailboxes, StoreError } from "mailtide";
import { mail, mailWithAttachments, startDovecot } from "./support/dovecot.mjs";
import { startProxy } from "./support/proxy.mjs";

let dovecot;
before(async () => (dovecot = await startDovecot()));
after(() => dovecot.stop());

/** A folder that goes with the test. */
async function folder(t) {
  const made = await mkdtemp(join(tmpdir(), "mailtide-"));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

/** A store that is closed after the test. */
async function opened(t, path, options) {
  const store = await open(path, options);
  t.after(() => store[Symbol.asyncDispose]());
  return store;
}

/** A fresh account with `messages` in its inbox, a store for it, and a network between that can be taken away. */
async function account(t, messages = [mail()]) {
  const user = dovecot.user();
  const raw = await dovecot.raw(user);
  for (const message of messages) await raw.append("INBOX", message);
  const [proxy, dir] = await Promise.all([startProxy(dovecot.imap_port), folder(t)]);
  const path = join(dir, "ada.mail");
  const options = { account: `imap://${user}@127.0.0.1:${proxy.port}`, password: dovecot.password };
  const store = await opened(t, path, options);
  t.after(async () => {
    await proxy.down().catch(() => {});
    raw.close();
  });
  return { raw, proxy, path, options, store, inbox: store.mailbox("INBOX") };
}

const three = [mail({ subject: "one" }), mail({ subject: "two" }), mail({ subject: "three" })];
const subjects = async (mailbox, selection) => (await mailbox.fetch(selection).list()).map((message) => message.subject);

test("opening needs no network", async (t) => {
  const { proxy, path, options, store } = await account(t);
  await store.close();
  await proxy.down();
  const again = await opened(t, path, options);
  assert.deepEqual(await again.mailbox("INBOX").fetch().list().catch((error) => error.code), "mailbox.missing");
  await assert.rejects(again.sync(), (error) => error instanceof NetError);
});

test("what was synced is read after the server has stopped", async (t) => {
  const own = await startDovecot();
  const raw = await own.raw("ada");
  await raw.append("INBOX", mailWithAttachments(), "\\Flagged");
  raw.close();
  const path = join(await folder(t), "ada.mail");
  const store = await open(path, { account: own.url("ada"), ...own.login });
  const report = await store.sync();
  assert.equal(report.added, 1);
  await store.close();
  await own.stop();

  const offline = await opened(t, path, { account: own.url("ada"), ...own.login });
  const inbox = offline.mailbox("INBOX");
  const [message] = await inbox.fetch("is:flagged has:attachment").list();
  assert.equal(message.subject, "Log book");
  assert.ok(message.flags.includes(Flag.FLAGGED));
  assert.match(await message.text(), /See the log/);
  assert.match(await message.html(), /<b>log<\/b>/);
  assert.equal((await message.headers()).get("subject"), "Log book");
  assert.equal(Buffer.from(await message.raw()).toString(), mailWithAttachments());
  assert.equal(Buffer.from(await message.attachments[0].bytes()).toString(), "%PDF-1.4 a moth");
  const saved = await message.attachments[0].save(await folder(t));
  assert.equal(await readFile(saved, "utf8"), "%PDF-1.4 a moth");
  const pieces = [];
  for await (const piece of message.stream()) pieces.push(piece);
  assert.equal(Buffer.concat(pieces).toString(), mailWithAttachments());
  assert.equal(await inbox.count(), 1);
  assert.equal((await inbox.status()).messages, 1);
});

test("changes made offline show at once, stand as pending, and arrive at the next sync", async (t) => {
  const { raw, proxy, store, inbox } = await account(t, three);
  await store.sync();
  await proxy.down();

  const [one, two, last] = await inbox.fetch().list();
  await inbox.flag(one, { add: [Flag.SEEN, "$Work"] });
  await inbox.move(two, Role.ARCHIVE);
  await inbox.expunge(last);
  const added = await inbox.append(Buffer.from(mail({ subject: "four" })), { flags: [Flag.DRAFT] });
  assert.equal(added.mailbox, "INBOX");
  assert.deepEqual(await subjects(inbox), ["one", "four"]);
  assert.deepEqual(await subjects(store.mailbox(Role.ARCHIVE)), ["two"]);
  assert.ok((await store.pending()).length >= 4);
  await assert.rejects(store.sync(), (error) => error instanceof NetError);

  await proxy.up();
  const report = await store.sync();
  assert.ok(report.applied >= 4, JSON.stringify(report));
  assert.deepEqual(await store.pending(), []);
  await raw.run("SELECT INBOX");
  const inboxNow = await raw.run("FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])");
  assert.match(inboxNow, /FLAGS \([^)]*\\Seen[^)]*\$Work[^)]*\)|FLAGS \([^)]*\$Work[^)]*\\Seen[^)]*\)/);
  assert.deepEqual([...inboxNow.matchAll(/Subject: (\w+)/g)].map(([, subject]) => subject), ["one", "four"]);
  await raw.run("SELECT Archive");
  assert.match(await raw.run("FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]"), /Subject: two/);
});

test("a sync that is aborted leaves the store usable, and the next one finishes it", async (t) => {
  const many = Array.from({ length: 200 }, (_, n) => mail({ subject: `moth${n}` }));
  const { store, inbox } = await account(t, many);
  const controller = new AbortController();
  const aborted = store.sync({ signal: controller.signal, onProgress: () => controller.abort(new Error("enough")) });
  await assert.rejects(aborted, new Error("enough"));
  assert.ok(Array.isArray(await store.pending()));
  await store.sync();
  assert.equal(await inbox.count(), 200);
  assert.deepEqual(new Set(await subjects(inbox)).size, 200);
});

test("a signal that is aborted already changes nothing", async (t) => {
  const { store } = await account(t);
  const signal = AbortSignal.abort();
  await assert.rejects(store.sync({ signal }), { name: "AbortError" });
  await assert.rejects(open("nowhere.mail", { signal }), { name: "AbortError" });
  assert.throws(() => store.changes({ signal }), { name: "AbortError" });
});

test("a plan says what would be done, and does nothing", async (t) => {
  const { store } = await account(t, three);
  const plan = await store.sync({ dryRun: true });
  assert.ok(plan.work.length > 0);
  assert.ok(plan.work.every(({ text, action }) => text && action));
  assert.deepEqual(await store.mailboxes(), []);
});

test("progress is told while a pass goes on", async (t) => {
  const { store } = await account(t, three);
  const told = [];
  await store.sync({ onProgress: (progress) => told.push(progress) });
  assert.ok(told.length > 0);
  for (const { phase, done, total, bytes } of told) assert.ok(phase && done <= total && bytes >= 0);
  const last = told.at(-1);
  assert.deepEqual([last.phase, last.mailbox, last.done, last.total, last.remaining], ["bodies", "INBOX", 3, 3, 0]);
});

test("changes are told in order and once, over a restart too", async (t) => {
  const { store, path, options, inbox } = await account(t, three);
  await store.sync();
  const before = await store.cursor();
  await inbox.flag(1, { add: [Flag.FLAGGED] });
  await store.createMailbox("Log");
  const first = await store.changes({ since: before })[Symbol.asyncIterator]().next();
  assert.deepEqual([first.value.type, first.value.ref.uid, first.value.added], ["flags", 1, [Flag.FLAGGED]]);
  await store.close();

  const again = await opened(t, path, options);
  await again.mailbox("INBOX").expunge(2);
  await again.mailbox("INBOX").append(Buffer.from(mail({ subject: "four" })));
  const types = [];
  for await (const change of again.changes({ since: first.value.cursor })) {
    types.push(change.type);
    if (change.type === "mailbox_added") assert.equal(change.mailbox, "Log");
    if (change.type === "removed") assert.equal(change.ref.uid, 2);
    if (change.type !== "new") continue;
    assert.equal(change.message.subject, "four");
    assert.match(await change.message.text(), /moth/);
    break;
  }
  assert.deepEqual(types.filter((type) => type !== "pending"), ["mailbox_added", "removed", "new"]);
  await assert.rejects(again.changes({ since: "elsewhere:1" })[Symbol.asyncIterator]().next(), CursorExpiredError);
});

test("changes end with the loop, by close(), with the store, and by an abort", async (t) => {
  const { store, inbox } = await account(t);
  await store.sync();
  const next = (changes) => changes[Symbol.asyncIterator]().next();
  const closed = store.changes();
  const waiting = next(closed);
  closed.close();
  assert.deepEqual(await waiting, { done: true, value: undefined });
  const controller = new AbortController();
  const aborted = next(store.changes({ signal: controller.signal }));
  controller.abort(new Error("enough"));
  await assert.rejects(aborted, new Error("enough"));
  const last = next(store.changes());
  await inbox.status();
  await store.close();
  assert.equal((await last).done, true);
});

test("it is kept in step both ways until it is aborted, over a lost network", async (t) => {
  const { raw, proxy, store, inbox } = await account(t);
  await store.sync();
  const controller = new AbortController();
  const changes = store.changes();
  await changes.ready();
  const told = new Set();
  const kept = store.keepInSync({ signal: controller.signal, onProgress: ({ phase }) => told.add(phase) });
  const arrived = (async () => {
    for await (const change of changes) if (change.type === "new") return change.message.subject;
  })();
  await proxy.down();
  await proxy.up();
  await raw.append("INBOX", mail({ subject: "two" }));
  assert.equal(await arrived, "two");

  await inbox.flag(1, { add: [Flag.ANSWERED] });
  const later = store.changes({ since: await store.cursor() });
  if ((await store.pending()).length > 0) {
    for await (const change of later) if (change.type === "pending" && (await store.pending()).length === 0) break;
  }
  controller.abort(new Error("enough"));
  await assert.rejects(kept, new Error("enough"));
  assert.ok(told.has("headers") && told.has("bodies"), [...told]);
  await assert.rejects(store.keepInSync({ every: 1 }), (error) => error.code === "usage.argument");
  await raw.run("SELECT INBOX");
  assert.match(await raw.run("FETCH 1 FLAGS"), /Answered/);
});

test("a body that is not held is fetched, and offline an error, never an empty text", async (t) => {
  const { proxy, path, options, store } = await account(t);
  await store.close();
  const slim = await opened(t, path, { ...options, keep: "headers" });
  await slim.sync();
  const message = await slim.mailbox("INBOX").fetch().first();
  assert.equal(message.subject, "Moth");
  await proxy.down();
  await assert.rejects(message.text(), (error) => error instanceof BodyNotHereError && error.code === "body.not_here");
  await proxy.up();
  assert.match(await message.text(), /A moth in the relay/);
});

test("mailboxes are made, renamed and taken away offline, and on the server with the next pass", async (t) => {
  const { raw, proxy, store } = await account(t);
  await store.sync();
  await proxy.down();
  assert.equal(await store.createMailbox("Log"), "Log");
  await store.createMailbox("Log", { existOk: true });
  await assert.rejects(store.createMailbox("Log"), { code: "mailbox.exists" });
  await store.renameMailbox("Log", "Book");
  await store.subscribe("Book");
  await store.createMailbox("Gone");
  await store.deleteMailbox("Gone");
  const names = (await store.mailboxes({ status: true })).map(({ name, status }) => [name, status?.messages]);
  assert.deepEqual(names.filter(([name]) => ["Book", "Log", "Gone", "INBOX"].includes(name)), [["Book", 0], ["INBOX", 1]]);
  assert.equal((await store.status("INBOX")).messages, 1);
  await assert.rejects(store.deleteMailbox("INBOX"), MailError);
  await proxy.up();
  await store.sync();
  const listed = await raw.run('LIST "" *');
  assert.match(listed, / Book\r\n/);
  assert.doesNotMatch(listed, / (Log|Gone)\r\n/);
});

test("a change that the server refuses is parked with its reason, tried again, and dropped", async (t) => {
  const { store, inbox } = await account(t);
  await store.sync();
  await assert.rejects(store.retry(1_000_000), { code: "usage.argument" });
  await assert.rejects(store.drop({ id: 1_000_000 }), { code: "usage.argument" });
  await assert.rejects(store.drop("all"), { code: "usage.argument" });
  await inbox.flag(1, { add: ["$Work"] });
  const [waiting] = await store.pending();
  assert.deepEqual([waiting.kind, waiting.mailbox, waiting.state, waiting.reason], ["flag", "INBOX", "waiting", null]);
  assert.match(waiting.text, /\$Work/);
  assert.ok(Math.abs(waiting.created - Date.now()) < 60_000);
  await assert.rejects(store.drop(waiting), { code: "usage.argument" }, "only what is parked is dropped");

  await store.createMailbox("x".repeat(300));
  assert.equal((await store.sync()).parked, 1);
  const [parked] = await store.pending();
  assert.deepEqual([parked.kind, parked.state], ["create_mailbox", "parked"]);
  assert.ok(parked.reason && parked.why && parked.server);
  await store.retry(parked);
  assert.equal((await store.pending())[0].state, "waiting");
  await store.sync();
  assert.deepEqual(await store.drop(parked.id), [parked.id]);
  assert.deepEqual(await store.pending(), []);
});

test("a message to be sent waits in the store, and is taken back", async (t) => {
  const { path, options, store } = await account(t);
  await assert.rejects(store.send({ to: "grace@example.org", from: "ada@example.org" }), { code: "usage.argument" });
  await store.close();
  const sender = await opened(t, path, { ...options, smtp: "smtp://127.0.0.1:9" });
  const draft = new Draft({
    from: "ada@example.org",
    to: ["Grace <grace@example.org>", { name: "Charles", email: "charles@example.org" }],
    subject: "Re: moth",
    text: "See the log.",
    attach: { content: "0x46\n", filename: "log.txt" },
  });
  const queued = await sender.send(draft, { at: new Date(Date.now() + 86_400_000) });
  assert.deepEqual([queued.state, queued.sender, queued.needsDecision], ["queued", "ada@example.org", false]);
  assert.deepEqual(queued.recipients.map(({ address, state }) => [address, state]), [["grace@example.org", "waiting"], ["charles@example.org", "waiting"]]);
  assert.ok(queued.notBefore > Date.now());
  assert.deepEqual(await sender.outbox(), [queued]);
  await assert.rejects(sender.decide(queued, "sent"), { code: "usage.argument" });
  assert.equal((await sender.cancel(queued)).state, "cancelled");
  assert.deepEqual(await sender.outbox(), []);
  await assert.rejects(sender.send({ subject: "to nobody", from: "ada@example.org" }), { code: "usage.address" });
  await assert.rejects(sender.send({ to: "nobody", from: "ada@example.org" }), { code: "usage.address" });
  await assert.rejects(sender.send({ to: "a@b.c", from: "ada@example.org", attach: "/nowhere/log.txt" }), { code: "file.io" });
  await assert.rejects(sender.send({ to: "a@b.c", body: "x" }), { code: "usage.argument" });
});

test("a store takes room, gives it back, is copied while in use, and is its owner's alone", async (t) => {
  const { path, store } = await account(t, three);
  await store.sync();
  const usage = await store.usage();
  assert.deepEqual([usage.messages, usage.bodies], [3, 3]);
  assert.ok(usage.file > 0 && usage.bodiesSize >= usage.bodiesStored / 2);
  const copy = `${path}.copy`;
  await store.backup(copy);
  assert.equal((await store.evict(1e9)).bodies, 3);
  assert.deepEqual(await store.check(), []);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  const restored = await opened(t, copy);
  assert.deepEqual(await subjects(restored.mailbox("INBOX")), ["one", "two", "three"]);
  assert.match(await (await restored.mailbox("INBOX").fetch().first()).text(), /moth/);
  await assert.rejects(restored.sync(), { code: "usage.argument" });
});

test("a store with nothing behind it is a mailbox of its own", async (t) => {
  const path = join(await folder(t), "own.mail");
  const own = await opened(t, path);
  assert.equal(own.account, null);
  const inbox = own.mailbox("INBOX");
  const ref = await inbox.append(Buffer.from(mail()), { flags: [Flag.SEEN] });
  const [found] = await inbox.search("relay");
  assert.ok(found.equals(ref));
  const watch = inbox.watch();
  await watch.ready();
  await inbox.flag(ref, { remove: [Flag.SEEN] });
  const { value } = await watch[Symbol.asyncIterator]().next();
  assert.deepEqual([value.type, value.added, value.removed], ["flags", [], [Flag.SEEN]]);
  assert.ok(own instanceof Mailboxes);
  await own.close();
  await own.close();
  assert.equal(own.closed, true);
  await assert.rejects(inbox.count(), { code: "usage.closed" });
});

test("what cannot be opened is a typed error", async (t) => {
  const { path, store } = await account(t);
  await store.close();
  await assert.rejects(open(path, { account: "imap://grace@127.0.0.1:1", password: "x" }), { code: "usage.argument" });
  const dir = await folder(t);
  await writeFile(join(dir, "letter.mail"), mail().repeat(100));
  await assert.rejects(open(join(dir, "letter.mail")), StoreError);
  await assert.rejects(open(join(dir, "nowhere", "ada.mail")), FileError);
  await assert.rejects(open(""), { code: "usage.argument" });
  await assert.rejects(open(join(dir, "a.mail"), { keeping: "all" }), { code: "usage.argument" });
  await assert.rejects(open(join(dir, "a.mail"), { keep: "some" }), { code: "usage.argument" });
});
