import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { identifyProcess, systemCode } from "@husk/virtcontainers/internals";
import { removeTree } from "./remove-tree.ts";

let count = 0;

/**
 * Gives a name beside a target, on the same file system, under which it can be made. What processes that were killed
 * have left there of the same target is removed.
 */
export async function claimAside(target: string): Promise<string> {
  const directory = dirname(target);
  const prefix = `.${basename(target)}.`;
  for (const name of await readNames(directory)) {
    const [, pid] = name.startsWith(prefix) ? (/^(\d+)-\d+\.new$/.exec(name.slice(prefix.length)) ?? []) : [];
    if (pid && !identifyProcess(Number(pid))) await removeTree(join(directory, name));
  }
  count += 1;
  return join(directory, `${prefix}${process.pid}-${count}.new`);
}

/** A directory that does not exist is told of by who writes into it. */
async function readNames(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}
