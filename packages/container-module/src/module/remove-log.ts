import { rmSync } from "node:fs";
import { basename, join } from "node:path";
import { readNames } from "../state/claim.ts";
import { removeEmpty } from "../state/discard.ts";
import type { ContainerPlaces } from "../state/layout.ts";

type LogPlaces = Pick<ContainerPlaces, "log" | "logDirectory">;

/** Removes a container's log, with the files that it has been rotated into, or was being when its shim was killed. */
export function removeLog(places: LogPlaces): void {
  const { logDirectory } = places;
  for (const name of findFiles(places)) rmSync(join(logDirectory, name), { force: true });
  removeEmpty(logDirectory);
}

/** Whether a container has left a log, or one of that name before it. */
export function hasLog(places: LogPlaces): boolean {
  return findFiles(places).length > 0;
}

function findFiles({ log, logDirectory }: LogPlaces): string[] {
  return readNames(logDirectory).filter((name) => isOfLog(name, basename(log)));
}

function isOfLog(name: string, log: string): boolean {
  return name === log || (name.startsWith(`${log}.`) && /^(\d+|new)$/.test(name.slice(log.length + 1)));
}
