import { SIGKILL, startTimer, stopTimer } from "@husk/tiny";
import type { ShimFault } from "@husk/wire/module-shim";
import type { ContainerProcess } from "./container-process.ts";
import type { Runtime } from "./runtime.ts";
import type { SupervisedContainer } from "./supervised-container.ts";

/** Milliseconds that a process has to end when it was killed past its runtime. */
const LAST_MS = 1000;

/** How a container is stopped. */
export interface StopOptions {
  signal: number;
  /** milliseconds from the signal to KILL */
  graceMs: number;
  /** milliseconds from KILL until it is given up */
  killMs: number;
}

/** Stops a container for good. Why it could not be: it is stopped then as soon as its process ends. */
export async function stopContainer(
  container: SupervisedContainer,
  runtime: Runtime,
  { signal, graceMs, killMs }: StopOptions,
): Promise<ShimFault | undefined> {
  container.requestStop();
  await container.whenSettled();
  const { process } = container;
  if (process && !(await endProcess(process, runtime, { signal, graceMs, killMs }))) {
    const message = `process ${process.pid} has not ended in ${killMs} ms after signal ${SIGKILL}`;
    return { code: "stuck", message };
  }
  await container.whenSettled();
  return undefined;
}

async function endProcess(
  process: ContainerProcess,
  runtime: Runtime,
  { signal, graceMs, killMs }: StopOptions,
): Promise<boolean> {
  if (await endsBy(process, runtime, signal, graceMs)) return true;
  if (await endsBy(process, runtime, SIGKILL, killMs)) return true;
  // The runtime may hang.
  process.signal(SIGKILL);
  return endsIn(process, LAST_MS);
}

/** Whether the process ends in time by a signal. */
function endsBy(
  process: ContainerProcess,
  runtime: Runtime,
  signal: number,
  timeoutMs: number,
): Promise<boolean> {
  // A runtime that cannot do it any more is passed by.
  runtime.kill(signal).then((fault) => {
    if (fault) process.signal(signal);
  });
  return endsIn(process, timeoutMs);
}

function endsIn(process: ContainerProcess, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = startTimer(timeoutMs, () => resolve(false));
    process.whenGone().then(() => {
      stopTimer(timer);
      resolve(true);
    });
  });
}
