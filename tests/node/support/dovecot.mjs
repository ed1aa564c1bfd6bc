// A private Dovecot for a test file, and a plain connection to it that knows nothing of Mailtide: tests prepare
// mailboxes and check results through that.

import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** Starts it; it stops with the test process, or at `stop()`. `server` may be another one that has a Dovecot beside it. */
export async function startDovecot(server = "dovecot") {
  const script = fileURLToPath(new URL(`../../servers/${server}.py`, import.meta.url));
  const child = spawn("python3", [script, "run"], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([once(lines, "line"), once(child, "exit").then(() => [null])]);
  if (line === null) throw new Error(`${server} did not start; run tests/servers/setup`);
  const env = JSON.parse(line);
  let users = 0;
  return {
    ...env,
    /** A user that no other test has. */
    user: () => `user${++users}`,
    url: (user) => `imaps://${user}@${env.host}:${env.imaps_port}`,
    login: { password: env.password, net: { ca: env.ca } },
    raw: (user) => Raw.connect(env.imap_port, user, env.password),
    async stop() {
      child.stdin.end();
      await once(child, "exit");
    },
  };
}

/** One IMAP connection, by hand. */
export class Raw {
  static async connect(port, user, password) {
    const raw = new Raw();
    raw.socket = net.connect(port, "127.0.0.1");
    raw.text = "";
    raw.tag = 0;
    raw.socket.setEncoding("latin1").on("data", (data) => {
      raw.text += data;
      raw.wake?.();
    });
    await raw.until(/^\* OK.*\r\n/);
    await raw.run(`LOGIN ${user} ${password}`);
    return raw;
  }

  /** Runs a command; what the server said before its tagged answer, which must be OK. */
  async run(command, literal = null) {
    const tag = `r${++this.tag}`;
    this.text = "";
    this.socket.write(literal === null ? `${tag} ${command}\r\n` : `${tag} ${command} {${literal.length}}\r\n`);
    if (literal !== null) {
      await this.until(/\+ .*\r\n/);
      this.socket.write(Buffer.concat([literal, Buffer.from("\r\n")]));
    }
    const [, answer] = await this.until(new RegExp(`^${tag} (.*)\r\n`, "m"));
    if (!answer.startsWith("OK")) throw new Error(`${command}: ${answer}`);
    return this.text;
  }

  async append(mailbox, message, flags = "") {
    await this.run(`APPEND ${mailbox} (${flags})`, Buffer.from(message));
  }

  close() {
    this.socket.destroy();
  }

  async until(pattern) {
    for (;;) {
      const found = pattern.exec(this.text);
      if (found) return found;
      await new Promise((resolve) => (this.wake = resolve));
    }
  }
}

/** A message as its bytes. */
export function mail({ subject = "Moth", from = "Ada Lovelace <ada@example.org>", text = "A moth in the relay.", extra = "" } = {}) {
  return [
    `From: ${from}`,
    "To: Grace Hopper <grace@example.com>",
    `Subject: ${subject}`,
    "Date: Tue, 09 Sep 1997 15:45:00 -0500",
    `Message-ID: <${Buffer.from(subject).toString("hex")}@example.org>`,
    ...(extra ? [extra] : []),
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "",
    text,
    "",
  ].join("\r\n");
}

/** One with two attachments, one of whose names would leave the folder. */
export function mailWithAttachments({ subject = "Log book" } = {}) {
  const part = (headers, body) => ["--edge", ...headers, "", body].join("\r\n");
  return [
    "From: =?utf-8?Q?Gr=C3=A5ce?= <grace@example.com>",
    "To: ada@example.org",
    `Subject: ${subject}`,
    "MIME-Version: 1.0",
    'Content-Type: multipart/mixed; boundary="edge"',
    "",
    part(["Content-Type: text/plain; charset=utf-8"], "See the log."),
    part(['Content-Type: text/html; charset=utf-8'], "<p>See the <b>log</b>.</p>"),
    part(
      ["Content-Type: application/pdf", 'Content-Disposition: attachment; filename="log.pdf"', "Content-Transfer-Encoding: base64"],
      Buffer.from("%PDF-1.4 a moth").toString("base64"),
    ),
    part(['Content-Type: text/csv; name="../../etc/passwd"', 'Content-Disposition: attachment; filename="../../etc/passwd"'], "a,b"),
    "--edge--",
    "",
  ].join("\r\n");
}
