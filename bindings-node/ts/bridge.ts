/**
 * Calls into the engine and back. A call starts under an id and ends as an entry that the engine's threads have put
 * up; one wake-up takes all entries. @internal
 */

import { unpack, unpackThrown, usage, type PackedError } from "./errors.js";
import { native, type NativeBridge } from "./native.js";

/** A user's function that the engine calls. Its number is released by the engine when nobody can call it any more. */
type Callback = (argument: never) => unknown;

interface Pending {
  end(kind: number, value: unknown): void;
}

/** What an entry is; a number above is {@link ASKED} plus the number of the question. */
const DONE = 0;
const FAILED = 1;
const TOLD = 2;
const RELEASED = 3;
const ASKED = 4;

const pending = new Map<number, Pending>();
const callbacks = new Map<number, Callback>();
let lastNumber = 0;
let made: NativeBridge | null = null;

/** The bridge of this thread, made by the first who needs it. */
export function bridge(): NativeBridge {
  return (made ??= new native.Bridge(drain));
}

/**
 * Starts a call and waits for its end. An abort ends the waiting at once with `signal.reason`, and drops the call.
 * Errors are made here, after an await, so that their stacks name the callers.
 */
export async function request<T>(signal: AbortSignal | null | undefined, start: (id: number) => void): Promise<T> {
  signal?.throwIfAborted();
  const [kind, value] = await ended(signal, start);
  if (kind === FAILED) throw unpack(JSON.parse(value as string) as PackedError);
  return value as T;
}

/** The same for an answer in JSON. */
export async function requestJson<T>(signal: AbortSignal | null | undefined, start: (id: number) => void): Promise<T> {
  return JSON.parse(await request<string>(signal, start)) as T;
}

/** A call that does not wait; its errors are made classes. */
export function direct<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw unpackThrown(error);
  }
}

/**
 * A number under which the engine may call a function. It must be handed over in the same breath: the engine says
 * when it is free again.
 */
export function listen(callback: Callback): number;
export function listen(callback: Callback | null | undefined): number | null;
export function listen(callback: Callback | null | undefined): number | null {
  if (callback === null || callback === undefined) return null;
  if (typeof callback !== "function") throw usage("usage.argument", "A callback is a function");
  const number = freeNumber();
  callbacks.set(number, callback);
  return number;
}

function ended(signal: AbortSignal | null | undefined, start: (id: number) => void): Promise<[number, unknown]> {
  return new Promise((resolve, reject) => {
    const id = freeNumber();
    const onAbort = (): void => {
      forget(id);
      bridge().cancel(id);
      reject(signal?.reason);
    };
    const detach = signal ? onAborted(signal, onAbort) : () => {};
    remember(id, { end: (kind, value) => (detach(), resolve([kind, value])) });
    try {
      start(id);
    } catch (error) {
      forget(id);
      detach();
      reject(unpackThrown(error));
    }
  });
}

/** What is to be done when a signal aborts. */
const aborts = new WeakMap<AbortSignal, { actions: Set<() => void>; listener: () => void }>();

/**
 * Does something when a signal aborts, with one listener a signal: Node warns of more than ten, and calls may be many.
 *
 * @returns what takes it back
 */
export function onAborted(signal: AbortSignal, action: () => void): () => void {
  const { actions, listener } = aborts.get(signal) ?? attach(signal);
  actions.add(action);
  return () => {
    actions.delete(action);
    if (actions.size > 0) return;
    signal.removeEventListener("abort", listener);
    aborts.delete(signal);
  };
}

function attach(signal: AbortSignal): { actions: Set<() => void>; listener: () => void } {
  const actions = new Set<() => void>();
  const listener = (): void => {
    aborts.delete(signal);
    for (const action of actions) action();
  };
  signal.addEventListener("abort", listener, { once: true });
  aborts.set(signal, { actions, listener });
  return { actions, listener };
}

/** The event loop stays alive while a call is under way, and not for anything else of ours. */
function remember(id: number, call: Pending): void {
  pending.set(id, call);
  if (pending.size === 1) bridge().hold(true);
}

function forget(id: number): void {
  if (pending.delete(id) && pending.size === 0) bridge().hold(false);
}

function freeNumber(): number {
  do lastNumber = (lastNumber % 0xffff_fffe) + 1;
  while (pending.has(lastNumber) || callbacks.has(lastNumber));
  return lastNumber;
}

function drain(): void {
  const entries = bridge().take();
  for (let i = 0; i + 2 < entries.length; i += 3) {
    entry(entries[i] as number, entries[i + 1] as number, entries[i + 2]);
  }
}

function entry(kind: number, id: number, value: unknown): void {
  if (kind === DONE || kind === FAILED) {
    const call = pending.get(id);
    forget(id);
    call?.end(kind, value);
  } else if (kind === TOLD) tell(id, value as string);
  else if (kind === RELEASED) callbacks.delete(id);
  else void ask(id, kind - ASKED, value as string);
}

/** What a listener throws is its own fault, reported as Node does it, and never hinders the others. */
function tell(id: number, json: string): void {
  try {
    callbacks.get(id)?.(JSON.parse(json) as never);
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

async function ask(id: number, question: number, json: string): Promise<void> {
  try {
    const answer = await callbacks.get(id)?.(JSON.parse(json) as never);
    bridge().answer(question, true, JSON.stringify(answer ?? null));
  } catch (error) {
    bridge().answer(question, false, error instanceof Error ? error.message : String(error));
  }
}
