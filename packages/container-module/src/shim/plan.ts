import { HuskError } from "@husk/virtcontainers";
import { messageOf, writeFileAtomically } from "@husk/virtcontainers/internals";
import { parseShimPlan, type ShimPlan } from "@husk/wire/module-shim";
import type { Backend } from "../backend/types.ts";
import type { ContainerPlaces } from "../state/layout.ts";
import { readShimFile } from "../state/read-shim-file.ts";
import type { CompleteRecord } from "../state/record.ts";

/** Writes down what a container's shim is to do, and the bundle that it is done with. @throws HuskError ERR_STORE */
export function writePlan(places: ContainerPlaces, record: CompleteRecord, backend: Backend): void {
  try {
    writeFileAtomically(
      `${places.bundle}/config.json`,
      JSON.stringify(backend.specify(places, record), undefined, 2),
    );
    writeFileAtomically(places.plan, JSON.stringify(planOf(places, record, backend), undefined, 2));
  } catch (cause) {
    if (cause instanceof HuskError) throw cause;
    throw new HuskError("ERR_STORE", `${places.plan} cannot be written: ${messageOf(cause)}`, { cause });
  }
}

function planOf(places: ContainerPlaces, record: CompleteRecord, backend: Backend): ShimPlan {
  const { ns, name, bundle, pidFile, runtimeLog, output } = places;
  const { limit, delayMs, stableMs } = record.restart;
  return {
    version: 1,
    ...{ ns, name, bundle, pidFile, runtimeLog },
    ...backend.commands(places, record),
    // One FIFO for both keeps the order of what is written to them.
    stdout: output,
    stderr: output,
    log: { path: places.log, ...record.log },
    state: places.state,
    lock: places.shimLock,
    socket: places.socket,
    deleting: places.deleting,
    restart: { limit, delayMs, windowMs: stableMs },
  };
}

/**
 * Reads what a container's shim is to do.
 * @returns undefined when it has not been written yet: nothing of the container has ever run
 * @throws HuskError ERR_STATE_CORRUPT, ERR_STORE
 */
export function readPlan({ plan }: Pick<ContainerPlaces, "plan">): ShimPlan | undefined {
  return readShimFile(plan, "plan", parseShimPlan);
}
