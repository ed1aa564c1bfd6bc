// The package itself: two ways in, one set of objects, types.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as esm from "mailtide";

const require = createRequire(import.meta.url);
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

test("import and require give the same objects", () => {
  const cjs = require("mailtide");
  assert.deepEqual(Object.keys(esm).sort(), Object.keys(cjs).sort());
  for (const [name, value] of Object.entries(cjs)) assert.equal(esm[name], value, name);
});

test("the package has the version of the workspace", () => {
  const cargo = /\[workspace\.package\]\s+version = "([^"]+)"/.exec(readFileSync(join(root, "Cargo.toml"), "utf8"));
  assert.equal(require("mailtide/package.json").version, cargo[1]);
});

test("types pass tsc --strict, for import and for require", () => {
  const tsc = join(dirname(require.resolve("typescript/package.json")), "bin", "tsc");
  execFileSync(process.execPath, [tsc, "--project", join(root, "tests/node/types/tsconfig.json")], { stdio: "inherit" });
});
