/** Setting several limits at once: all of them, or none. */

import { Errno, errorText, hasErrno, readText, writeControl } from "@husk/tiny";
import { log } from "../../log.ts";
import { enableControllers } from "./hierarchy.ts";
import { LimitError, type Setting } from "./setting.ts";

/** What brings a file back. */
interface Undo {
  path: string;
  text: string;
}

function writeSetting(folder: string, { file, text, restore }: Setting): Undo {
  const path = `${folder}/${file}`;
  let now = text;
  try {
    const current = readText(path).trimEnd();
    now = typeof text === "string" ? text : text(current);
    writeControl(path, now);
    // A file that was empty is emptied by an empty line: of no bytes nothing is heard.
    return { path, text: restore?.(current) ?? (current || "\n") };
  } catch (error) {
    if (hasErrno(error, Errno.ENOENT)) throw new LimitError(`the guest's kernel has no "${file}" to set`);
    throw new LimitError(`cannot set ${file} to "${now}": ${errorText(error)}`);
  }
}

function takeBack(undo: readonly Undo[]): void {
  for (const { path, text } of undo.toReversed()) {
    try {
      writeControl(path, text);
    } catch (error) {
      log("error", `cannot set ${path} back to "${text}": ${errorText(error)}`);
    }
  }
}

/**
 * Writes all settings to the files of a cgroup; when one fails, the former values are back. Gives what brings them back
 * later.
 *
 * @throws LimitError with the file and the value that the kernel did not take
 */
export function applySettings(folder: string, settings: readonly Setting[]): () => void {
  enableControllers(folder, new Set(settings.map(({ controller }) => controller)));
  const undo: Undo[] = [];
  try {
    for (const setting of settings) undo.push(writeSetting(folder, setting));
  } catch (error) {
    takeBack(undo);
    throw error;
  }
  return () => takeBack(undo);
}
