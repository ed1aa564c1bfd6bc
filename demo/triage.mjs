// Triage of a mirror in JavaScript: what Python left, then offline: flags, a move and a reply; and back in step.
//
// node demo/triage.mjs URL STORE SMTP      (the password in MAILTIDE_PASSWORD)
//
// Lines that begin with "?" ask whoever started it for something, which has happened once a line comes back.

import { once } from "node:events";
import { createInterface } from "node:readline";
import { Flag, open } from "mailtide";

const answers = createInterface({ input: process.stdin });

async function triage(url, store, smtp) {
  const report = new Report();
  const sender = "Ada Lovelace <ada@analytical.example>";
  const mail = await open(store, { account: url, password: process.env.MAILTIDE_PASSWORD, smtp, sender });
  try {
    const synced = await mail.sync();
    report.line(`mirrored ${synced.added} messages with their bodies, ${size(synced.bytes)}`);
    const inbox = mail.mailbox("INBOX");
    const flagged = await inbox.fetch("label:$Invoice").list();
    report.line(`sees the ${flagged.length} that Python has flagged`);

    await asked("offline");
    report.since = performance.now();
    const refused = await mail.sync().then(() => "nothing", (error) => error.code);
    report.line(`the server is gone: ${refused}`);
    const found = await inbox.fetch("relay").list();
    report.line(`searched the text of the inbox for "relay": ${found.length} found`);
    const read = await inbox.flag(await inbox.fetch("is:unread has:attachment").list(), { add: [Flag.SEEN] });
    const invoices = await inbox.fetch("label:$Invoice subject:invoice").list();
    const filed = await inbox.move(invoices, "Projects/Analytical Engine");
    report.line(`marked ${read.done.length} as read, filed ${filed.done.length}`);
    const moth = await inbox.fetch("from:grace moth", { order: "newest" }).first();
    const draft = await moth.reply({ text: "Keep it where it is: I take the next coach.\n\nAda\n" });
    await mail.send(draft);
    await inbox.flag(moth, { add: [Flag.ANSWERED, Flag.FLAGGED] });
    report.line(`answered "${moth.subject}"`);
    report.line(`${(await mail.pending()).length} changes and a reply wait on the disk`);

    await asked("online");
    report.since = performance.now();
    const back = await mail.sync();
    const sent = (await mail.outbox()).length === 0 ? "the reply is sent and filed" : "the reply waits";
    report.line(`in step again: ${back.applied} changes confirmed, ${sent}`);

    const stop = new AbortController();
    const watch = inbox.watch({ signal: AbortSignal.timeout(30_000) });
    await watch.ready();
    const following = mail.keepInSync({ signal: stop.signal }).catch(() => {});
    await asked("message");
    report.since = performance.now();
    for await (const event of watch) {
      if (event.type !== "new") continue;
      report.line(`met "${event.message.subject}" as it arrived`);
      break;
    }
    stop.abort();
    await following;
  } finally {
    await mail.close();
    answers.close();
  }
}

/** Asks for something, and waits until it has happened. */
async function asked(what) {
  console.log(`?${what}`);
  await once(answers, "line");
}

/** Prints what was done, and how long it took since the line before. */
class Report {
  since = performance.now();

  line(text) {
    const milliseconds = (performance.now() - this.since).toFixed(1).padStart(7);
    console.log(`  ${text.padEnd(76)}${milliseconds} ms`);
    this.since = performance.now();
  }
}

function size(count) {
  return count >= 1e6 ? `${(count / 1e6).toFixed(1)} MB` : `${(count / 1e3).toFixed(1)} kB`;
}

await triage(...process.argv.slice(2, 5));
