// Runs the conformance cases of tests/cases, the same that Rust and Python run.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as mailtide from "mailtide";
import * as testing from "mailtide/testing";
import { Caller } from "./support/caller.mjs";
import * as plain from "./support/plain.mjs";

const folder = new URL("../cases/", import.meta.url);
const server = spawn("python3", [fileURLToPath(new URL("server.py", folder))], { stdio: ["pipe", "pipe", "inherit"] });
const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
after(() => server.stdin.end());

/** One request; answers come in the order of the requests. */
async function ask(request) {
  server.stdin.write(`${JSON.stringify({ id: 0, ...request })}\n`);
  return JSON.parse((await lines.next()).value);
}

const { cases } = await ask({ do: "list" });
for (const one of cases) {
  test(one.name, { skip: one.skip.node, timeout: 30_000 }, async () => {
    const { port } = await ask({ do: "start", case: one.name });
    const caller = new Caller(port, one.account);
    if (one.server) await caller.start(one.server);
    const problems = await play(caller, one.steps);
    await caller.close();
    const finished = await ask({ do: "finish", case: one.name });
    assert.deepEqual([...problems, ...finished.problems], []);
  });
}

test("the server for tests has what cases call", () => {
  const named = new Set(cases.flatMap(({ steps }) => steps.map((step) => step.name)).filter((name) => name?.startsWith("server.")));
  for (const name of [...named].map(camelCase)) assert.ok(name.slice(7) in testing.Server.prototype || name.slice(7) in testing.Server, name);
});

test("every public method of the table is there, and no other", () => {
  const table = readFileSync(new URL("methods.txt", folder), "utf8").split("\n").filter((line) => line && !line.startsWith("#"));
  const listed = new Set(table.map(camelCase));
  const classes = { session: mailtide.Session, mail: mailtide.Mail, mailbox: mailtide.Mailbox, message: mailtide.Message, attachment: mailtide.Attachment };
  const ours = ["constructor", "toString", "toJSON"];
  for (const [noun, kind] of Object.entries(classes)) {
    const methods = [kind, Object.getPrototypeOf(kind)].filter((one) => one.prototype).flatMap(({ prototype }) =>
      Object.getOwnPropertyNames(prototype).filter((name) => typeof Object.getOwnPropertyDescriptor(prototype, name).value === "function"),
    );
    const expected = [...listed].filter((name) => name.startsWith(`${noun}.`)).map((name) => name.slice(noun.length + 1));
    assert.deepEqual(methods.filter((name) => !ours.includes(name)).sort(), expected.sort(), noun);
  }
});

function camelCase(name) {
  return name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
}

async function play(caller, steps) {
  const problems = [];
  let last = ["connect", "open"].includes(steps[0].name) ? null : await outcome(caller.call("connect", {}));
  for (const [at, step] of steps.entries()) {
    let problem = null;
    if (step.do === "call") {
      last = await outcome(caller.call(step.name, step.args));
      const expected = ["result", "error"].includes(steps[at + 1]?.do);
      if (last instanceof mailtide.MailError && !expected) problem = `${last.message} [${last.code}]`;
    } else if (step.do === "event") {
      const got = await outcome(caller.event());
      problem = differs(step.value, got instanceof mailtide.MailError ? { error: plain.error(got) } : got);
    } else if (step.do === "result") {
      problem = last instanceof mailtide.MailError ? `${last.message} [${last.code}]` : differs(step.value, last);
    } else {
      problem = last instanceof mailtide.MailError ? differs(step.value, plain.error(last)) : `no error but ${JSON.stringify(last)}`;
    }
    if (problem) problems.push(`line ${step.line}: ${problem}`);
  }
  return problems;
}

/** What a call gives, or the error of ours that it throws. */
async function outcome(call) {
  try {
    return await call;
  } catch (error) {
    if (error instanceof mailtide.MailError) return error;
    throw error;
  }
}

/** Objects may leave out what does not matter; everything else is equal. */
function differs(expected, got) {
  const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  if (isObject(expected) && isObject(got)) {
    const found = Object.entries(expected).map(([key, value]) => [key, differs(value, got[key] ?? null)]).find(([, problem]) => problem);
    return found ? `${found[0]}: ${found[1]}` : null;
  }
  if (Array.isArray(expected) && Array.isArray(got) && expected.length === got.length) {
    return expected.map((value, at) => differs(value, got[at])).find((problem) => problem) ?? null;
  }
  return JSON.stringify(expected) === JSON.stringify(got) ? null : `expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`;
}
