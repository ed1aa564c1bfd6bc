// Compiled, not run: what a user writes must have these types.

import {
  connect, Draft, Flag, MailError, open, PartialError, q, Q, Role, Server, UidSet, type Mail, type MailEvent, type Message,
  type MessageRef, type Outgoing, type Session, type SyncReport,
} from "mailtide";
import * as testing from "mailtide/testing";

export async function triage(session: Session, signal: AbortSignal): Promise<string> {
  const inbox = session.mailbox("INBOX");
  for await (const message of inbox.fetch("is:unread newer:7d", { parts: ["text"], limit: 10, signal })) {
    const received: Date | null = message.received;
    const modSeq: bigint | null = message.modSeq;
    const sender: string | undefined = message.from[0]?.email;
    for (const attachment of message.attachments) {
      const path: string = await attachment.save("invoices/", { onProgress: ({ done, total }) => void [done, total] });
      void path;
    }
    await inbox.move(message, Role.ARCHIVE, { create: true });
    await inbox.flag([message, message.ref], { add: [Flag.SEEN], partial: "return" });
    void [received, modSeq, sender];
  }
  const refs: MessageRef[] = await inbox.search(q`from:${"ada"} larger:${100}`, { exact: true });
  await inbox.copy(refs, ["Archive", "News"]);
  await inbox.delete(new UidSet("1:5,9"));
  await inbox.expunge(Q.unread().and(Q.from("ada")).not());
  const first: Message | null = await inbox.fetch().first();
  const bytes: Uint8Array | undefined = await first?.raw();
  await inbox.append(bytes ?? Buffer.from(""), { flags: [Flag.DRAFT], received: new Date() });
  for await (const event of inbox.watch({ since: "now", signal })) return describe(event);
  return (await inbox.status()).highestModSeq?.toString() ?? "";
}

/** Every event has a name of its own, and the compiler knows when one is forgotten. */
function describe(event: MailEvent): string {
  switch (event.type) {
    case "new":
      return event.message.subject ?? "";
    case "flags":
      return event.added.concat(event.removed).join();
    case "removed":
      return event.ref.toString();
    case "reset":
      return `${event.mailbox} ${event.uidValidity}`;
    case "gap":
    case "mailbox_added":
    case "mailbox_changed":
    case "mailbox_gone":
      return event.mailbox;
    case "mailbox_renamed":
      return `${event.before} ${event.mailbox}`;
    case "pending":
    case "outbox":
      return String(event.id);
    case "offline":
      return event.error.code;
    case "online":
      return event.cursor;
  }
}

export async function login(): Promise<void> {
  await using session = await connect("imaps://ada@imap.example.org", {
    token: async ({ reason, previous }) => ({ token: `${reason}${previous}`, expiresAt: new Date() }),
    net: { proxy: null },
    signal: null,
  });
  try {
    await session.noop();
  } catch (error) {
    if (error instanceof PartialError) void error.result.failed[0]?.error.code;
    if (error instanceof MailError && error.code === "auth.rejected") void error.retryAfter;
  }
}

export async function local(signal: AbortSignal): Promise<string[]> {
  await using mail: Mail = await open("ada.mail", {
    account: "imaps://ada@imap.example.org",
    password: () => "secret",
    smtp: "smtp.example.org",
    keep: { what: "text", days: 90 },
  });
  const report: SyncReport = await mail.sync({ onProgress: ({ phase, mailbox, done, rate }) => void [phase, mailbox, done, rate], signal });
  await mail.sync({ dryRun: true, onProgress: true });
  const inbox = mail.mailbox("INBOX");
  for await (const message of inbox.fetch('has:attachment from:"Grace Hopper"')) await inbox.flag(message, { add: Flag.FLAGGED });
  const sent: Outgoing = await mail.send(new Draft({ to: "grace@example.org", subject: "Re: moth", text: "…", attach: "log.pdf" }));
  await mail.send({ to: [{ email: "grace@example.org" }], text: "…" }, { at: new Date(), onDoubt: "ask" });
  for (const { state, why, created } of await mail.pending()) void [state === "parked", why, created.getTime()];
  for (const deleted of await mail.deleted({ limit: 5 })) void [deleted.deletedAt.getTime(), (await mail.restore(deleted, Role.INBOX)).uid];
  void mail.keepInSync({ signal, bytesADay: 1_000_000, everySeconds: 60, onProgress: true }).catch(() => {});
  const told: string[] = [sent.state, ...report.paused.map(({ mailbox, advice }) => `${mailbox} ${advice}`)];
  for (const [name, { added }] of report.mailboxes) told.push(`${name} ${added}`);
  await mail.setKeep({ what: "text", days: 30 }, Role.ARCHIVE);
  const due: Date | null = (await mail.sendDue()).next;
  void due;
  for await (const change of mail.changes({ since: await mail.cursor(), signal })) told.push(describe(change));
  return told;
}

export async function serve(mail: Mail): Promise<void> {
  await using server = await Server.start("ada.mail", { user: "ada", tls: { certificate: "chain.pem", key: "key.pem" } });
  const password: string | null = server.password;
  await (await Server.start(mail, { tls: true })).close();
  await using tested = await testing.Server.start({ mail: { INBOX: [Buffer.from(""), { subject: "moth" }] }, without: ["MOVE"] });
  const uid: number = await tested.deliver(Role.ARCHIVE, new Draft({ text: "…" }), { flags: [Flag.SEEN] });
  tested.fault("delay", { command: "FETCH", after: 3, delay: 100 });
  const subjects: (string | null)[] = (await tested.messages()).map((message) => message.subject);
  // @ts-expect-error there is no such fault
  tested.fault("explode");
  void [password, uid, subjects, tested.commands.length];
}

export async function refused(session: Session): Promise<void> {
  const inbox = session.mailbox("INBOX");
  // @ts-expect-error a write takes no bare string
  await inbox.delete("123");
  // @ts-expect-error there is no such code
  if (new Error("x") instanceof MailError && ({} as MailError).code === "auth.wrong") return;
  // @ts-expect-error there is no such option
  inbox.fetch(null, { limits: 3 });
  // @ts-expect-error a draft has no body
  await ({} as Mail).send({ to: "grace@example.org", body: "…" });
  // @ts-expect-error text is no message: Buffer.from(text) is
  await inbox.append("Subject: x");
}
