import { closeSync, mkdirSync, openSync } from "node:fs";
import { HuskError } from "@husk/virtcontainers";
import { messageOf, systemCode } from "@husk/virtcontainers/internals";
import type { ContainerPlaces } from "./layout.ts";

/** Makes the directories that a container's shim and its runtime need: some are gone after a reboot. @throws HuskError ERR_STORE */
export function makeDirectories({ bundle, run, runtimeRoot }: ContainerPlaces): void {
  for (const path of [bundle, run, runtimeRoot]) makeDirectory(path, 0o700);
}

/**
 * Makes the directory of a namespace's logs, which more than root may be meant to read, and in it an empty log: without any, who
 * removes the log of another container would remove the directory before a shim has this one open.
 * @throws HuskError ERR_STORE
 */
export function makeLog({ log, logDirectory }: Pick<ContainerPlaces, "log" | "logDirectory">): void {
  do makeDirectory(logDirectory, 0o750);
  while (!makeFile(log));
}

/** Makes a file, if there is nothing of that name. @returns false when its directory has just gone. @throws HuskError ERR_STORE */
function makeFile(path: string): boolean {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (cause) {
    const code = systemCode(cause);
    if (code === "ENOENT") return false;
    if (code !== "EEXIST") throw cannotMake(path, cause);
  }
  return true;
}

function makeDirectory(path: string, mode: number): void {
  try {
    mkdirSync(path, { recursive: true, mode });
  } catch (cause) {
    throw cannotMake(path, cause);
  }
}

function cannotMake(path: string, cause: unknown): HuskError {
  return new HuskError("ERR_STORE", `${path} cannot be made: ${messageOf(cause)}`, { cause });
}
