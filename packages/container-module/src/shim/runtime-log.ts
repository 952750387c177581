import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { cleanText } from "@husk/virtcontainers/internals";

/** How much of the end of the log is looked at, in bytes. */
const END_BYTES = 65_536;

/** The last error in a runtime's log of JSON lines. @returns undefined when there is none */
export function lastRuntimeError(path: string): string | undefined {
  for (const line of readEnd(path).split("\n").reverse()) {
    try {
      const { level, msg } = JSON.parse(line);
      if (level === "error" && typeof msg === "string") return cleanText(msg);
    } catch {
      // The first line may be half a one; and a runtime may say what is no JSON.
    }
  }
  return undefined;
}

function readEnd(path: string): string {
  try {
    const fd = openSync(path, "r");
    try {
      const buffer = Buffer.alloc(END_BYTES);
      const length = readSync(fd, buffer, 0, END_BYTES, Math.max(0, fstatSync(fd).size - END_BYTES));
      return buffer.toString("utf8", 0, length);
    } finally {
      closeSync(fd);
    }
  } catch {
    return "";
  }
}
