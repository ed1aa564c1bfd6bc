// A call of a case on the Node package: names and arguments in, plain data out.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { connect, Engine, MessageRef, Q, Role, UidSet } from "mailtide";
import { bulkData, bytesData, eventData, headersData, infoData, messageData, refData, statusData } from "./data.mjs";

export class Caller {
  #port;
  #account;
  #engine = new Engine();
  #session = null;
  #messages = [];
  #watch = null;
  #events = null;
  #cursor = null;
  #reasons = [];
  #folders = [];

  constructor(port, account) {
    this.#port = port;
    this.#account = account;
  }

  async close() {
    this.#watch?.close();
    await this.#session?.close();
    for (const folder of this.#folders) await rm(folder, { recursive: true });
  }

  async call(name, args) {
    const [noun, verb] = name.split(".");
    if (noun === "connect") return await this.#connect({ ...this.#account, ...args });
    if (noun === "session") return await this.#inSession(camel(verb), args);
    if (noun === "mailbox") return await this.#inMailbox(camel(verb), args);
    if (noun === "message" || noun === "attachment") return await this.#inMessage(noun, verb, args);
    if (name === "watch.close") return this.#watch.close();
    throw new Error(`no such call: ${name}`);
  }

  /** The next event of the watch; null after its end. */
  async event() {
    const { value: event, done } = await this.#events.next();
    if (done) return null;
    if (event.type === "new") this.#messages = [event.message];
    this.#cursor = event.cursor;
    return eventData(event);
  }

  async #connect({ url = "imap://ada@127.0.0.1:PORT", tokens, password = "secret", read_only, allow_cleartext, mechanism, limits }) {
    this.#session = await connect(url.replace("PORT", this.#port), {
      engine: this.#engine,
      readOnly: read_only,
      allowCleartext: allow_cleartext,
      mechanism,
      limits: limits && Object.fromEntries(Object.entries(limits).map(([name, bound]) => [camel(name), isTime(name) ? bound * 1000 : bound])),
      ...(tokens ? { token: this.#tokens(tokens) } : { password }),
    });
    return { tokens: this.#reasons };
  }

  #tokens(tokens) {
    return ({ reason }) => tokens[Math.min(this.#reasons.push(reason), tokens.length) - 1];
  }

  async #inSession(verb, { name, to, on, fields, command, pattern, subscribed, status, role, exist_ok, even_if_not_empty }) {
    const session = this.#session;
    switch (verb) {
      case "mailbox":
        return void session.mailbox(target(name));
      case "mailboxes":
        return (await session.mailboxes({ pattern, subscribed, status })).map(infoData);
      case "createMailbox":
        return await session.createMailbox(target(name), { role: role && Role.from(role), existOk: exist_ok });
      case "renameMailbox":
        return await session.renameMailbox(target(name), target(to));
      case "deleteMailbox":
        return await session.deleteMailbox(target(name), { evenIfNotEmpty: even_if_not_empty });
      case "subscribe":
        return await session.subscribe(target(name), on);
      case "status":
        return statusData(await session.status(target(name)));
      case "namespaces": {
        const { personal, otherUsers, shared } = await session.namespaces();
        return { personal, other_users: otherUsers, shared };
      }
      case "id":
        return await session.id(fields);
      case "raw":
        return await session.raw(command);
      default:
        return await session[verb]();
    }
  }

  async #inMailbox(verb, args) {
    const mailbox = this.#session.mailbox(args.in === undefined ? "INBOX" : target(args.in));
    const { tz: timeZone, exact, limit, partial, create, to, add, remove, set } = args;
    const write = { timeZone, limit, partial };
    switch (verb) {
      case "fetch":
        return await this.#fetch(mailbox, args);
      case "count":
        return await mailbox.count(this.#selection(args), { timeZone });
      case "search":
        return (await mailbox.search(this.#selection(args), { timeZone, exact })).map(refData);
      case "status":
        return statusData(await mailbox.status());
      case "append":
        return refData(await mailbox.append(await this.#source(args.content), appended(args)));
      case "appendMany":
        return (await mailbox.appendMany(await Promise.all(args.content.map((one) => this.#source(one))), appended(args))).map(refData);
      case "watch":
        return await this.#follow(mailbox, args);
      case "flag":
        return bulkData(await mailbox.flag(this.#selection(args), { ...write, add, remove, set }));
      case "move":
      case "copy":
        return bulkData(await mailbox[verb](this.#selection(args), target(to), { ...write, create }));
      default:
        return bulkData(await mailbox[verb](this.#selection(args), write));
    }
  }

  async #fetch(mailbox, { parts, columns, limit, order, exact, tz, ...args }) {
    const options = { parts, columns: columns && columnNames(columns), limit, order, exact, timeZone: tz };
    const messages = mailbox.fetch(this.#selection(args), options);
    this.#messages = await messages.list();
    return { exact: messages.exact, messages: this.#messages.map(messageData) };
  }

  async #follow(mailbox, { since, poll }) {
    this.#watch = mailbox.watch({ since: since === "$cursor" ? this.#cursor : since, pollSeconds: poll });
    this.#events = this.#watch[Symbol.asyncIterator]();
    await this.#watch.ready();
  }

  async #inMessage(noun, verb, { message = 0, attachment = 0, directory }) {
    const of = noun === "message" ? this.#messages[message] : this.#messages[message].attachments[attachment];
    switch (verb) {
      case "headers":
        return headersData(await of.headers());
      case "raw":
      case "bytes":
        return bytesData(await of[verb]());
      case "stream":
        return bytesData(Buffer.concat(await of.stream().toReadable().toArray()));
      case "save": {
        const path = await of.save(directory ?? (await this.#folder()));
        return { name: basename(path), content: bytesData(await readFile(path)) };
      }
      default:
        return await of[verb]();
    }
  }

  #selection({ query, raw, uids, refs, messages }) {
    if (query !== undefined) return Q.parse(query);
    if (raw !== undefined) return Q.raw(raw);
    if (uids !== undefined) return new UidSet(uids);
    if (refs !== undefined) return refs.map((text) => this.#ref(text));
    if (messages !== undefined) return messages.map((index) => this.#messages[index]);
    return undefined;
  }

  #ref(text) {
    const [, mailbox, uidValidity, uid] = /^(.*)\/(\d+)\/(\d+)$/.exec(text);
    return new MessageRef(this.#session.account, mailbox, Number(uidValidity), Number(uid));
  }

  /** Text, `{base64}`, `{file}` with the text of a file to make, `{path}`, or `{stream, length}`. */
  async #source(content) {
    if (typeof content === "string") return Buffer.from(content);
    if (content.base64 !== undefined) return Buffer.from(content.base64, "base64");
    if (content.path !== undefined) return { path: content.path };
    if (content.file !== undefined) {
      const path = join(await this.#folder(), "message.eml");
      await writeFile(path, content.file);
      return { path };
    }
    const stream = Readable.from(content.stream.map((text) => Buffer.from(text)));
    return content.length === undefined ? stream : { stream, size: content.length };
  }

  async #folder() {
    const folder = await mkdtemp(join(tmpdir(), "mailtide-case-"));
    this.#folders.push(folder);
    return folder;
  }
}

function camel(name) {
  return name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
}

function isTime(limit) {
  return ["connect", "greeting", "progress", "slow_progress"].includes(limit);
}

/** A name, its levels, or `{role}`. */
function target(named) {
  return named?.role ? Role.from(named.role) : named;
}

function appended({ flags, received, create }) {
  if (received === undefined) return { flags, create };
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)$/.exec(received);
  const receivedOffset = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  return { flags, create, received: new Date(received), receivedOffset };
}

/** Cases name properties, the package what is asked of the server. */
function columnNames(properties) {
  const known = { flags: "flags", received: "received", size: "size", attachments: "structure" };
  return [...new Set(properties.map((name) => known[name] ?? (name === "uid" ? [] : "envelope")).flat())];
}
