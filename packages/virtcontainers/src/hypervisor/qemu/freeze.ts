import { HuskError } from "../../errors/index.ts";
import { QmpClient, type QmpOptions } from "./qmp-client.ts";

/**
 * Stops the virtual CPUs, and makes sure that they are stopped.
 * @throws HuskError ERR_QMP, ERR_TIMEOUT, ERR_ABORTED
 */
export function freezeVm(qmpPath: string, options: QmpOptions): Promise<void> {
  return moveTo("paused", "stop", qmpPath, options);
}

/** Lets the virtual CPUs go on, and makes sure that they do; throws as `freezeVm`. */
export function thawVm(qmpPath: string, options: QmpOptions): Promise<void> {
  return moveTo("running", "cont", qmpPath, options);
}

/** Whether the virtual CPUs go on; stopped they are also after an error of the VM. Throws as `freezeVm`. */
export function readRunState(qmpPath: string, options: QmpOptions): Promise<"running" | "paused"> {
  return QmpClient.use(qmpPath, options, async (client) => {
    const { running } = await client.execute({ execute: "query-status" }, options);
    return running === true ? "running" : "paused";
  });
}

function moveTo(
  wanted: "paused" | "running",
  execute: "stop" | "cont",
  qmpPath: string,
  options: QmpOptions,
): Promise<void> {
  return QmpClient.use(qmpPath, options, async (client) => {
    await client.execute({ execute }, options);
    // A VM that panicked or hit an error of its disk accepts both commands and stays as it is.
    const { status } = await client.execute({ execute: "query-status" }, options);
    if (status !== wanted) {
      throw new HuskError("ERR_QMP", `the VM did not become ${wanted}: QEMU says it is ${String(status)}`);
    }
  });
}
