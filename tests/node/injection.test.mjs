// Random strings in every argument: a strict reader gets one command with the same bytes, or none at all.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { connect, Engine, MailError, Q, q } from "mailtide";

const READER = fileURLToPath(new URL("../hostile/strict_reader.py", import.meta.url));
const STRINGS = 100_000;
/** Of these, in user names and passwords, where each costs a connection. */
const LOGINS = 1_000;
const BATCH = 500;

const ALPHABETS = [
  ["a", "B", "7", "-", ".", "_", "Mail"],
  ["a", " ", '"', "\\", "(", ")", "{", "}", "%", "*", "[", "]", "<", ">", "&", "&-", "/"],
  ["a", "\r\n", "\r", "\n", "\0", "\r\nA1 LOGOUT\r\n", " "],
  ["{3}", "{3+}", "{3}\r\n", "~{2}", '" A1 DELETE INBOX', "abc", "+", "}"],
  ["é", "ß", "\x80", "\xff", "a", "&"],
  ["😀", "日本", "\u202e", "e\u0301", "a", "-"],
  ["\x01", "\t", "\x7f", "\x1b[2J", "a", "NIL", "\\Seen", "$x"],
];

/** A mailbox name from modified UTF-7 (RFC 3501 section 5.1.3). */
function decoded(name) {
  return name.toString("latin1").replace(/&([^-]*)-/g, (_, text) => {
    return text ? Buffer.from(text.replaceAll(",", "/"), "base64").swap16().toString("utf16le") : "&";
  });
}

const asItIs = (words, string) => words.some((word) => word.equals(Buffer.from(string)));
const asName = (words, string) => words.some((word) => safely(word) === string);

function safely(word) {
  try {
    return decoded(word);
  } catch {
    return null; // An odd number of bytes is no UTF-16.
  }
}

const INBOX = (session) => session.mailbox("INBOX");
const CALLS = [
  [(s, x) => s.status(x), asName],
  [(s, x) => s.createMailbox([x, "x"]), (words, x) => asName(words, `${x}/x`)],
  [(s, x) => s.renameMailbox("Old", x), asName],
  [(s, x) => s.subscribe(x), asName],
  [(s, x) => s.mailboxes({ pattern: x }), asName],
  [(s, x) => INBOX(s).flag(5, { add: [x] }), asItIs],
  [(s, x) => INBOX(s).append(Buffer.from("a: b\r\n\r\n"), { flags: [x] }), asItIs],
  [(s, x) => s.id({ name: x }), asItIs],
  [(s, x) => s.id({ [x]: "x" }), asItIs],
  [(s, x) => INBOX(s).search(q`from:${x}`), asItIs],
  [(s, x) => INBOX(s).search(Q.subject(x)), asItIs],
  [(s, x) => INBOX(s).search(Q.body(x)), asItIs],
  [(s, x) => INBOX(s).search(Q.header("X-Spam", x)), asItIs],
  [(s, x) => INBOX(s).search(Q.header(x, "x")), asItIs],
  [(s, x) => s.raw(x), null],
];

/** The strict reader as a process of its own. */
async function startReader(t, ...capabilities) {
  const child = spawn("python3", [READER, "--capabilities", ...capabilities], { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => child.stdin.end());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const port = Number((await lines.next()).value);
  const next = async () => {
    const { raw, words, offence } = JSON.parse((await lines.next()).value);
    return { raw: Buffer.from(raw, "hex"), words: words.map((word) => Buffer.from(word, "hex")), offence };
  };
  return { port, next };
}

/** Strings without end, the same for the same seed. */
function* strings(seed) {
  let state = seed >>> 0 || 1;
  const random = (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  for (;;) {
    const alphabet = ALPHABETS[random(ALPHABETS.length)];
    const length = random(500) === 0 ? 2000 + random(6000) : random(12);
    yield Array.from({ length }, () => alphabet[random(alphabet.length)]).join("");
  }
}

/** Whether the call was sent. */
async function attempt(call) {
  try {
    await call();
    return true;
  } catch (error) {
    const usual = ["usage.argument", "usage.flag", "query.syntax", "usage.address", "auth.missing", "auth.no_mechanism"];
    assert.ok(error instanceof MailError && usual.includes(error.code), String(error));
    return false;
  }
}

function judge({ raw, words, offence }, [, stands], string) {
  const what = `${JSON.stringify(string)}: ${offence}: ${raw}`;
  if (stands === null) {
    assert.ok(raw.subarray(raw.indexOf(" ") + 1).equals(Buffer.from(`${string}\r\n`)), what);
  } else {
    assert.equal(offence, null, what);
    assert.ok(stands(words, string), what);
  }
}

const PLAIN = ["LIST-EXTENDED", "NAMESPACE", "ID"];
for (const capabilities of [PLAIN, [...PLAIN, "LITERAL+"]]) {
  test(`no string becomes a second command or another string (${capabilities.at(-1)})`, async (t) => {
    const reader = await startReader(t, ...capabilities);
    const engine = new Engine({ maxConnections: 1 });
    const session = await connect(`imap://ada@127.0.0.1:${reader.port}`, { password: "secret", engine });
    await session.namespaces();
    await INBOX(session).search();
    const source = strings(capabilities.length);
    const count = (STRINGS - LOGINS) / 2;
    let sent = 0;
    for (let batch = 0; batch < count / BATCH; batch++) {
      await session.raw(`XMARK ${batch}`);
      while (!(await reader.next()).raw.includes(`XMARK ${batch}\r`));
      const went = [];
      for (let number = 0; number < BATCH; number++) {
        const [call, string] = [CALLS[number % CALLS.length], source.next().value];
        if (await attempt(() => call[0](session, string))) went.push([call, string]);
      }
      for (const [call, string] of went) judge(await reader.next(), call, string);
      sent += went.length;
    }
    await session.close();
    assert.ok(sent > count / 8, `only ${sent} were sent`);
  });
}

test("no user name or password becomes a second command", async (t) => {
  const reader = await startReader(t);
  const source = strings(99);
  let sent = 0;
  for (let number = 0; number < LOGINS; number++) {
    const string = source.next().value;
    const [user, password] = number % 2 ? [string, "secret"] : ["ada", string];
    const url = `imap://${encodeURIComponent(user)}@127.0.0.1:${reader.port}`;
    const login = async () => {
      const session = await connect(url, { password });
      await session.raw(`XMARK ${number}`);
      await session.close();
    };
    if (!(await attempt(login))) continue;
    const seen = [];
    for (;;) {
      const report = await reader.next();
      if (report.raw.includes("XMARK")) break;
      seen.push(report);
    }
    const logins = seen.filter(({ words }) => words[1]?.equals(Buffer.from("LOGIN")));
    assert.equal(logins.length, 1, JSON.stringify(string));
    assert.ok(asItIs(logins[0].words, string), JSON.stringify(string));
    assert.ok(seen.every(({ offence }) => offence === null), JSON.stringify(string));
    await reader.next(); // LOGOUT
    sent++;
  }
  assert.ok(sent > LOGINS / 8, `only ${sent} were tried`);
});
