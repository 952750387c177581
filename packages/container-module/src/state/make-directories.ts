import { mkdirSync } from "node:fs";
import { HuskError } from "@husk/virtcontainers";
import { messageOf } from "@husk/virtcontainers/internals";
import type { ContainerPlaces } from "./layout.ts";

/** Makes the directories that a container's shim and its runtime need: some are gone after a reboot. @throws HuskError ERR_STORE */
export function makeDirectories({ bundle, run, runtimeRoot }: ContainerPlaces): void {
  for (const path of [bundle, run, runtimeRoot]) makeDirectory(path, 0o700);
}

/** Makes the directory of a namespace's logs, which more than root may be meant to read. @throws HuskError ERR_STORE */
export function makeLogDirectory({ logDirectory }: ContainerPlaces): void {
  makeDirectory(logDirectory, 0o750);
}

function makeDirectory(path: string, mode: number): void {
  try {
    mkdirSync(path, { recursive: true, mode });
  } catch (cause) {
    throw new HuskError("ERR_STORE", `${path} cannot be made: ${messageOf(cause)}`, { cause });
  }
}
