// The conformance cases that all languages run: tests/cases.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const folder = new URL("../cases/", import.meta.url);

test("every conformance case goes as it is written", { skip: !existsSync(new URL("server.py", folder)) }, () => {
  const run = spawnSync(process.execPath, [fileURLToPath(new URL("run_node.mjs", folder))], { encoding: "utf8" });
  assert.equal(run.status, 0, `${run.stdout}${run.stderr}`);
});
