import { existsSync } from "node:fs";
import { throwIfAborted } from "@husk/virtcontainers/internals";
import { readLog } from "../log/follow-log.ts";
import type { ContainerPlaces } from "../state/layout.ts";
import { needsShim, readShimState } from "../state/shim-state.ts";
import type { ModuleLogOptions } from "../types.ts";
import { checkLogOptions } from "./call-rules.ts";
import { containerNotFound } from "./find-containers.ts";

/**
 * Reads the log of a container.
 * @throws HuskError as `ContainerModule.logs` tells
 */
export async function* readContainerLog(
  places: ContainerPlaces,
  options: ModuleLogOptions,
): AsyncGenerator<Uint8Array> {
  checkLogOptions(options, "options");
  const { follow = false, tail, signal } = options;
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
