// Runs the conformance cases through the Node package: node tests/cases/run_node.mjs [part of a name]
//
// The format is in README.md. Cases are read, and their servers played, by server.py, for every language alike.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Caller } from "./node/caller.mjs";
import { errorData } from "./node/data.mjs";

/** Cases under way at once. */
const TOGETHER = 8;
/** No case may take longer, in milliseconds. */
const PATIENCE = 20_000;

class Server {
  #child = spawn("python3", [fileURLToPath(new URL("server.py", import.meta.url))], { stdio: ["pipe", "pipe", "inherit"] });
  #waiting = new Map();
  #last = 0;

  constructor() {
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      const answer = JSON.parse(line);
      this.#waiting.get(answer.id)(answer);
      this.#waiting.delete(answer.id);
    });
  }

  ask(request) {
    const id = ++this.#last;
    this.#child.stdin.write(`${JSON.stringify({ id, ...request })}\n`);
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  stop() {
    this.#child.stdin.end();
  }
}

async function main(only = "") {
  const server = new Server();
  const cases = (await server.ask({ do: "list" })).cases.filter(({ name }) => name.includes(only));
  const skipped = cases.filter(({ skip }) => skip.node).map(({ name, skip }) => `skipped: ${name}: ${skip.node}`);
  const left = cases.filter(({ skip }) => !skip.node);
  const problems = [];
  const worker = async () => {
    for (let one; (one = left.shift()); ) problems.push(...(await play(server, one)));
  };
  const runs = left.length;
  await Promise.all(Array.from({ length: TOGETHER }, worker));
  server.stop();
  console.log([...skipped, ...problems, `${runs} cases, ${problems.length} problems`].join("\n"));
  if (problems.length > 0 || runs === 0) process.exitCode = 1;
}

/** Plays one case; what is wrong with it. */
async function play(server, { name, account, steps }) {
  const { port } = await server.ask({ do: "start", case: name });
  const caller = new Caller(port, account);
  const late = Promise.withResolvers?.() ?? deferred();
  const timer = setTimeout(() => late.resolve(["it takes too long"]), PATIENCE);
  const wrong = await Promise.race([run(caller, steps), late.promise]);
  clearTimeout(timer);
  await caller.close();
  const { problems } = await server.ask({ do: "finish", case: name });
  return [...wrong, ...problems].map((problem) => `${name}: ${problem}`);
}

function deferred() {
  let resolve;
  return { promise: new Promise((r) => (resolve = r)), resolve };
}

async function run(caller, steps) {
  const problems = [];
  if (steps[0]?.name !== "connect") {
    const opened = await outcome(() => caller.call("connect", {}));
    if ("error" in opened) return [`connect: ${opened.error}`];
  }
  let last = { value: null };
  for (const [at, step] of steps.entries()) {
    if (step.do === "call") last = await outcome(() => caller.call(step.name, step.args));
    const expected = ["result", "error"].includes(steps[at + 1]?.do);
    const problem = await check(caller, step, last, expected);
    if (problem) problems.push(`line ${step.line}: ${problem}`);
  }
  return problems;
}

async function check(caller, step, last, expected) {
  switch (step.do) {
    case "call":
      return "error" in last && !expected ? String(last.error) : null;
    case "result":
      return "error" in last ? String(last.error) : differs(step.value, last.value);
    case "error":
      return "error" in last ? differs(step.value, errorData(last.error)) : `no error but ${JSON.stringify(last.value)}`;
    default: {
      const event = await outcome(() => caller.event());
      return differs(step.value, "error" in event ? { error: errorData(event.error) } : event.value);
    }
  }
}

async function outcome(call) {
  try {
    return { value: (await call()) ?? null };
  } catch (error) {
    return { error };
  }
}

/** Objects may leave out what does not matter; everything else is equal. */
function differs(expected, got) {
  if (isObject(expected) && isObject(got)) {
    for (const [key, value] of Object.entries(expected)) {
      const difference = differs(value, got[key] ?? null);
      if (difference) return `${key}: ${difference}`;
    }
    return null;
  }
  if (Array.isArray(expected) && Array.isArray(got) && expected.length === got.length) {
    return expected.map((value, at) => differs(value, got[at])).find(Boolean) ?? null;
  }
  return expected === got ? null : `expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`;
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

await main(process.argv[2] ?? process.env.CASE);
