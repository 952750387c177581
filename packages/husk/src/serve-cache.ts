import { isHuskError, serveVmCache, type VmCache, type VmCacheStatus } from "@husk/virtcontainers";
import { makeServedFactory, type ServeOptions } from "./options/cache-options.ts";
import { makeVmConfig } from "./options/pod-options.ts";
import type { VmOptions } from "./options/vm-options.ts";
import { countReady } from "./output/cache-table.ts";
import { tellWarning } from "./output/error-report.ts";
import { DrainSignals } from "./terminal/drain-signals.ts";

/**
 * Keeps VMs ready, and hands them out, until a signal or `husk cache stop` ends it.
 *
 * @throws HuskError as `serveVmCache`, GuestImageMissingError, UsageError
 */
export async function serveCache(options: ServeOptions & VmOptions): Promise<void> {
  using signals = new DrainSignals();
  const { signal } = signals;
  // Who reads how far it is may go: that is no reason to leave VMs behind.
  process.stdout.on("error", () => {});
  const config = makeVmConfig("cache", options, true, process.env);
  let cache: VmCache | undefined;
  try {
    cache = await serveVmCache(config, makeServedFactory(options), {
      signal,
      onWarning: tellWarning,
      onWaiting: (status) => tellProgress(status),
    });
    tellStart(cache);
    await endedOrAborted(cache, signal);
  } catch (error) {
    if (!signal.aborted || !isHuskError(error, "ERR_ABORTED")) throw error;
  } finally {
    await cache?.close();
  }
  say("stopped");
}

function tellStart(cache: VmCache): void {
  const { pid, cleared } = cache.status();
  if (cleared > 0) say(`cleared ${countVms(cleared)} that dead processes had left`);
  say(`server ${pid} listens`);
}

function tellProgress(status: VmCacheStatus): void {
  const { ready, wanted } = countReady(status);
  say(ready >= wanted ? `ready: ${countVms(ready)}` : `${ready} of ${wanted} VMs ready`);
}

/** Settles when a client has ended the server, or a signal asks for it. */
async function endedOrAborted(cache: VmCache, signal: AbortSignal): Promise<void> {
  const asked = Promise.withResolvers<void>();
  const ask = () => asked.resolve();
  signal.addEventListener("abort", ask, { once: true });
  if (signal.aborted) ask();
  await Promise.race([cache.closed, asked.promise]);
  signal.removeEventListener("abort", ask);
  if (signal.aborted) say("ends what nobody has taken; a second signal ends it at once");
}

function countVms(count: number): string {
  return `${count} ${count === 1 ? "VM" : "VMs"}`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
