/** What a proxy says: JSON lines on its standard error, which its starter keeps as the pod's `proxy.log`. */

import * as sys from "tiny:sys";
import { timeNow } from "@husk/tiny";

/** Least to most talkative. */
const LEVELS = ["error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof LEVELS)[number];

let threshold = LEVELS.indexOf("warn");

/** Sets how much is said; false when the word is no level. */
export function setLogLevel(word: string): boolean {
  const level = LEVELS.indexOf(word as LogLevel);
  if (level !== -1) threshold = level;
  return level !== -1;
}

/** Says one line, when the level is talkative enough. */
export function log(level: LogLevel, msg: string, more: Readonly<Record<string, string>> = {}): void {
  if (LEVELS.indexOf(level) > threshold) return;
  const line = { time: timeNow(), level, ...more, msg };
  const bytes = sys.encodeUtf8(`${JSON.stringify(line)}\n`);
  try {
    sys.write(2, bytes, 0, bytes.length);
  } catch {
    // Without a log there is nobody to tell.
  }
}
