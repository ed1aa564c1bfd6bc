// The local mailbox against a real Dovecot: what the server holds is checked on a connection that knows nothing of
// Mailtide.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { BodyNotHereError, CursorExpiredError, Flag, MailError, NetError, open, Role, StoreError } from "mailtide";
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
