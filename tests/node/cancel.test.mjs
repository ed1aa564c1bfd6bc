// Abort, break, and connections that are lost: an error each, a usable session, nothing left over.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { connect, MailError, NetError } from "mailtide";
import { startScript } from "./support/script.mjs";

/** A session on a scripted server. */
async function scripted(t, answer, options = {}) {
  const script = await startScript(answer);
  const session = await connect(script.url, { ...script.login, ...options });
  t.after(async () => {
    await session.close();
    await script.stop();
  });
  return { script, session, inbox: session.mailbox("INBOX") };
}

test("an abort rejects with the signal's reason, whatever that is", async (t) => {
  const { script, session } = await scripted(t, (command) => (command === "NOOP" ? null : undefined));
  const reason = { not: "an error" };
  const controller = new AbortController();
  const call = session.noop({ signal: controller.signal });
  await script.seen(/^NOOP/);
  controller.abort(reason);
  await assert.rejects(call, (thrown) => thrown === reason);
  assert.deepEqual(await session.capabilities().then((c) => c.includes("IDLE")), true);
});

test("a signal that is aborted already sends nothing", async (t) => {
  const { script, session, inbox } = await scripted(t);
  const signal = AbortSignal.abort();
  const before = script.commands.length;
  await assert.rejects(session.noop({ signal }), { name: "AbortError" });
  await assert.rejects(inbox.fetch(null, { signal }).list(), { name: "AbortError" });
  assert.throws(() => inbox.watch({ signal }), { name: "AbortError" });
  await assert.rejects(connect(script.url, { ...script.login, signal }), { name: "AbortError" });
  assert.equal(script.commands.length, before);
});

test("the user's own onabort runs, and listeners are taken away when a call ends", async (t) => {
  const { script, session } = await scripted(t, (command) => (command === "NOOP" ? null : undefined));
  const controller = new AbortController();
  const { signal } = controller;
  let own = 0;
  signal.onabort = () => own++;
  await session.capabilities({ signal });
  await assert.rejects(session.status("INBOX", { signal, nonsense: 1 }), { code: "usage.argument" });
  const listeners = getEventListeners(signal, "abort").length;
  const call = session.noop({ signal });
  await script.seen(/^NOOP/);
  controller.abort();
  await assert.rejects(call, { name: "AbortError" });
  assert.equal(own, 1);
  assert.equal(listeners, 1, "only the user's own is left");
});

test("many calls under one signal end together, without a warning", async (t) => {
  const warnings = [];
  const onWarning = (warning) => warnings.push(warning);
  process.on("warning", onWarning);
  t.after(() => process.off("warning", onWarning));
  const { script, session } = await scripted(t, (command) => (command === "NOOP" ? null : undefined));
  const controller = new AbortController();
  const calls = Array.from({ length: 100 }, () => session.noop({ signal: controller.signal }));
  await script.seen(/^NOOP/);
  controller.abort();
  const results = await Promise.allSettled(calls);
  assert.ok(results.every(({ reason }) => reason?.name === "AbortError"));
  assert.deepEqual(warnings, []);
});

test("an abort during a login gives up the connection", async () => {
  const script = await startScript((command) => (/^(LOGIN|AUTHENTICATE)/.test(command) ? null : undefined));
  const controller = new AbortController();
  const call = connect(script.url, { ...script.login, signal: controller.signal });
  await script.seen(/^(LOGIN|AUTHENTICATE)/);
  controller.abort();
  await assert.rejects(call, { name: "AbortError" });
  await script.stop();
});

test("a callback that never answers does not hold up an abort", async () => {
  const script = await startScript();
  const controller = new AbortController();
  const password = () => new Promise(() => queueMicrotask(() => controller.abort()));
  await assert.rejects(connect(script.url, { password, signal: controller.signal }), { name: "AbortError" });
  await script.stop();
});

test("an aborted watch rejects with the reason, even when nobody reads it at the moment", async (t) => {
  const { script, inbox } = await scripted(t);
  const controller = new AbortController();
  const events = inbox.watch({ signal: controller.signal })[Symbol.asyncIterator]();
  const next = events.next();
  await script.seen(/^IDLE/);
  controller.abort(new Error("enough"));
  await assert.rejects(next, new Error("enough"));
});

test("a lost connection is an error, never an empty result", async (t) => {
  const { inbox } = await scripted(t, (command, socket) => {
    if (!/SEARCH|FETCH/.test(command)) return undefined;
    socket.write("* SEARCH 1 2\r\n* 1 FETCH (UID 1 FLAGS ())\r\n");
    socket.destroy();
    return null;
  });
  await assert.rejects(inbox.search("is:unread"), (error) => error instanceof NetError && error.code === "net.lost");
  await assert.rejects(inbox.fetch().list(), (error) => error instanceof NetError);
});

test("NO and BAD are errors with the server's own text", async (t) => {
  const { inbox, session } = await scripted(t, (command) => {
    if (command === "NOOP") return ["TAG BAD what is that"];
    return /SEARCH/.test(command) ? ["TAG NO [UNAVAILABLE] the disk is tired"] : undefined;
  });
  await assert.rejects(inbox.search("is:unread"), (error) => {
    assert.ok(error instanceof MailError);
    assert.deepEqual([error.code, error.retry, error.context.serverCode], ["server.unavailable", "later", "UNAVAILABLE"]);
    assert.match(error.context.server, /the disk is tired/);
    assert.match(error.stack, /cancel\.test\.mjs/, "the stack names the caller");
    return true;
  });
  await assert.rejects(session.noop(), { code: "server.bad" });
});
