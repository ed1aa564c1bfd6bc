// ImapFlow with mailparser as a peer: the task is the last argument, settings are in BENCH_* variables.

import { readFileSync } from "node:fs";
import { ImapFlow } from "imapflow";
import { simpleParser } from "mailparser";

const { env } = process;
const count = Number(env.BENCH_N);
const started = performance.now();
const EVERYTHING = { uid: true, flags: true, internalDate: true, size: true, envelope: true, bodyStructure: true };
const WITHOUT_EXTRAS = { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true, skipTextLinks: true };

async function opened(readOnly) {
  const auth = { user: env.BENCH_USER, pass: env.BENCH_PASS };
  const secure = env.BENCH_TLS === "1";
  const tls = secure ? { ca: readFileSync(env.BENCH_CA) } : {};
  const where = { host: env.BENCH_HOST, port: Number(env.BENCH_PORT), secure, doSTARTTLS: false, tls };
  const client = new ImapFlow({ ...where, auth, logger: false, disableAutoIdle: true });
  await client.connect();
  await client.mailboxOpen(env.BENCH_BOX, { readOnly });
  return client;
}

const tasks = {
  async noop() {
    return [0, 0];
  },

  async headers(client) {
    const kept = [];
    for await (const message of client.fetch("1:*", EVERYTHING, { uid: true })) kept.push(message);
    return [kept.length, 0];
  },

  async bodies(client, parse = false) {
    let messages = 0;
    let size = 0;
    for await (const { source } of client.fetch("1:*", { uid: true, source: true }, { uid: true })) {
      messages++;
      size += source.length;
      if (parse) await takenApart(source);
    }
    return [messages, size];
  },

  async parse(client) {
    return await tasks.bodies(client, true);
  },

  async append(client) {
    const messages = small();
    for (const message of messages) await client.append(env.BENCH_BOX, message);
    return [messages.length, 0];
  },

  async "flags-each"(client) {
    for (let uid = 1; uid <= count; uid++) await client.messageFlagsAdd(String(uid), ["\\Seen"], { uid: true });
    return [count, 0];
  },

  async "flags-set"(client) {
    const uids = Array.from({ length: count }, (_, k) => k + 1);
    await client.messageFlagsAdd(uids, ["\\Seen"], { uid: true });
    return [count, 0];
  },
};

async function takenApart(source) {
  const { subject, from, date, text, html, attachments } = await simpleParser(source, WITHOUT_EXTRAS);
  return [subject, from?.text, date, text || html, attachments.map((attachment) => attachment.filename)];
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

const task = process.argv.at(-1);
const client = await opened(!["append", "flags-each", "flags-set"].includes(task));
const [messages, bytes] = await tasks[task](client);
await client.logout();
console.log(JSON.stringify({ seconds: (performance.now() - started) / 1000, messages, bytes }));
