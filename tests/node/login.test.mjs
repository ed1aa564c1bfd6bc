// Logging in: passwords, tokens, and those who are asked for them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AuthError, connect, Engine, TlsError, UsageError } from "mailtide";
import { startDovecot } from "./support/dovecot.mjs";
import { startScript } from "./support/script.mjs";

let dovecot;
before(async () => (dovecot = await startDovecot()));
after(() => dovecot.stop());

test("a password is a string, a function, or a function that takes its time", async () => {
  for (const password of [dovecot.password, () => dovecot.password, async () => dovecot.password]) {
    const session = await connect(dovecot.url("ada"), { ...dovecot.login, password });
    await session.close();
  }
});

test("a wrong password is an error that asks the user, and never shows it", async () => {
  await assert.rejects(connect(dovecot.url("ada"), { ...dovecot.login, password: "planted-secret" }), (error) => {
    assert.ok(error instanceof AuthError);
    assert.deepEqual([error.code, error.retry], ["auth.rejected", "ask_user"]);
    assert.ok(!`${error.stack}${JSON.stringify(error)}`.includes("planted"));
    return true;
  });
});

test("without a password the error says what to do", async () => {
  await assert.rejects(connect(dovecot.url("ada"), { net: dovecot.login.net }), { code: "auth.missing" });
});

test("a function that fails is told as the reason", async () => {
  const password = () => {
    throw new Error("the keyring is locked");
  };
  await assert.rejects(connect(dovecot.url("ada"), { ...dovecot.login, password }), (error) => {
    assert.equal(error.code, "auth.missing");
    assert.match(error.message, /the keyring is locked/);
    return true;
  });
  await assert.rejects(connect(dovecot.url("ada"), { ...dovecot.login, password: () => 42 }), { code: "auth.missing" });
});

test("a token is asked for with its reason, and again when the server refuses it", async () => {
  const asked = [];
  const token = async (request) => {
    asked.push(request);
    return request.reason === "first" ? dovecot.expired_token : { token: dovecot.token, expiresAt: new Date(Date.now() + 3600e3) };
  };
  const session = await connect(dovecot.url("ada"), { net: dovecot.login.net, token });
  await session.noop();
  await session.close();
  assert.deepEqual(asked.map(({ user, reason }) => [user, reason])[0], ["ada", "first"]);
  assert.equal(asked.length, 2);
  assert.equal(asked[1].previous, dovecot.expired_token);
});

test("a certificate that nobody vouches for is refused", async () => {
  await assert.rejects(connect(dovecot.url("ada"), { password: dovecot.password }), (error) => error instanceof TlsError);
});

test("addresses that cannot be used are refused, without quoting them", async () => {
  for (const url of ["https://a:planted@h", "ada", "imaps://h", "imaps://a:planted@h/INBOX", 7, null]) {
    await assert.rejects(connect(url, { password: "x" }), (error) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.ok(!error.message.includes("planted"));
      return true;
    });
  }
  await assert.rejects(connect("imaps://a@h", { pasword: "x" }), { code: "usage.argument" });
  await assert.rejects(connect("imaps://a@h", { password: "x", token: () => "y" }), { code: "usage.argument" });
});

test("an account is an object as well, and an engine counts", async () => {
  const stats = [];
  const engine = new Engine({ maxConnections: 2, onStats: (s) => stats.push(s) });
  const session = await engine.connect({ url: dovecot.url("ada"), ...dovecot.login });
  await session.noop();
  assert.ok(engine.stats.bytesIn > 0 && engine.stats.opened === 1);
  assert.equal(stats[0].opened, 1);
  await engine.close({ timeout: 1000 });
  assert.equal(session.closed, true);
});

test("the logger gets redacted lines, and what it throws hinders nobody", async () => {
  const lines = [];
  const engine = new Engine({ logger: (line) => lines.push(line) });
  const script = await startScript();
  const session = await engine.connect(script.url, { password: "planted-secret" });
  await session.noop();
  await session.close();
  await script.stop();
  assert.ok(lines.some(({ sent, text }) => sent && /NOOP/.test(text)));
  assert.ok(lines.some(({ sent, text }) => !sent && /ready/.test(text)));
  assert.ok(!JSON.stringify(lines).includes("planted"));
});
