import { rmSync } from "node:fs";
import { basename, join } from "node:path";
import { readNames } from "../state/claim.ts";
import { removeEmpty } from "../state/discard.ts";
import type { ContainerPlaces } from "../state/layout.ts";

/** Removes a container's log, with the files that it has been rotated into, or was being when its shim was killed. */
export function removeLog({ log, logDirectory }: ContainerPlaces): void {
  for (const name of readNames(logDirectory)) {
    if (isOfLog(name, basename(log))) rmSync(join(logDirectory, name), { force: true });
  }
  removeEmpty(logDirectory);
}

function isOfLog(name: string, log: string): boolean {
  return name === log || (name.startsWith(`${log}.`) && /^(\d+|new)$/.test(name.slice(log.length + 1)));
}
