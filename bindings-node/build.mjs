// Builds the addon with cargo and the TypeScript with tsc, both into bindings-node/dist.
//
//   node bindings-node/build.mjs         release, as `npm install` does it
//   node bindings-node/build.mjs --dev   unoptimized, for work on Mailtide itself
//   … --ts                               only the TypeScript

import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const dist = join(here, "dist");
const flags = new Set(process.argv.slice(2));

mkdirSync(dist, { recursive: true });
if (!flags.has("--ts")) addon(flags.has("--dev") ? "dev" : "release");
typescript();

function addon(profile) {
  const args = ["build", "--package", "mailtide-node", "--profile", profile, "--message-format", "json-render-diagnostics"];
  const options = { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 30 };
  const library = libraryOf(run("cargo", args, options));
  // Renamed into place: a process that has the old file loaded keeps it.
  const target = join(dist, "mailtide.node");
  copyFileSync(library, `${target}.new`);
  renameSync(`${target}.new`, target);
  writeFileSync(join(dist, "profile"), `${profile}\n`);
}

// Cargo says itself where it put the library, whatever the platform and the target directory.
function libraryOf(output) {
  const messages = output.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  const built = messages.find((m) => m.reason === "compiler-artifact" && m.target.name === "mailtide_node");
  const library = built?.filenames.find((name) => /\.(so|dylib|dll)$/.test(name));
  if (!library) fail("cargo built no library for mailtide-node");
  return library;
}

function typescript() {
  const compiler = createRequire(import.meta.url).resolve("typescript/package.json");
  const tsc = join(dirname(compiler), "bin", "tsc");
  if (!existsSync(tsc)) fail("the TypeScript compiler is missing: run npm install");
  run(process.execPath, [tsc, "--project", join(root, "tsconfig.json")], { stdio: "inherit" });
}

function run(command, args, options) {
  try {
    return execFileSync(command, args, options);
  } catch (error) {
    if (error.code === "ENOENT") fail(`${command} is not installed: Mailtide is built from source and needs Rust, see https://rustup.rs`);
    process.exit(error.status ?? 1);
  }
}

function fail(message) {
  console.error(`mailtide: ${message}`);
  process.exit(1);
}
