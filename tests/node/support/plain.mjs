// Answers of the package as the plain data that conformance cases compare.

import { MailError, Message, MessageRef, Role } from "mailtide";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Any answer of a call. */
export function plain(value) {
  if (value instanceof MessageRef) return `${value.mailbox}/${value.uidValidity}/${value.uid}`;
  if (value instanceof Message) return message(value);
  if (value instanceof MailError) return error(value);
  if (value instanceof Role) return value.name;
  if (value instanceof Uint8Array) return bytes(value);
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, one]) => [key, plain(one)]));
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value ?? null;
  return fields(value);
}

export function bytes(value) {
  try {
    return utf8.decode(value);
  } catch {
    return { base64: Buffer.from(value).toString("base64") };
  }
}

export function bulk(result) {
  return {
    done: Object.fromEntries(result.done.map(({ source, target }) => [source.uid, plain(target)])),
    failed: Object.fromEntries(result.failed.map(({ ref, error }) => [ref.uid, error.code])),
    unknown: result.unknown.map((ref) => ref.uid),
  };
}

export function error(thrown) {
  const { code, retry, message } = thrown;
  return { code, retry, message, ...fields(thrown.context), bulk: thrown.result ? bulk(thrown.result) : null };
}

/** What a snippet marks, as text. */
export function hit({ message, score, snippet }) {
  const marked = snippet?.marks.map(([start, end]) => snippet.text.slice(start, end));
  return { message: plain(message), score, snippet: snippet && { ...fields(snippet), marked } };
}

/** A message that was deleted. */
export function deleted({ received, receivedOffset, date: written, dateOffset, ...rest }) {
  return { ...fields(rest), received: date(received, receivedOffset), date: date(written, dateOffset) };
}

/** The first field of each name. */
export function headers(all) {
  return Object.fromEntries([...all].reverse());
}

export function event(happened) {
  const { type } = happened;
  if (type === "new") return { type, ref: plain(happened.message.ref), uid: happened.message.uid, message: message(happened.message) };
  if (type === "flags") return { type, uid: happened.ref.uid, added: sorted(happened.added), removed: sorted(happened.removed) };
  if (type === "removed") return { type, uid: happened.ref.uid };
  return fields(happened);
}

function message(one) {
  const addresses = (all) => all.map(({ name, email }) => ({ name, email }));
  return {
    ref: plain(one.ref), uid: one.uid, flags: sorted(one.flags), size: one.size,
    received: date(one.received, one.receivedOffset), date: date(one.date, one.dateOffset), subject: one.subject,
    from: addresses(one.from), sender: addresses(one.sender), reply_to: addresses(one.replyTo), to: addresses(one.to),
    cc: addresses(one.cc), bcc: addresses(one.bcc), message_id: one.messageId, in_reply_to: one.inReplyTo,
    thread: one.thread,
    attachments: one.attachments.map(attachment), problems: one.problems.length,
  };
}

function attachment({ path, filename, mediaType, size, inline, contentId }) {
  return { path, filename, media_type: mediaType, size, inline, content_id: contentId };
}

/** `2024-02-01T12:00:00+01:00`. */
function date(moment, offset) {
  if (moment === null) return null;
  const local = new Date(moment.getTime() + offset * 60_000).toISOString().slice(0, 19);
  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  return `${local}${offset < 0 ? "-" : "+"}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
}

/** Flags have no order. */
function sorted(flags) {
  return [...flags].sort();
}

/** Names as the cases have them: `uidValidity` is `uid_validity`. */
function fields(object) {
  const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [snake(name), plain(value)]));
}
