// Mailtide as a Node peer of the benchmarks. The task is the last argument, settings are in BENCH_* variables, one line
// of JSON on standard output is the result.

import { createHash } from "node:crypto";
import { createReadStream, readFileSync, statSync, writeSync } from "node:fs";
import { connect, Flag, q, UidSet } from "mailtide";

const { env } = process;
const box = env.BENCH_BOX;
const count = Number(env.BENCH_N);
const started = performance.now();

function account(user = env.BENCH_USER, readOnly = true) {
  const tls = env.BENCH_TLS === "1";
  const url = `${tls ? "imaps" : "imap"}://${user}@${env.BENCH_HOST}:${env.BENCH_PORT}`;
  return { url, password: env.BENCH_PASS, net: tls ? { ca: env.BENCH_CA } : null, readOnly };
}

/** Every property that a fetch of headers brings. */
function fields(m) {
  const people = [m.from, m.sender, m.replyTo, m.to, m.cc, m.bcc];
  return [m.ref, m.uid, m.flags, m.size, m.received, m.date, m.subject, people, m.messageId, m.inReplyTo, m.attachments];
}

const tasks = {
  async noop(session) {
    await session.mailbox(box).search(new UidSet("1"));
    return [0, 0];
  },

  /** Keeps every message, and reads every field of it. */
  async headers(session) {
    const kept = [];
    for await (const message of session.mailbox(box).fetch()) {
      fields(message);
      kept.push(message);
    }
    if (kept[0].subject === null) throw new Error("no subject");
    return [kept.length, 0];
  },

  async bodies(session) {
    let messages = 0;
    let size = 0;
    for await (const message of session.mailbox(box).fetch(null, { parts: ["raw"], columns: [] })) {
      size += (await message.raw()).length;
      messages++;
    }
    return [messages, size];
  },

  async parse(session) {
    let messages = 0;
    let size = 0;
    for await (const m of session.mailbox(box).fetch(null, { parts: ["raw"] })) {
      size += (await m.raw()).length;
      messages++;
      [m.subject, m.from, m.date, await m.text(), m.attachments.map((attachment) => attachment.filename)];
    }
    return [messages, size];
  },

  async unread(session) {
    const found = [];
    const options = { columns: ["envelope"], order: "newest", limit: count };
    for await (const m of session.mailbox(box).fetch(q`is:unread`, options)) found.push([m.subject, m.from, m.date]);
    return [found.length, 0];
  },

  /** Any event counts: a server that announces a message but does not give it makes a gap. */
  async idle(session) {
    const watch = session.mailbox(box).watch();
    await watch.ready();
    say("READY");
    let seen = 0;
    for await (const _ of watch) {
      say(`E ${process.hrtime.bigint()}`);
      if (++seen === count) break;
    }
    return [seen, 0];
  },

  async append(session) {
    const [messages, mailbox] = [small(), session.mailbox(box)];
    await Promise.all(messages.map((message) => mailbox.append(message)));
    return [messages.length, messages.reduce((sum, message) => sum + message.length, 0)];
  },

  async "flags-each"(session) {
    const mailbox = session.mailbox(box);
    await Promise.all(uids().map((uid) => mailbox.flag(uid, { add: [Flag.SEEN] })));
    return [count, 0];
  },

  async "flags-set"(session) {
    await session.mailbox(box).flag(uids(), { add: [Flag.SEEN] });
    return [count, 0];
  },

  /** The one message of the mailbox, a piece at a time. */
  async huge(session) {
    const message = await session.mailbox(box).fetch(null, { columns: ["size"] }).first();
    const digest = createHash("sha1");
    let size = 0;
    for await (const piece of message.stream()) {
      size += piece.length;
      digest.update(piece);
    }
    say(JSON.stringify({ sha1: digest.digest("hex") }));
    return [1, size];
  },

  /** A file of any size, by its path or as a stream of pieces. */
  async "append-huge"(session) {
    const path = env.BENCH_FILE;
    await session.mailbox(box).append((env.BENCH_SOURCE ?? "path") === "path" ? { path } : createReadStream(path));
    return [1, statSync(path).size];
  },
};
tasks["bodies-plain"] = tasks.bodies;

/** A session for each of many accounts, its mailbox open; with BENCH_WATCH=1 half as many, each with a watch. */
async function many() {
  say("BASE");
  const watched = env.BENCH_WATCH === "1";
  const sessions = watched ? count / 2 : count;
  const kept = [];
  for (let first = 0; first < sessions; first += 20) {
    const batch = Array.from({ length: Math.min(20, sessions - first) }, (_, k) => opened(first + k, watched));
    kept.push(...(await Promise.all(batch)));
  }
  say("READY");
  process.stdin.resume().on("end", () => {
    done(count, 0);
    process.exit(0);
  });
}

async function opened(number, watched) {
  const session = await connect(account(`many${number}`));
  const mailbox = session.mailbox(box);
  await mailbox.search(new UidSet("1"));
  if (!watched) return session;
  const watch = mailbox.watch();
  await watch.ready();
  return [session, watch];
}

function uids() {
  return Array.from({ length: count }, (_, k) => k + 1);
}

function small() {
  const data = readFileSync(env.BENCH_SMALL);
  const messages = [];
  for (let at = 0; at < data.length && messages.length < count; ) {
    const size = data.readUInt32BE(at);
    messages.push(data.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return messages;
}

function say(line) {
  writeSync(1, `${line}\n`);
}

/** The most that was resident, in KiB. */
function memory() {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]);
}

function done(messages, bytes, more = {}) {
  const seconds = Number(((performance.now() - started) / 1000).toFixed(4));
  say(JSON.stringify({ seconds, messages, bytes, ...more }));
}

async function main(task) {
  if (task === "many") return await many();
  const writes = ["append", "flags-each", "flags-set", "append-huge"];
  const session = await connect(account(undefined, !writes.includes(task)));
  const base = memory();
  const [messages, bytes] = await tasks[task](session);
  const above = memory() - base;
  await session.close();
  done(messages, bytes, { above_base_kb: above });
}

await main(process.argv.at(-1));
