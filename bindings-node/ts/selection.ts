/** Which messages a call is about. */

import { direct } from "./bridge.js";
import { usage } from "./errors.js";
import { Message } from "./message.js";
import { native, type NativeRefs, type NativeSelection } from "./native.js";
import { Q } from "./query.js";
import { MessageRef } from "./ref.js";
import { UidSet } from "./uidset.js";

/** Messages by themselves, by address, or by UID. */
export type OneMessage = Message | MessageRef | number;

/** What a write takes. A bare string is refused: `delete("123")` must not be a text search. */
export type WriteSelection = OneMessage | Iterable<OneMessage> | UidSet | Q;

/** What a read takes: a query as well, and nothing for all messages. */
export type ReadSelection = WriteSelection | string | null | undefined;

/** @internal */
export function readSelection(selection: ReadSelection): NativeSelection {
  if (selection === undefined || selection === null) return native.Selection.all();
  if (typeof selection === "string") return native.Selection.query(Q.parse(selection).native);
  return writeSelection(selection);
}

/** @internal */
export function writeSelection(selection: WriteSelection): NativeSelection {
  if (selection instanceof Q) return native.Selection.query(selection.native);
  if (selection instanceof UidSet) return direct(() => native.Selection.uids(selection.toString()));
  if (typeof selection === "string") {
    throw usage("usage.selection", "A write does not take a bare string", "Give messages, UIDs, a UidSet, or a query made with q or Q");
  }
  if (isOne(selection)) return listed([selection]);
  if (isIterable(selection)) return listed([...selection]);
  throw usage("usage.selection", "This selects no messages", "Give a Message, a MessageRef, a UID, an iterable of those, a UidSet, or a Q");
}

function isOne(value: unknown): value is OneMessage {
  return typeof value === "number" || value instanceof Message || value instanceof MessageRef;
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}

function listed(items: unknown[]): NativeSelection {
  if (!items.every(isOne)) {
    throw usage("usage.selection", "A list for a selection holds messages, refs or UIDs, and nothing else");
  }
  const uids = items.filter((item) => typeof item === "number");
  if (uids.length === 0) return direct(() => native.Selection.refs(grouped(items as (Message | MessageRef)[])));
  if (uids.length < items.length) {
    throw usage("usage.selection", "UIDs and messages cannot be mixed", "A UID alone does not say of which UIDVALIDITY it is");
  }
  return native.Selection.uidList(Uint32Array.from(uids.map(checkUid)));
}

function checkUid(uid: number): number {
  if (Number.isInteger(uid) && uid >= 1 && uid <= 0xffff_ffff) return uid;
  throw usage("usage.selection", `${uid} is no UID: UIDs are whole numbers from 1 to 4294967295`);
}

/** References mailbox by mailbox, so that names cross once. */
function grouped(items: (Message | MessageRef)[]): NativeRefs[] {
  const groups = new Map<string, { ref: MessageRef; uids: number[] }>();
  for (const item of items) {
    const ref = item instanceof Message ? item.ref : item;
    const key = JSON.stringify([ref.account, ref.mailbox, ref.uidValidity]);
    const group = groups.get(key);
    if (group) group.uids.push(checkUid(ref.uid));
    else groups.set(key, { ref, uids: [checkUid(ref.uid)] });
  }
  return [...groups.values()].map(({ ref: { account, mailbox, uidValidity }, uids }) => {
    return { account, mailbox, uidValidity, uids: Uint32Array.from(uids) };
  });
}
