import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { HuskError } from "@husk/virtcontainers";
import { messageOf } from "@husk/virtcontainers/internals";

/** Writes a process id for who called us, all of it or nothing. @throws HuskError ERR_STORE */
export function writePidFile(path: string, pid: number): void {
  try {
    writeFileSync(`${path}.new`, String(pid));
    renameSync(`${path}.new`, path);
  } catch (error) {
    throw new HuskError("ERR_STORE", `cannot write ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** Reads what was written so. @throws HuskError ERR_CONFIG_INVALID */
export function readPidFile(path: string): number {
  let text = "";
  try {
    text = readFileSync(path, "latin1");
  } catch (error) {
    throw new HuskError("ERR_CONFIG_INVALID", `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
  if (/^[1-9]\d{0,9}\n?$/.test(text)) return Number(text);
  throw new HuskError("ERR_CONFIG_INVALID", `${path} has no process id`);
}
