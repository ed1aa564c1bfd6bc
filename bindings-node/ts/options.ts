/** Checks of what callers give. @internal */

import { usage } from "./errors.js";
import { Role } from "./flag.js";
import type { NativeTarget } from "./native.js";

/** A mailbox, named in one of three ways: the server's exact decoded name, levels of its hierarchy, or its role. */
export type Target = string | readonly string[] | Role;

/** @internal */
export function nativeTarget(target: Target): NativeTarget {
  if (target instanceof Role) return { role: target.name };
  if (typeof target === "string") return { name: target };
  if (Array.isArray(target) && target.every((level) => typeof level === "string")) return { path: [...target] };
  throw usage("usage.argument", "A mailbox is a string, an array of strings, or a Role");
}

/** Refuses an option that does not exist: a slip of the pen must not be silently without effect. @internal */
export function checkOptions<T extends object>(options: T | null | undefined, known: readonly (keyof T & string)[]): T {
  if (options === undefined || options === null) return {} as T;
  if (typeof options !== "object") throw usage("usage.argument", "Options are an object");
  for (const key of Object.keys(options)) {
    if (!(known as readonly string[]).includes(key)) {
      throw usage("usage.argument", `There is no option ${JSON.stringify(key)}`, `Known here: ${known.join(", ")}`);
    }
  }
  return options;
}

/** The same object without the keys that have no value. @internal */
export function given<T extends object>(values: { [K in keyof T]: T[K] | null | undefined }): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== null)) as T;
}

/** A whole number of at least zero, or nothing. @internal */
export function count(name: string, value: number | null | undefined): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw usage("usage.argument", `${name} is a whole number of at least 0`);
}

/** How far a long call has come; at most ten times a second, and at the end. */
export interface Progress {
  /** What is being done: `search`, `fetch`, `append`, `save`, … */
  phase: string;
  /** Messages (or bytes, for one body) done. */
  done: number;
  /** Of how many, where that is known. */
  total: number | null;
  /** Bytes that have crossed the network for this call. */
  bytes: number;
  /** Of {@link Mail.sync}: the mailbox that it is at. */
  mailbox?: string;
  /** Of the same: bytes a second, and milliseconds that the phase may still take; `null` before that can be said. */
  rate?: number | null;
  remaining?: number | null;
}

/** What every call that waits may be given. */
export interface CallOptions {
  /** Ends the call: it rejects with `signal.reason`. */
  signal?: AbortSignal | null;
}

/** A call that may be long. */
export interface LongCallOptions extends CallOptions {
  /** A function, or `true` for a bar on standard error. */
  onProgress?: ((progress: Progress) => void) | true | null;
}
