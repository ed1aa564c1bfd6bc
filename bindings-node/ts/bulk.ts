/** What a write on many messages has come to. */

import { unpack, type MailError, type PackedError } from "./errors.js";
import { MessageRef } from "./ref.js";

/** One message that a write has reached. */
export interface Done {
  /** The message as it was addressed. */
  readonly source: MessageRef;
  /** Where a copy or move has put it; `null` where the server does not say or nothing moved. */
  readonly target: MessageRef | null;
}

/** What a write on many messages has come to. */
export interface BulkResult {
  /** Messages for which the server confirmed it. */
  readonly done: readonly Done[];
  /** Messages for which it did not happen, and why. */
  readonly failed: readonly { readonly ref: MessageRef; readonly error: MailError }[];
  /** Messages for which the connection was lost before the answer: it may or may not have happened. */
  readonly unknown: readonly MessageRef[];
}

/** A mailbox: account, name, UIDVALIDITY. @internal */
export type Place = [account: string, mailbox: string, uidValidity: number];
/** A reference: number of its place, UID. @internal */
type Pair = [place: number, uid: number];

/** A bulk result as the engine hands it over. @internal */
export interface PackedBulk {
  places: Place[];
  done: [Pair, Pair | null][];
  failed: [Pair, PackedError][];
  unknown: Pair[];
}

/** @internal */
export function bulkResult(packed: PackedBulk): BulkResult {
  const ref = ([place, uid]: Pair): MessageRef => refAt(packed.places, place, uid);
  return {
    done: packed.done.map(([source, target]) => ({ source: ref(source), target: target && ref(target) })),
    failed: packed.failed.map(([pair, error]) => ({ ref: ref(pair), error: unpack(error) })),
    unknown: packed.unknown.map(ref),
  };
}

/** References as the engine hands over many: place, UID, place, UID, … @internal */
export function refList(packed: { places: Place[]; refs: number[] }): MessageRef[] {
  const out: MessageRef[] = [];
  for (let i = 0; i + 1 < packed.refs.length; i += 2) out.push(refAt(packed.places, packed.refs[i]!, packed.refs[i + 1]!));
  return out;
}

function refAt(places: readonly Place[], place: number, uid: number): MessageRef {
  const [account, mailbox, uidValidity] = places[place]!;
  return new MessageRef(account, mailbox, uidValidity, uid);
}
