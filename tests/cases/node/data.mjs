// Answers of the Node package as the plain data that cases compare.

/** `INBOX/7/3`: mailbox, UIDVALIDITY, UID. */
export function refData(ref) {
  return ref && `${ref.mailbox}/${ref.uidValidity}/${ref.uid}`;
}

/** Text where it is UTF-8, else `{base64}`. */
export function bytesData(bytes) {
  const buffer = Buffer.from(bytes);
  const text = buffer.toString();
  return Buffer.from(text).equals(buffer) ? text : { base64: buffer.toString("base64") };
}

export function errorData(error) {
  if (error.code === undefined || error.context === undefined) throw error;
  const { mailbox, uid, server, serverCode, position, hint } = error.context;
  const bulk = error.result ? bulkData(error.result) : null;
  return { code: error.code, retry: error.retry, mailbox, uid, server, server_code: serverCode, position, hint, bulk };
}

export function bulkData({ done, failed, unknown }) {
  return {
    done: Object.fromEntries(done.map(({ source, target }) => [source.uid, refData(target)])),
    failed: Object.fromEntries(failed.map(({ ref, error }) => [ref.uid, error.code])),
    unknown: unknown.map(({ uid }) => uid),
  };
}

export function statusData(status) {
  const { messages, unseen, deleted, uidNext, uidValidity, size, highestModSeq, appendLimit, mailboxId } = status;
  return {
    messages, unseen, deleted, uid_next: uidNext, uid_validity: uidValidity, size,
    highest_mod_seq: highestModSeq === null ? null : Number(highestModSeq), append_limit: appendLimit, mailbox_id: mailboxId,
  };
}

export function infoData(info) {
  const { name, delimiter, path, role, roleGuessed, selectable, hasChildren, subscribed, attributes, status } = info;
  return {
    name, delimiter, path, role: role?.name ?? null, role_guessed: roleGuessed, selectable, has_children: hasChildren, subscribed,
    attributes, status: status && statusData(status),
  };
}

export function messageData(m) {
  const addresses = (all) => all.map(({ name, email }) => ({ name, email }));
  return {
    ref: refData(m.ref), uid: m.uid, flags: [...m.flags].sort(), size: m.size,
    received: dateData(m.received, m.receivedOffset), date: dateData(m.date, m.dateOffset),
    subject: m.subject, from: addresses(m.from), sender: addresses(m.sender), reply_to: addresses(m.replyTo), to: addresses(m.to),
    cc: addresses(m.cc), bcc: addresses(m.bcc), message_id: m.messageId, in_reply_to: m.inReplyTo,
    attachments: m.attachments.map(attachmentData), problems: m.problems.length,
  };
}

function attachmentData({ path, filename, mediaType, size, inline, contentId }) {
  return { path, filename, media_type: mediaType, size, inline, content_id: contentId };
}

/** `2024-02-01T12:00:00+01:00`. */
function dateData(date, offset) {
  if (date === null) return null;
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 19);
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.trunc(Math.abs(offset) / 60), Math.abs(offset) % 60];
  return `${local}${offset < 0 ? "-" : "+"}${two(hours)}:${two(minutes)}`;
}

/** The first field of each name. */
export function headersData(headers) {
  const first = {};
  for (const [name, value] of headers) first[name] ??= value;
  return first;
}

export function eventData(event) {
  switch (event.type) {
    case "new":
      return { type: "new", ref: refData(event.message.ref), uid: event.message.uid, message: messageData(event.message) };
    case "flags":
      return { type: "flags", uid: event.ref.uid, added: [...event.added].sort(), removed: [...event.removed].sort() };
    case "removed":
      return { type: "removed", uid: event.ref.uid };
    case "reset":
      return { type: "reset", mailbox: event.mailbox, uid_validity: event.uidValidity };
    case "offline":
      return { type: "offline", error: errorData(event.error) };
    default:
      return { type: event.type, mailbox: event.mailbox };
  }
}
