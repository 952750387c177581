import { dirname } from "node:path";
import { checkId } from "../config/ids.ts";
import { checkLogReading } from "../config/schema.ts";
import { HuskError, isHuskError } from "../errors/index.ts";
import { followLog } from "../output/follow-log.ts";
import { LogReader } from "../output/log-reader.ts";
import type { LogEntry, LogOptions, LogStream } from "../types/index.ts";
import { Call } from "./call.ts";
import { checkDetached } from "./detached.ts";
import type { OpenPod } from "./open-pod.ts";
import { freshPod } from "./status-pod.ts";
import { waitContainer } from "./wait-container.ts";

const ALL_STREAMS: readonly LogStream[] = ["stdout", "stderr", "shim"];

/**
 * Reads the log of a detached container, the oldest entry first. What is unreadable is left out, with a warning. A reader may be
 * as slow as it likes: the container never waits for it, and what is removed before it is read is told by a warning. Ours alone.
 * @throws HuskError ERR_POD_NOT_FOUND, ERR_CONTAINER_NOT_FOUND, ERR_NOT_DETACHED, ERR_CONFIG_INVALID, ERR_STORE; with `follow`
 *   also ERR_SHIM_LOST, ERR_ABORTED
 */
export async function* readLog(
  podId: string,
  containerId: string,
  options: LogOptions = {},
): AsyncGenerator<LogEntry, void> {
  const { follow = false, since, tail, streams = ALL_STREAMS, ...callOptions } = options;
  const reading = { follow, since, tail, streams };
  checkLogReading(Object.fromEntries(Object.entries(reading).filter(([, value]) => value !== undefined)));
  const call = new Call(callOptions);
  checkId("pod", podId);
  checkId("container", containerId);
  const pod = await freshPod(podId, call);
  checkDetached(pod, containerId, "its output is in no log");
  const path = pod.directory.containerFile(containerId, "log");
  await using reader = await LogReader.open(path);
  if (tail !== undefined) await reader.skipToTail(tail, streams);
  using waiting = new Waiting(call.signal);
  const blocks = follow
    ? followLog(reader, dirname(path), waitForEnd(pod, containerId, waiting.signal))
    : reader.readKept();
  for await (const block of blocks) {
    for (const entry of block) {
      if (streams.includes(entry.stream) && !(since && entry.time < since)) yield entry;
    }
  }
  warnOfDamage(pod, containerId, reader);
}

/** The signal of a wait that ends with whoever waits. */
class Waiting implements Disposable {
  readonly #controller = new AbortController();
  readonly signal: AbortSignal;

  constructor(signal: AbortSignal | undefined) {
    const own = this.#controller.signal;
    this.signal = signal ? AbortSignal.any([signal, own]) : own;
  }

  [Symbol.dispose](): void {
    this.#controller.abort();
  }
}

/** Settles when nothing is going to be written into the log any more. */
async function waitForEnd(pod: OpenPod, containerId: string, signal: AbortSignal): Promise<void> {
  const { state } = pod.container(containerId).record;
  if (state !== "running" && state !== "paused") return;
  try {
    await waitContainer(pod.id, containerId, { root: pod.call.root, cache: pod.call.cache, signal });
  } catch (error) {
    // Lost or deleted, it does not write any more, and its log says all that there is to say.
    if (!isHuskError(error, "ERR_VM_LOST") && !isHuskError(error, "ERR_POD_NOT_FOUND")) throw error;
  }
}

function warnOfDamage(pod: OpenPod, containerId: string, { badLines, lostFiles }: LogReader): void {
  const warn = (text: string) =>
    pod.call.warn(new HuskError("ERR_LOG_DAMAGED", text, { podId: pod.id, containerId }));
  const log = `the log of container "${containerId}" of pod "${pod.id}"`;
  if (badLines > 0) warn(`${badLines} lines of ${log} are torn or no entries, and were left out`);
  if (lostFiles > 0) warn(`some of ${log} was removed, to keep it small, before it was read`);
}
