import { readdir, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { systemCode } from "../errors/index.ts";
import { LogFile } from "./log-file.ts";

/** Most files of a log that are looked for. */
const MAX_FILES = 1000;
/** How often they are opened anew, while their writer moves them on. */
const MAX_ATTEMPTS = 100;

/**
 * Opens the files of a log, the oldest first.
 *
 * While this goes on its writer may move each file on by one name (`log` to `log.1`, …), and files would be found in an order that
 * is none. Then it begins anew.
 */
export async function openLogFiles(path: string): Promise<LogFile[]> {
  for (let attempt = 1; ; attempt++) {
    const newest = await inodeOf(path);
    const files = await openFiles(path);
    if (attempt === MAX_ATTEMPTS || newest === (await inodeOf(path))) return files;
    for (const file of files) await file.close();
  }
}

async function inodeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).ino;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * The newest is opened first: a file that is moved meanwhile comes to a name that is still to be tried, and what is found twice is
 * told by its inode.
 */
async function openFiles(path: string): Promise<LogFile[]> {
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
