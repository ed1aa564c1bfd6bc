// Triage of a mailbox in JavaScript: list, read, save, flag, move, and meet a message as it arrives.
//
// node demo/triage.mjs URL CA FOLDER      (the password in MAILTIDE_PASSWORD)
//
// `demo/triage.py` does the same in Python.

import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { Engine, Flag, Role, connect } from "mailtide";

// Characters that take two cells of a terminal.
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/;

async function triage(url, ca, folder) {
  const engine = new Engine();
  const report = new Report(engine);
  const session = await connect(url, { password: process.env.MAILTIDE_PASSWORD, net: { ca }, engine });
  try {
    report.line("logged in over TLS");
    const inbox = session.mailbox("INBOX");

    const unread = await inbox.fetch("is:unread", { order: "newest" }).list();
    const total = unread.reduce((sum, message) => sum + (message.size ?? 0), 0);
    report.line(`listed ${unread.length} unread messages, ${size(total)} in all`);
    for (const message of unread.slice(0, 8)) report.row(message);

    let characters = 0;
    for await (const message of inbox.fetch("is:unread", { parts: ["text"] })) {
      characters += [...(await message.text())].length;
    }
    const read = `read the text of all ${unread.length}, ${characters.toLocaleString("en")} characters`;
    report.line(`${read}; attachments not loaded`);

    const attachments = unread.flatMap((message) => message.attachments);
    const largest = attachments.reduce((one, other) => ((other.size ?? 0) > (one.size ?? 0) ? other : one));
    const path = await largest.save(folder);
    report.line(`saved ${basename(path)}, ${size((await stat(path)).size)}`);

    const withFiles = unread.filter((message) => message.attachments.length > 0);
    await inbox.flag(withFiles, { add: [Flag.FLAGGED, "$Invoice"] });
    report.line(`flagged ${withFiles.length} that carry attachments`);

    const lists = await inbox.fetch("is:unread list:moths").list();
    const moved = await inbox.move(lists, Role.ARCHIVE);
    report.line(`moved ${moved.done.length} from mailing lists to the archive`);

    const watch = inbox.watch({ signal: AbortSignal.timeout(30_000) });
    await watch.ready();
    console.log("watching");
    report.line("watching for new mail");
    for await (const event of watch) {
      if (event.type !== "new") continue;
      report.line("met a new message as it arrived");
      report.row(event.message);
      break;
    }
    console.log(`  ${size(report.bytes)} have crossed the network, of ${size(total)} of unread mail`);
  } finally {
    await session.close();
    await engine.close();
  }
}

/** Prints what was done, with the time and the bytes that came over the network since the line before. */
class Report {
  constructor(engine) {
    this.engine = engine;
    this.since = performance.now();
    this.bytes = 0;
  }

  line(text) {
    const now = performance.now();
    const received = this.engine.stats.bytesIn;
    const overTheNetwork = received > this.bytes ? size(received - this.bytes) : "";
    const milliseconds = (now - this.since).toFixed(1).padStart(7);
    console.log(`  ${column(text, 76)}${milliseconds} ms ${overTheNetwork.padStart(9)}`);
    this.since = now;
    this.bytes = received;
  }

  row(message) {
    const sender = message.from[0]?.name ?? message.from[0]?.email ?? "";
    const files = message.attachments.filter((a) => !a.inline).map((a) => a.filename ?? a.mediaType).join(", ");
    const cells = [column(shortDate(message.received), 13), `${column(sender, 19)} `, column(message.subject ?? "", 36)];
    const clip = files ? `  ${column(`+ ${files}`, 26)}` : "";
    console.log(`      ${cells.join("")}${size(message.size ?? 0).padStart(8)}${clip}`.trimEnd());
    this.since = performance.now();
  }
}

function shortDate(date) {
  if (date === null) return "";
  const [, day, month, , time] = date.toUTCString().split(" ");
  return `${day} ${month} ${time.slice(0, 5)}`;
}

function size(count) {
  return count >= 1e6 ? `${(count / 1e6).toFixed(1)} MB` : `${(count / 1e3).toFixed(1)} kB`;
}

/** The text in exactly `width` cells of a terminal; a Chinese or Japanese character takes two. */
function column(text, width) {
  let out = "";
  let used = 0;
  for (const character of text) {
    const cells = WIDE.test(character) ? 2 : 1;
    if (used + cells > width - 1) return `${out}…${" ".repeat(width - 1 - used)}`;
    out += character;
    used += cells;
  }
  return out + " ".repeat(width - used);
}

await triage(...process.argv.slice(2, 5));
