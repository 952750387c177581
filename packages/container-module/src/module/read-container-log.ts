import { existsSync } from "node:fs";
import { throwIfAborted } from "@husk/virtcontainers/internals";
import { readLog } from "../log/follow-log.ts";
import type { ContainerPlaces } from "../state/layout.ts";
import { needsShim, readShimState } from "../state/shim-state.ts";
import type { ModuleLogOptions } from "../types.ts";
import { checkInteger } from "./check-request.ts";
import { containerNotFound } from "./find-containers.ts";

/**
 * Reads the log of a container.
 * @throws HuskError as `ContainerModule.logs` tells
 */
export async function* readContainerLog(
  places: ContainerPlaces,
  { follow = false, tail, signal }: ModuleLogOptions,
): AsyncGenerator<Uint8Array> {
  if (tail !== undefined) checkInteger("tail", tail, 0, Number.MAX_SAFE_INTEGER);
  if (!existsSync(places.directory)) throw containerNotFound(places);
  const { log, logDirectory, directory } = places;
  yield* readLog({ log, logDirectory, directory, follow, tail, signal, isOver: () => isOver(places) });
  throwIfAborted(signal);
}

/** Whether a container is never going to write again. A shim has written all output to the log before it says so. */
function isOver(places: ContainerPlaces): boolean {
  if (!existsSync(places.directory)) return true;
  const state = readShimState(places);
  return state !== undefined && !needsShim(state);
}
