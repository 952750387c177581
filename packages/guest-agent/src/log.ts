/** What the agent says on its standard error: the guest's console, which the host keeps as `console.log`. */
import * as sys from "tiny:sys";

/** Least to most talkative. Each line costs time on a serial console, so the default says only what went wrong. */
const LEVELS = ["error", "info", "debug"] as const;
export type LogLevel = (typeof LEVELS)[number];

let threshold = LEVELS.indexOf("error");

/** Sets how much is said; a word that is not a level changes nothing. */
export function setLogLevel(word: string): void {
  const level = LEVELS.indexOf(word as LogLevel);
  if (level !== -1) threshold = level;
}

/** True when lines of this level are said: for what would cost something to put together. */
export function isLogged(level: LogLevel): boolean {
  return LEVELS.indexOf(level) <= threshold;
}

/** Says one line, when the level is talkative enough. */
export function log(level: LogLevel, text: string): void {
  if (!isLogged(level)) return;
  const line = sys.encodeUtf8(`husk-agent: ${text}\n`);
  try {
    sys.write(2, line, 0, line.length);
  } catch {
    // Without a console there is nobody to tell.
  }
}
