// A call of a conformance case on the package: names and arguments in, plain data out.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { connect, MessageRef, open, Q, repair, Role, Server, UidSet } from "mailtide";
import * as testing from "mailtide/testing";
import * as plain from "./plain.mjs";

const SELECTING = ["uids", "refs", "messages", "query", "raw", "bare"];

export class Caller {
  #session = null;
  #mail = null;
  /** What serves the store, and the server for tests. */
  #serving = null;
  #tested = null;
  /** The app password that was made last. */
  #made = null;
  #folder = null;
  /** The call that goes on while the next steps are played; it ends with the store. */
  #meanwhile = null;
  #watch = null;
  #events = null;
  #messages = [];
  #cursor = "";
  #reasons = [];

  constructor(port, account) {
    this.port = port;
    this.account = account;
  }

  async close() {
    this.#watch?.close();
    await this.#session?.close();
    await this.#mail?.close();
    await this.#meanwhile;
    await this.#serving?.close();
    await this.#tested?.close();
    if (this.#folder) await rm(this.#folder, { recursive: true });
  }

  async call(name, args) {
    const [noun, verb] = name.includes(".") ? name.split(".") : ["", name];
    if (name === "repair") return plain.plain(await repair(join(this.#folder, "ada.mail")));
    if (name === "server.start") return await this.#serve(args);
    if (noun === "server" && this.#serving) return await this.#onServing(verb, args);
    if (noun === "server") return await this.#onServer(verb, args);
    if (noun === "") return await (verb === "open" ? this.#open(args) : this.#connect({ ...this.account, ...args }));
    if (noun === "session") return await this.#onSession(camel(verb), args);
    if (noun === "mail") return await this.#onMail(camel(verb), args);
    if (noun === "mailbox") return await this.#onMailbox(camel(verb), args);
    if (noun === "watch") return this.#watch.close() ?? null;
    return await this.#onMessage(noun, verb, args);
  }

  /** The next event of the watch; null after its end. */
  async event() {
    const { done, value } = await this.#events.next();
    if (done) return null;
    if (value.type === "new") this.#messages = [value.message];
    this.#cursor = value.cursor;
    return plain.event(value);
  }

  async #connect(args) {
    const { url, ...options } = this.#login(args);
    this.#session = await connect(url, options);
    return { tokens: this.#reasons };
  }

  /** A store in a folder of its own. */
  async #open({ alone, keep, smtp, sender, ...args }) {
    this.#folder = await mkdtemp(join(tmpdir(), "mailtide-"));
    const { url, ...options } = this.#login({ ...this.account, ...args });
    this.#mail = await open(join(this.#folder, "ada.mail"), { keep, smtp, sender, ...(alone ? {} : { account: url, ...options }) });
    return null;
  }

  /** The server of the case's header; the case connects to it. */
  async start({ mail = {}, ...given }) {
    const seeded = Object.entries(mail).map(([name, letters]) => [name, letters.map((letter) => Buffer.from(letter))]);
    this.#tested = await testing.Server.start({ ...given, mail: Object.fromEntries(seeded) });
    this.port = this.#tested.port;
  }

  /** Serves the store; what connects from here on connects to it. */
  async #serve(args) {
    const { tokens, ...options } = args;
    this.#serving = await Server.start(this.#mail, tokens ? { ...options, tokens: issuer(tokens) } : options);
    this.port = this.#serving.port;
    return null;
  }

  /** Who may log in to what serves the store, and its end. */
  async #onServing(verb, { name, password, user, label, disabled }) {
    const given = [name, password, user, label, disabled].filter((argument) => argument !== undefined);
    const answer = await this.#serving[camel(verb)](...given);
    if (verb === "add_app_password") this.#made = answer;
    return Array.isArray(answer) ? plain.plain(answer) : null;
  }

  async #onServer(verb, { in: named, content, with: word, kind, ...rest }) {
    if (verb === "close") return await this.#tested.close() ?? null;
    const [server, mailbox] = [this.#tested, target(named ?? "INBOX")];
    if (verb === "deliver") return await server.deliver(mailbox, Buffer.from(content), rest);
    if (verb === "messages") return (await server.messages(mailbox)).map(plain.plain);
    if (verb === "commands") return server.commands.filter((command) => command.includes(word));
    // Times are milliseconds in JavaScript.
    const times = rest.delay === undefined ? {} : { delay: rest.delay * 1000 };
    const bytes = rest.data === undefined ? {} : { data: Buffer.from(rest.data) };
    return server.fault(kind, { ...rest, ...times, ...bytes }) ?? null;
  }

  #login({ url = "imap://ada@127.0.0.1:PORT", tokens, limits = {}, ...login }) {
    // Times are milliseconds in JavaScript.
    const times = Object.entries(limits).map(([name, bound]) => [name, ["greeting", "progress"].includes(name) ? bound * 1000 : bound]);
    const options = { ...camelKeys(login), limits: Object.fromEntries(times) };
    if (tokens) options.token = this.#tokens([...tokens]);
    else if (!("password" in login)) options.password = "secret";
    else if (login.password === "$made") options.password = this.#made;
    return { url: url.replace("PORT", this.port), ...options };
  }

  #tokens(tokens) {
    return ({ reason }) => {
      this.#reasons.push(reason);
      return tokens.length > 1 ? tokens.shift() : tokens[0];
    };
  }

  async #onMail(verb, args) {
    const mail = this.#mail;
    if (verb === "changes") {
      this.#watch = mail.changes({ since: args.since === "$cursor" ? this.#cursor : args.since });
      this.#events = this.#watch[Symbol.asyncIterator]();
      return null;
    }
    if (verb === "cursor") return void (this.#cursor = await mail.cursor()) ?? null;
    if (verb === "backup") return await mail.backup(join(this.#folder, args.to)) ?? null;
    if (verb === "evict") return plain.plain(await mail.evict(args.bytes));
    if (verb === "export" || verb === "import") {
      const { file, content, ...options } = args;
      if (content) await writeFile(join(this.#folder, file), content);
      return plain.plain(await mail[verb](join(this.#folder, file), options));
    }
    if (verb === "search") {
      const { query, limit, ...options } = args;
      return (await mail.search(query, { ...options, limit: limit === null ? Infinity : limit })).map(plain.hit);
    }
    if (verb === "deleted") return (await mail.deleted(args)).map(plain.deleted);
    if (verb === "restore") return plain.plain(await mail.restore(args.id, args.to));
    if (verb === "keep") return plain.plain(await mail.keep(args.name));
    if (verb === "setKeep") return plain.plain(await mail.setKeep(args.keep, args.name));
    if (verb === "send") return plain.plain(await mail.send(args));
    if (verb === "decide") return plain.plain(await mail.decide(args.id, args.decision));
    if (args.meanwhile) {
      const { meanwhile, ...options } = args;
      this.#meanwhile = mail[verb](camelKeys(options));
      return null;
    }
    if ("id" in args) return plain.plain(await mail[verb](args.id));
    return await this.#onAny(mail, verb, args);
  }

  async #onSession(verb, args) {
    return await this.#onAny(this.#session, verb, args);
  }

  /** What sessions and stores have alike. */
  async #onAny(session, verb, { name, to, fields, command, on, ...options }) {
    if (options.role) options.role = Role.from(options.role);
    const given = camelKeys(options);
    if (verb === "mailbox") return void session.mailbox(name) ?? null;
    if (verb === "id") return plain.plain(await session.id(fields ?? {}));
    if (verb === "raw") return plain.plain(await session.raw(command));
    if (verb === "renameMailbox") return plain.plain(await session.renameMailbox(target(name), target(to)));
    if (verb === "subscribe") return plain.plain(await session.subscribe(target(name), on ?? true));
    const answer = name === undefined ? session[verb](...(Object.keys(given).length ? [given] : [])) : session[verb](target(name), given);
    return plain.plain(await answer);
  }

  async #onMailbox(verb, { in: named, to, content, since, tz, poll, ...rest }) {
    const mailbox = (this.#session ?? this.#mail).mailbox(target(named ?? "INBOX"));
    const options = camelKeys(Object.fromEntries(Object.entries(rest).filter(([name]) => !SELECTING.includes(name))));
    if (tz) options.timeZone = tz;
    if (verb === "status") return plain.plain(await mailbox.status());
    if (verb === "append") return plain.plain(await mailbox.append(await source(content), received(options)));
    if (verb === "appendMany") return plain.plain(await mailbox.appendMany(await Promise.all(content.map(source)), received(options)));
    if (verb === "watch") return await this.#follow(mailbox, since, poll);
    const selection = this.#selection(rest);
    if (verb === "fetch") return await this.#fetch(mailbox, selection, options);
    if (verb === "count" || verb === "search") return plain.plain(await mailbox[verb](selection, options));
    const chosen = "query" in rest ? Q.parse(rest.query) : selection;
    return plain.bulk(await (to === undefined ? mailbox[verb](chosen, options) : mailbox[verb](chosen, target(to), options)));
  }

  async #follow(mailbox, since, poll) {
    const watch = mailbox.watch({ since: since === "$cursor" ? this.#cursor : since, pollSeconds: poll });
    await watch.ready();
    this.#watch = watch;
    this.#events = watch[Symbol.asyncIterator]();
    return null;
  }

  async #fetch(mailbox, selection, options) {
    if (options.columns) options.columns = columns(options.columns);
    const messages = mailbox.fetch(selection, options);
    this.#messages = await messages.list();
    return { exact: messages.exact, messages: this.#messages.map(plain.plain) };
  }

  async #onMessage(noun, verb, { message: at = 0, attachment: which = 0, directory, ...options }) {
    const message = this.#messages[at];
    const subject = noun === "message" ? message : message.attachments[which];
    if (verb === "headers") return plain.headers(await subject.headers());
    if (verb === "stream") return await streamed(subject.stream());
    if (verb !== "save") return plain.plain(await subject[verb](...(Object.keys(options).length ? [options] : [])));
    const folder = await mkdtemp(join(tmpdir(), "mailtide-"));
    try {
      const saved = await subject.save(directory ?? folder);
      return { name: basename(saved), content: plain.bytes(await readFile(saved)) };
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  #selection({ uids, refs, messages, query, raw, bare }) {
    if (uids !== undefined) return new UidSet(uids);
    if (refs) return refs.map((text) => this.#ref(text));
    if (messages) return messages.map((at) => this.#messages[at]);
    if (raw !== undefined) return Q.raw(raw);
    return bare ?? query ?? null;
  }

  #ref(text) {
    const parts = text.split("/");
    const [uid, validity] = [Number(parts.pop()), Number(parts.pop())];
    return new MessageRef(this.#session.account, parts.join("/"), validity, uid);
  }
}

/** A name, its levels, or `{"role": …}`. */
function target(named) {
  return named?.role ? Role.from(named.role) : named;
}

/** Text, `{"base64": …}`, `{"file": text}`, `{"path": …}` or `{"stream": [text, …]}`. */
async function source(content) {
  if (typeof content === "string") return Buffer.from(content);
  if (content.base64) return Buffer.from(content.base64, "base64");
  if (content.path) return { path: content.path };
  if (content.file === undefined) return chunks(content.stream);
  const path = join(await mkdtemp(join(tmpdir(), "mailtide-")), "message");
  await writeFile(path, content.file);
  return { path };
}

async function streamed(stream) {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return plain.bytes(Buffer.concat(pieces));
}

async function* chunks(texts) {
  for (const text of texts) yield Buffer.from(text);
}

function received({ received: text, ...options }) {
  if (!text) return options;
  const [, sign, hours, minutes] = text.match(/([+-])(\d\d):(\d\d)$/);
  return { ...options, received: new Date(text), receivedOffset: (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) };
}

/** Columns as the package groups them. */
function columns(names) {
  const groups = { subject: "envelope", from: "envelope", date: "envelope", attachments: "structure" };
  return names.map((name) => groups[name] ?? name);
}

function camel(name) {
  return name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
}

function camelKeys(options) {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [camel(name), value]));
}

/** Knows the one token of each user; `raise` is an issuer that is out of order. */
function issuer(tokens) {
  return async (user, token) => {
    if (tokens[user] === "raise") throw new Error("out of order");
    return tokens[user] === token;
  };
}
