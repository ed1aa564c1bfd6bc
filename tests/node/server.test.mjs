// A store for other mail clients, and the server for tests.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { connect as connectTo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect, Flag, NetError, open, Server, ServerError, UsageError } from "mailtide";
import * as testing from "mailtide/testing";

const LETTER = Buffer.from("Subject: moth\r\nFrom: ada@example.org\r\n\r\nrelay 70\r\n");

async function inFolder(run) {
  const folder = await mkdtemp(join(tmpdir(), "mailtide-"));
  try {
    await run(join(folder, "ada.mail"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Runs with a server for tests, and a session on it. */
async function served(options, run) {
  const server = await testing.Server.start(options);
  const session = await connect(server.url, { password: server.password });
  try {
    await run(server, session);
  } finally {
    await session.close();
    await server.close();
  }
}

const subjects = async (mailbox) => (await mailbox.fetch().list()).map((message) => message.subject);

test("a file is served, and what clients add is in it", async () => {
  await inFolder(async (file) => {
    const server = await Server.start(file, { user: "ada" });
    assert.equal(server.url, `imap://ada@127.0.0.1:${server.port}`);
    assert.equal(server.certificate, null);
    const session = await connect(server.url, { password: server.password });
    await session.mailbox("INBOX").append(LETTER);
    await session.close();
    await server.close();
    await server.close();
    const mail = await open(file);
    assert.deepEqual(await subjects(mail.mailbox("INBOX")), ["moth"]);
    await mail.close();
  });
});

test("a Mail is served over TLS with the certificate that was made, and stays open", async () => {
  await inFolder(async (file) => {
    const mail = await open(file);
    await mail.mailbox("INBOX").append(LETTER);
    const server = await Server.start(mail, { user: "ada@example.org", password: "secret", tls: true });
    assert.equal(server.url, `imaps://ada%40example.org@127.0.0.1:${server.port}`);
    const session = await connect(server.url, { password: "secret", net: { ca: server.certificate } });
    await session.mailbox("INBOX").flag(1, { add: [Flag.SEEN] });
    await session.close();
    await server[Symbol.asyncDispose]();
    assert.deepEqual([...(await mail.mailbox("INBOX").fetch().first()).flags], [Flag.SEEN]);
    await mail.close();
  });
});

test("a client begins in clear and logs in after STARTTLS", async () => {
  await inFolder(async (file) => {
    const server = await Server.start(file, { user: "ada", password: "secret", tls: true, starttls: true });
    assert.ok(server.url.startsWith("imap+starttls://ada@"));
    const session = await connect(server.url, { password: "secret", net: { ca: server.certificate } });
    await session.close();
    await server.close();
  });
});

test("a check of tokens that fails lets nobody in and harms nobody", async () => {
  await inFolder(async (file) => {
    const tokens = async (user, token) => {
      if (token === "down") throw new Error(token);
      return token === "like true" ? 1 : token === "good";
    };
    const server = await Server.start(file, { user: "ada", password: "secret", tokens });
    for (const [wrong, code] of [["down", "server.unavailable"], ["like true", "server.unavailable"], ["bad", "auth.token_expired"]]) {
      await assert.rejects(connect(server.url, { token: () => wrong }), (error) => error.code === code);
    }
    const session = await connect(server.url, { token: () => "good" });
    await session.close();
    const made = await server.addAppPassword("ada", "phone");
    assert.ok(made.length >= 16);
    const [{ label, created }] = await server.appPasswords("ada");
    assert.ok(label === "phone" && Math.abs(created.getTime() - Date.now()) < 600_000);
    await server.close();
  });
});

test("what cannot be served is refused", async () => {
  await inFolder(async (file) => {
    for (const wrong of [{ address: "imap.example.org:143" }, { address: "0.0.0.0:0", user: "ada" }, { password: "secret" }, { port: 143 }, { starttls: true }, { tokens: true }]) {
      await assert.rejects(Server.start(file, wrong), (error) => error instanceof UsageError && error.code === "usage.argument");
    }
  });
});

test("mail is seen from both sides", async () => {
  const mail = { INBOX: [LETTER, { subject: "log", text: "page 2" }] };
  await served({ mail }, async (server, session) => {
    const inbox = session.mailbox("INBOX");
    assert.deepEqual(await subjects(inbox), ["moth", "log"]);
    const watch = inbox.watch();
    await watch.ready();
    assert.equal(await server.deliver("INBOX", LETTER, { flags: [Flag.FLAGGED] }), 3);
    for await (const event of watch) {
      assert.equal(event.type, "new");
      await inbox.move(event.message, "Archive");
      break;
    }
    assert.deepEqual((await server.messages("Archive")).map((message) => message.subject), ["moth"]);
    assert.equal((await server.mail.mailbox("INBOX").status()).messages, 2);
    assert.ok(server.commands.some((command) => command.startsWith("UID MOVE 3")));
    assert.ok(!JSON.stringify(server.commands).includes("secret"));
  });
});

test("capabilities are taken away, and clients do without", async () => {
  await served({ mail: { INBOX: [LETTER] }, without: ["MOVE", "ESEARCH"] }, async (server, session) => {
    const capabilities = await session.capabilities();
    for (const gone of ["MOVE", "ESEARCH", "IMAP4REV2"]) assert.ok(!capabilities.includes(gone));
    await session.mailbox("INBOX").move(1, "Archive");
    assert.equal((await server.messages("Archive")).length, 1);
    assert.equal((await server.messages()).length, 0);
  });
});

test("faults happen on command", async () => {
  await served({ mail: { INBOX: [LETTER] }, quirks: ["Apache James"] }, async (server, session) => {
    server.fault("no", { command: "STATUS", text: "[INUSE] Come back later" });
    await assert.rejects(session.status("INBOX"), (error) => error instanceof ServerError && /Come back later/.test(error.message));
    assert.equal((await session.status("INBOX")).messages, 1);
    server.fault("cut", { command: "FETCH", after: 20 });
    await assert.rejects(session.mailbox("INBOX").fetch().list(), NetError);
    assert.throws(() => server.fault("explode"), UsageError);
    assert.throws(() => server.fault("no", { after: 3 }), UsageError);
  });
  await assert.rejects(testing.Server.start({ without: ["COMPRESS"] }), UsageError);
});

test("any client may come, and the process ends without waiting for the server", async () => {
  const server = await testing.Server.start();
  const socket = connectTo(server.port, server.host);
  const [greeting] = await new Promise((resolve) => socket.once("data", (data) => resolve([String(data)])));
  assert.match(greeting, /^\* OK \[CAPABILITY IMAP4rev1 /);
  socket.destroy();
  // It is not closed: nothing of it keeps the event loop alive.
});

test("import and require give the same server", () => {
  const required = createRequire(import.meta.url)("mailtide/testing");
  assert.equal(required.Server, testing.Server);
  assert.deepEqual(Object.keys(required), Object.keys(testing));
});
