// Runs one JavaScript example with what the text around it takes for granted: `session`, `inbox`, `ask`, `signal`.
//
// Addresses at imap.example.org lead to the private server. When standard input ends, the session is closed, which
// ends an example that watches.

import { readFile, writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { ask, connect } from "./home.mjs";

const file = process.argv[2];
const code = await readFile(file, "utf8");
const session = await connect("imaps://ada@imap.example.org", { password: ask });
globalThis.given = { session, inbox: session.mailbox("INBOX"), ask, signal: new AbortController().signal };

// What the example makes itself, it is not given.
const given = Object.keys(globalThis.given).filter((name) => !new RegExp(`\\bconst ${name}\\b`).test(code));
const home = new URL("./home.mjs", import.meta.url).href;
const testing = JSON.stringify(import.meta.resolve("mailtide/testing"));
const whole = `const { ${given.join(", ")} } = globalThis.given;\n${code.replaceAll('from "mailtide"', `from ${JSON.stringify(home)}`).replaceAll('"mailtide/testing"', testing)}`;
await writeFile(file, whole);

process.stdin.on("end", () => session.close()).resume();
try {
  await import(pathToFileURL(file).href);
} finally {
  await session.close();
  process.stdin.destroy();
}
