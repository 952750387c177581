import { appendFileSync } from "node:fs";
import { describeError } from "../output/error-report.ts";
import { printable } from "../output/printable.ts";

/** How lines of the log are written. */
export type LogFormat = "text" | "json";

/** Where the runtime says what went wrong, in the form that runc's callers read. */
export class RuntimeLog {
  readonly #path: string | undefined;
  readonly #format: LogFormat;

  /** @param path file to append to; undefined: stderr */
  constructor(path: string | undefined, format: LogFormat) {
    this.#path = path;
    this.#format = format;
  }

  error(error: unknown): void {
    const { code, message, hint } = describeError(error);
    this.#write("error", [message, hint].filter(Boolean).join("\n"), code);
  }

  warn(warning: Error): void {
    const { code, message } = describeError(warning);
    this.#write("warning", message, code);
  }

  /** A log that cannot be written keeps nothing else from being done. */
  #write(level: "error" | "warning", msg: string, code: string): void {
    const time = new Date().toISOString();
    const line =
      this.#format === "json"
        ? JSON.stringify({ level, msg, code, time })
        : `time=${JSON.stringify(time)} level=${level} msg=${JSON.stringify(printable(msg))} code=${code}`;
    try {
      if (this.#path !== undefined) appendFileSync(this.#path, `${line}\n`, { mode: 0o600 });
      else process.stderr.write(`${line}\n`);
    } catch {
      process.stderr.write(`${line}\n`);
    }
  }
}
