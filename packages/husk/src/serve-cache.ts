import { type CachedVmStatus, isHuskError, serveVmCache, type VmCache } from "@husk/virtcontainers";
import { makeServedFactory, type ServeOptions } from "./options/cache-options.ts";
import { makePodConfig, type PodOptions } from "./options/pod-options.ts";
import { sum } from "./output/cache-table.ts";
import { tellWarning } from "./output/error-report.ts";
import { DrainSignals } from "./terminal/drain-signals.ts";

/**
 * Keeps VMs ready, and hands them out, until a signal or `husk cache stop` ends it.
 *
 * @throws HuskError as `serveVmCache`, GuestImageMissingError, UsageError
 */
export async function serveCache(options: ServeOptions & PodOptions): Promise<void> {
  using signals = new DrainSignals();
  const { signal } = signals;
  // What is in the pods does not count for their VMs.
  const config = makePodConfig("cache", { args: ["true"] }, { ...options, factory: "cache" }, process.env);
  try {
    const cache = await serveVmCache({ ...config, containers: [] }, makeServedFactory(options), {
      signal,
      onWarning: tellWarning,
      onCleared: (count) => say(`cleared ${countVms(count)} that a dead process had left`),
      onVmReady: (vm, ready) => sayReady(vm, ready),
    });
    await serveUntilEnd(cache, signal);
  } catch (error) {
    if (!signal.aborted || !isHuskError(error, "ERR_ABORTED")) throw error;
  }
  say("stopped");
}
