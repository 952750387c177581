import { isHuskError } from "@husk/virtcontainers";
import type { ModulePlaceOptions } from "../options/module-options.ts";
import { DrainSignals } from "../terminal/drain-signals.ts";
import { openModule, socketPath } from "./open-module.ts";

/**
 * Serves the container module until a signal asks it to end. Containers go on, whatever becomes of this process.
 * @throws HuskError as `openContainerModule` and `serveContainerModule`; UsageError
 */
export async function serveModule(options: ModulePlaceOptions): Promise<void> {
  const { serveContainerModule } = await import("@husk/container-module");
  using signals = new DrainSignals();
  const { signal } = signals;
  try {
    const module = await openModule(options, { signal, guard: signal });
    const service = await serveContainerModule(module, { socket: socketPath(options) });
    process.stdout.write(`husk: the container module is served on ${service.socket}\n`);
    await untilAborted(signal);
    await service.close();
  } catch (error) {
    if (!signal.aborted || !isHuskError(error, "ERR_ABORTED")) throw error;
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
