/**
 * A bar for `onProgress: true`: on a terminal one line on standard error that is drawn over itself, elsewhere a line at the
 * end of each phase. @internal
 */

import type { LongCallOptions, Progress } from "./options.js";

/** Characters between the brackets. */
const WIDTH = 24;

/** What the engine shall call. */
export function listener(onProgress: LongCallOptions["onProgress"]): ((progress: Progress) => void) | null | undefined {
  return onProgress === true ? bar(process.stderr) : onProgress;
}

/** Draws what it is told of one call. */
export function bar(out: { isTTY?: boolean; write(text: string): unknown }): (progress: Progress) => void {
  let [drawn, phase] = [0, ""];
  return (progress) => {
    const isLast = progress.total !== null && progress.done >= progress.total;
    const text = line(progress);
    if (!out.isTTY) {
      if (isLast) out.write(`${text}\n`);
      return;
    }
    const begin = drawn > 0 && progress.phase !== phase ? "\n" : "";
    out.write(`${begin}\r${text.padEnd(drawn)}${isLast ? "\n" : ""}`);
    [phase, drawn] = [progress.phase, isLast ? 0 : text.length];
  };
}

/** `bodies INBOX [############------------] 60/120, 12.3 MB, 1.2 MB/s, 0:51 left`. */
export function line({ phase, mailbox, done, total, bytes, rate, remaining }: Progress): string {
  const filled = total ? Math.floor((WIDTH * Math.min(done, total)) / total) : 0;
  const count = total ? [`[${"#".repeat(filled)}${"-".repeat(WIDTH - filled)}]`, `${done}/${total}`] : [String(done)];
  const facts = [[phase, mailbox, ...count].filter(Boolean).join(" "), `${(bytes / 1e6).toFixed(1)} MB`];
  if (typeof rate === "number") facts.push(`${(rate / 1e6).toFixed(1)} MB/s`);
  const seconds = Math.round((remaining ?? 0) / 1000);
  if (seconds > 0) facts.push(`${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} left`);
  return facts.join(", ");
}
