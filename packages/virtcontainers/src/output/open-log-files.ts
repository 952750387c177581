import { readdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { systemCode } from "../errors/index.ts";
import { LogFile } from "./log-file.ts";

/** Most files of a log that are looked for. */
const MAX_FILES = 1000;

/**
 * Opens the files of a log, the oldest first.
 *
 * While this goes on its writer may move each file on by one name (`log` to `log.1`, …). So the newest is opened first: a file
 * that is moved meanwhile comes to a name that is still to be tried, and what is found twice is told by its inode.
 */
export async function openLogFiles(path: string): Promise<LogFile[]> {
  const found: LogFile[] = [];
  let last = await findLastNumber(path);
  for (let number = 0; number <= MAX_FILES; number++) {
    // While they are opened they may become more, and one may just be on its way to the next name.
    if (number > last) last = await findLastNumber(path);
    if (number > last + 1) break;
    const file = await LogFile.open(number === 0 ? path : `${path}.${number}`);
    if (!file) continue;
    if (found.some(({ inode }) => inode === file.inode)) await file.close();
    else found.unshift(file);
  }
  return found;
}

/** The greatest number behind the name of a log's file. */
async function findLastNumber(path: string): Promise<number> {
  const prefix = `${basename(path)}.`;
  const names = await readdir(dirname(path)).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  });
  const numbers = names.flatMap((name) => {
    const digits = name.startsWith(prefix) ? name.slice(prefix.length) : "";
    return /^[1-9][0-9]{0,2}$/.test(digits) ? [Number(digits)] : [];
  });
  return Math.max(0, ...numbers);
}
