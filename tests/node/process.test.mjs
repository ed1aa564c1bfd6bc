// The process around it: threads that end, programs that end, memory that is given back.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { startScript } from "./support/script.mjs";

/** Runs a program; what it printed, once it has ended by itself. */
async function program(source, env, flags = []) {
  const child = spawn(process.execPath, [...flags, "--input-type=module", "--eval", source], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
    cwd: new URL("../..", import.meta.url),
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
  const deadline = setTimeout(() => child.kill("SIGKILL"), 20_000);
  const [status, signal] = await once(child, "exit");
  clearTimeout(deadline);
  assert.deepEqual([status, signal], [0, null], "the program ends by itself");
  return out.trim();
}

/** Runs a worker; what it posted, once it has ended. */
async function worker(source, workerData, { terminateOn = null } = {}) {
  const thread = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), { workerData });
  const posted = [];
  thread.on("message", (message) => {
    posted.push(message);
    if (message === terminateOn) thread.terminate();
  });
  const [status] = await once(thread, "exit");
  return { posted, status };
}

const IMPORT = `import * as mailtide from ${JSON.stringify(import.meta.resolve("mailtide"))};`;

test("importing it starts no thread and keeps nothing alive", { skip: process.platform !== "linux" }, async () => {
  const source = `import { readFileSync, readdirSync } from "node:fs";
    await import("mailtide");
    const names = readdirSync("/proc/self/task").map((id) => readFileSync("/proc/self/task/" + id + "/comm", "utf8"));
    console.log(names.filter((name) => name.startsWith("mailtide")).length);`;
  assert.equal(await program(source), "0");
});

test("a session that is open keeps no program alive, a call under way does", async (t) => {
  const script = await startScript();
  t.after(() => script.stop());
  const source = `${IMPORT}
    const engine = new mailtide.Engine({ logger: () => {} });
    const session = await engine.connect(process.env.URL, { password: "x" });
    await session.noop();
    session.noop().then(() => console.log("answered"));`;
  assert.equal(await program(source, { URL: script.url }), "answered");
});

test("a program ends after close, and may end in the middle of everything", async (t) => {
  const script = await startScript((command) => (command === "NOOP" ? null : undefined));
  t.after(() => script.stop());
  const open = `${IMPORT} const session = await mailtide.connect(process.env.URL, { password: () => "x" });`;
  await program(`${open} for await (const m of session.mailbox("INBOX").fetch()) break; await session.close();`, { URL: script.url });
  await program(`${open} session.noop(); session.mailbox("INBOX").watch().ready(); process.exit(0);`, { URL: script.url });
});

test("a store that is open keeps no program alive, and a program may end in the middle of a pass", async (t) => {
  const script = await startScript((command) => (/^LIST/.test(command) ? null : undefined));
  const folder = await mkdtemp(join(tmpdir(), "mailtide-"));
  t.after(async () => {
    await script.stop();
    await rm(folder, { recursive: true });
  });
  const env = { URL: script.url, STORE: join(folder, "ada.mail") };
  const source = `${IMPORT} const mail = await mailtide.open(process.env.STORE, { account: process.env.URL, password: "x" });`;
  assert.equal(await program(`${source} console.log(await mail.createMailbox("Log"));`, env), "Log");
  const busy = `mail.sync(); mail.keepInSync(); mail.changes()[Symbol.asyncIterator]().next(); await mail.createMailbox("Book"); process.exit(0);`;
  await program(`${source} ${busy}`, env);
  const names = `console.log((await mail.mailboxes()).map(({ name }) => name).join()); await mail.close();`;
  assert.equal(await program(`${source} ${names}`, env), "Book,Log");
});

test("workers load it, use it side by side, and end", async (t) => {
  const script = await startScript();
  t.after(() => script.stop());
  const source = `${IMPORT}
    import { parentPort, workerData } from "node:worker_threads";
    const session = await mailtide.connect(workerData, { password: async () => "x" });
    parentPort.postMessage((await session.capabilities()).length > 0);
    await session.close();`;
  const results = await Promise.all(Array.from({ length: 4 }, () => worker(source, script.url)));
  for (const { posted, status } of results) assert.deepEqual([posted, status], [[true], 0]);
});

test("workers may end with calls under way, again and again", async (t) => {
  const script = await startScript((command) => (command === "NOOP" ? null : undefined));
  t.after(() => script.stop());
  const source = `${IMPORT}
    import { parentPort, workerData } from "node:worker_threads";
    const engine = new mailtide.Engine({ logger: () => {} });
    const session = await engine.connect(workerData, { password: "x" });
    for (let i = 0; i < 20; i++) session.noop().catch(() => {});
    session.mailbox("INBOX").watch().ready().catch(() => {});
    mailtide.connect(workerData, { token: () => new Promise(() => {}) }).catch(() => {});
    parentPort.postMessage("busy");`;
  for (let round = 0; round < 10; round++) {
    const { posted } = await worker(source, script.url, { terminateOn: "busy" });
    assert.deepEqual(posted, ["busy"]);
  }
});

test("what is dropped is given back: callbacks, fetches and sessions", async (t) => {
  const script = await startScript();
  t.after(() => script.stop());
  const source = `${IMPORT}
    const gone = [];
    async function use(i) {
      const token = Object.assign(() => "x", { i });
      gone.push(new WeakRef(token));
      const session = await mailtide.connect(process.env.URL, { password: token });
      session.mailbox("INBOX").fetch()[Symbol.asyncIterator]().next().catch(() => {});
    }
    for (let i = 0; i < 20; i++) await use(i);
    const left = () => gone.filter((ref) => ref.deref()).length;
    for (let i = 0; i < 200 && left() > 0; i++) {
      // Not in the job that has looked: a look keeps its object until the job ends.
      await new Promise((resolve) => setTimeout(resolve, 20));
      gc();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    console.log(left());`;
  assert.equal(await program(source, { URL: script.url }, ["--expose-gc"]), "0");
});
