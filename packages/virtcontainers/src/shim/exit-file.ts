import { readFileSync, statSync } from "node:fs";
import { type ExitRecord, parseExitRecord } from "@husk/wire/attach";
import { systemCode } from "../errors/index.ts";

/** Longest file read; the honest ones have a hundred bytes. */
const MAX_BYTES = 64 * 1024;

/** How a process ended, as its shim has written it; undefined: it has not. */
export function readExitFile(path: string): ExitRecord | undefined {
  try {
    if (statSync(path).size <= MAX_BYTES) return parseExitRecord(readFileSync(path));
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
  }
  return { lost: `what its shim has written cannot be read (${path})`, time: new Date(0).toISOString() };
}

/** The exit status in such a record; undefined: it is not known. */
export function exitCodeOf(exit: ExitRecord): number | undefined {
  return "exitCode" in exit ? exit.exitCode : undefined;
}
