// The bar of `onProgress: true`: drawn over itself on a terminal, a line at the end of each phase elsewhere.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";

const { bar, line, listener } = createRequire(import.meta.url)("../../bindings-node/dist/progress.js");

const at = (done, total, phase = "bodies") => ({
  phase, mailbox: "INBOX", done, total, bytes: 12_300_000, rate: 1_200_000, remaining: done === total ? 0 : 65_000,
});

function drawn(isTTY, steps) {
  let text = "";
  const draw = bar({ isTTY, write: (more) => (text += more) });
  steps.forEach(draw);
  return text;
}

test("a line says what is known", () => {
  assert.equal(line(at(60, 120)), "bodies INBOX [############------------] 60/120, 12.3 MB, 1.2 MB/s, 1:05 left");
  assert.equal(line({ phase: "search", done: 3, total: null, bytes: 0 }), "search 3, 0.0 MB");
});

test("a terminal sees one line for each phase", () => {
  const [first, second, third] = drawn(true, [at(1, 4, "headers"), at(4, 4, "headers"), at(1, 4), at(2, 4, "more")]).split("\n");
  assert.ok(first.startsWith("\rheaders INBOX [######----"));
  assert.ok(second.startsWith("\rbodies") && third.startsWith("\rmore"), "a phase that did not end keeps its line");
  assert.equal(first.slice(first.lastIndexOf("\r") + 1).length, line(at(1, 4, "headers")).length, "what was drawn before is covered");
});

test("a file sees only what is done", () => {
  assert.equal(drawn(false, [at(1, 4), at(2, 4), at(4, 4)]), `${line(at(4, 4))}\n`);
});

test("true is a bar, and a function is itself", () => {
  assert.equal(typeof listener(true), "function");
  assert.equal(listener(console.log), console.log);
  assert.equal(listener(null), null);
});
