// The story of `test_libraries.py` in each of Node's libraries: libraries.cjs NAME PORT PASSWORD. See libraries.py.
"use strict";
const { createRequire } = require("node:module");
const { once } = require("node:events");
const path = require("node:path");

const modules = createRequire(path.join(__dirname, "../../target/clients/node_modules/"));
const FOUR = "Subject: four\r\nFrom: ada@example.org\r\n\r\nabout four\r\n";
const [name, port, password] = process.argv.slice(2);

async function imapflow() {
  const { ImapFlow } = modules("imapflow");
  const auth = { user: "ada", pass: password };
  const client = new ImapFlow({ host: "127.0.0.1", port: Number(port), secure: false, doSTARTTLS: false, auth, logger: false });
  await client.connect();
  const lock = await client.getMailboxLock("INBOX");
  const subjects = [];
  for await (const message of client.fetch("1:*", { envelope: true, bodyStructure: true })) subjects.push(message.envelope.subject);
  const part = await client.download("1", "TEXT");
  let text = "";
  for await (const piece of part.content) text += piece;
  await client.messageFlagsAdd("1", ["\\Flagged"], { uid: true });
  await client.messageMove("2", "Archive", { uid: true });
  await client.messageDelete("3", { uid: true });
  await client.append("INBOX", FOUR);
  const found = await client.search({ subject: "four" }, { uid: true });
  lock.release();
  await client.logout();
  return { subjects, text, found: found.length };
}

async function nodeImap() {
  const Connection = modules("imap");
  const client = new Connection({ user: "ada", password, host: "127.0.0.1", port: Number(port), tls: false });
  const call = (method, ...args) =>
    new Promise((done, failed) => client[method](...args, (error, value) => (error ? failed(error) : done(value))));
  client.connect();
  await once(client, "ready");
  await call("openBox", "INBOX", false);
  const parts = { "HEADER.FIELDS (SUBJECT)": [], TEXT: [] };
  const reading = client.fetch("1:3", { bodies: Object.keys(parts), struct: true });
  const streams = [];
  reading.on("message", (message) =>
    message.on("body", (stream, { which }) => {
      streams.push(stream.toArray().then((pieces) => parts[which].push(Buffer.concat(pieces).toString())));
    }),
  );
  await once(reading, "end");
  await Promise.all(streams);
  await call("addFlags", 1, ["\\Flagged"]);
  await call("move", 2, "Archive");
  await call("addFlags", 3, ["\\Deleted"]);
  await call("expunge", 3);
  await call("append", FOUR, { mailbox: "INBOX" });
  const found = await call("search", [["SUBJECT", "four"]]);
  client.end();
  const subjects = parts["HEADER.FIELDS (SUBJECT)"].map((text) => text.split(": ")[1].trim());
  return { subjects, text: parts.TEXT[0], found: found.length };
}

({ imapflow, "node-imap": nodeImap })[name]().then((told) => {
  console.log(JSON.stringify(told));
  process.exit(0);
});
