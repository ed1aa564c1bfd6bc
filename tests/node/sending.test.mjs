// Messages handed in at a real Postfix, with the Dovecot beside it that keeps the copies; and at a server that is cut off.

import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { AuthError, MailError, open } from "mailtide";
import { startDovecot } from "./support/dovecot.mjs";

// Postfix starts as root only.
const skip = process.getuid?.() === 0 ? false : "Postfix starts as root only";

let server;
before(async () => {
  if (!skip) server = await startDovecot("postfix");
});
after(() => server?.stop());

/** A fresh account, and a store that hands messages in there; `smtp` names the server for a user. */
async function account(t, smtp = (user) => `smtps://${user}@localhost:${server.smtps_port}`) {
  const user = server.user();
  const folder = await mkdtemp(join(tmpdir(), "mailtide-"));
  const options = { account: server.url(user), ...server.login, smtp: smtp(user), sender: "Ada <ada@example.org>" };
  const store = await open(join(folder, "ada.mail"), options);
  t.after(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  return { user, folder, store };
}

/** What Postfix has put into its Maildir of a message, as soon as it is there; no event tells. */
async function arrived(messageId) {
  for (let tries = 0; tries < 600; tries++) {
    const folder = join(server.mail, "new");
    const texts = await Promise.all((await readdir(folder).catch(() => [])).map((name) => readFile(join(folder, name), "latin1")));
    const found = texts.filter((text) => text.includes(messageId));
    if (found.length > 0) return found;
    await setTimeout(50);
  }
  throw new Error("It did not arrive");
}

/** The Message-IDs of what is in Sent, as another client sees it. */
async function filed(user) {
  const raw = await server.raw(user);
  await raw.run("EXAMINE Sent");
  const text = await raw.run("FETCH 1:* BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]");
  raw.close();
  return [...text.matchAll(/Message-ID: <(.*)>/gi)].map(([, id]) => id);
}

const letter = (...to) => ({ to, subject: "moth", text: "Found it.\n.\n" });

for (const [name, smtp] of [
  ["TLS", undefined],
  ["STARTTLS", (user) => `smtp+starttls://${user}@localhost:${server.smtp_port}`],
]) {
  test(`a message arrives once and is filed once, over ${name}`, { skip }, async (t) => {
    const { user, folder, store } = await account(t, smtp);
    await writeFile(join(folder, "log.txt"), "0x46\n");
    const sent = await store.send({ ...letter("grace@example.org"), attach: join(folder, "log.txt") });
    for (let pass = 0; pass < 3; pass++) assert.deepEqual((await store.sync()).problems, []);
    assert.deepEqual(await store.outbox(), []);
    assert.equal((await arrived(sent.messageId)).length, 1);
    assert.deepEqual(await filed(user), [sent.messageId]);

    const copy = await store.mailbox("Sent").fetch().first();
    const reply = await copy.reply({ text: "Still here.", me: "ada@example.org" });
    assert.deepEqual([reply.to[0].email, reply.inReplyTo], ["grace@example.org", sent.messageId]);
    const passedOn = await copy.forward({ to: "carol@example.org" });
    assert.equal(Buffer.from(passedOn.attach[0].content).toString(), "0x46\n");
    const second = await store.send({ ...passedOn, subject: "Fwd: the moth" });
    assert.deepEqual((await store.sync()).problems, []);
    const texts = await arrived(second.messageId);
    assert.ok(texts.some((text) => text.includes("Subject: Fwd: the moth") && text.includes("MHg0Ngo=")));
  });
}

test("each recipient is answered for, and who waits can be taken back", { skip }, async (t) => {
  const { user, store } = await account(t);
  const sent = await store.send(letter("grace@example.org", "refused@example.org", "later@example.org"));
  await store.sync();
  const [one] = await store.outbox();
  assert.deepEqual(Object.fromEntries(one.recipients.map(({ address, state }) => [address, state])), {
    "grace@example.org": "accepted",
    "refused@example.org": "rejected",
    "later@example.org": "waiting",
  });
  assert.equal((await store.cancel(one)).state, "accepted");
  await store.sync();
  assert.deepEqual(await store.outbox(), []);
  assert.deepEqual(await filed(user), [sent.messageId]);
});

test("a message waits for its time", { skip }, async (t) => {
  const { store } = await account(t);
  const soon = await store.send(letter("grace@example.org"), { at: new Date(Date.now() + 2000) });
  const never = await store.send(letter("carol@example.org"), { at: new Date(Date.now() + 86_400_000) });
  await store.sync();
  assert.deepEqual((await store.outbox()).map(({ id }) => id), [soon.id, never.id]);
  assert.equal((await store.cancel(never)).state, "cancelled");
  while ((await store.outbox()).length > 0) await store.sync();
  assert.equal((await arrived(soon.messageId)).length, 1);
});

test("a wrong password is a problem of the report", { skip }, async (t) => {
  const { store } = await account(t, (user) => `smtps://${user}:wrong@localhost:${server.smtps_port}`);
  await store.send(letter("grace@example.org"));
  const [problem] = (await store.sync()).problems;
  assert.ok(problem instanceof AuthError && !problem.message.includes("wrong"));
  assert.equal((await store.outbox())[0].state, "queued");
});

/** Takes a message up to its final dot, and is gone before it answers. */
function cutOff(t) {
  const messages = [];
  const listener = net.createServer((socket) => {
    let [text, data] = ["", false];
    socket.on("error", () => {});
    socket.write("220 here\r\n");
    socket.setEncoding("latin1").on("data", (piece) => {
      text += piece;
      if (data && text.endsWith("\r\n.\r\n")) {
        messages.push(text);
        socket.destroy();
      } else if (!data && text.endsWith("\r\n")) {
        data = /^DATA/im.test(text);
        const lines = text.split("\r\n").length - 1;
        for (let line = 1; line < lines + (data ? 0 : 1); line++) socket.write("250 ok\r\n");
        if (data) socket.write("354 go on\r\n");
        text = "";
      }
    });
  });
  t.after(() => listener.close());
  return new Promise((resolve) => listener.listen(0, "127.0.0.1", () => resolve({ port: listener.address().port, messages })));
}

test("a message that may have been sent waits for a decision", { skip }, async (t) => {
  const away = await cutOff(t);
  const { user, store } = await account(t, () => `smtp://localhost:${away.port}`);
  const sent = await store.send(letter("grace@example.org"));
  for (let pass = 0; pass < 3; pass++) await store.sync();
  const [one] = await store.outbox();
  assert.deepEqual([one.state, one.recipients[0].state, away.messages.length], ["uncertain", "uncertain", 1]);
  await assert.rejects(store.cancel(one), (error) => error instanceof MailError && error.code === "usage.argument");
  assert.equal((await store.decide(one, "sent")).state, "accepted");
  await store.sync();
  assert.deepEqual(await store.outbox(), []);
  assert.deepEqual([await filed(user), away.messages.length], [[sent.messageId], 1]);
});
