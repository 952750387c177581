import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, watch } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { ContainerInfo, ContainerModule } from "@husk/container-module";
import { findProcesses, isAlive } from "../leaks.ts";
import { LIMIT } from "../vm-test.ts";

/** Waits until a container has come to its end, by its log's. */
export async function endOf(module: ContainerModule, ns: string, id: string): Promise<ContainerInfo> {
  for await (const _ of follow(module, ns, id));
  return module.inspect(ns, id);
}

/** Waits until a container has written a text, and gives what it has written. */
export async function untilWritten(
  module: ContainerModule,
  ns: string,
  id: string,
  wanted: string,
): Promise<string> {
  for await (const written of follow(module, ns, id)) if (written.includes(wanted)) return written;
  throw new Error(`${id} has ended and never written ${JSON.stringify(wanted)}`);
}

/** All that a container has written, again with each piece, to its end. One that does not come to it in time is told of. */
async function* follow(module: ContainerModule, ns: string, id: string): AsyncGenerator<string> {
  let written = "";
  const signal = AbortSignal.timeout(LIMIT.timeout);
  try {
    for await (const data of module.logs(ns, id, { follow: true, signal })) {
      written += Buffer.from(data).toString();
      yield written;
    }
  } catch (error) {
    throw new Error(`${id} has written, at last: ${JSON.stringify(written.slice(-200))}`, { cause: error });
  }
}

/** Waits until a process has printed a word; what it prints later is not read. */
export async function untilSays(worker: ChildProcess, word: string): Promise<void> {
  const output = worker.stdout;
  if (!output) throw new Error("the worker's output is not ours to read");
  let said = "";
  for await (const data of output.iterator({ destroyOnReturn: false })) {
    said += data;
    if (said.includes(word)) return;
  }
  throw new Error(`a worker has ended and only said ${JSON.stringify(said)}`);
}

/** Kills a process that we have started, if it lives, and waits for its end. */
export async function killWorker(worker: ChildProcess, name: NodeJS.Signals = "SIGKILL"): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  const ended = once(worker, "exit");
  worker.kill(name);
  await ended;
}

/** Waits until there is a file, or something else is in it. */
export async function untilFile(path: string, isReached: () => boolean): Promise<void> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const check = () => existsSync(path) && isReached() && resolve();
  const watcher = watch(folder, check);
  const timer = setTimeout(() => reject(new Error(`${path} is not as it should be`)), LIMIT.timeout);
  check();
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    watcher.close();
  }
}

/** Waits until no process has a folder in its arguments or environment: nothing tells that of others' children. */
export async function untilNoneLeft(folder: string, limitMs: number): Promise<void> {
  const end = performance.now() + limitMs;
  while (findProcesses(folder).length > 0 && performance.now() < end) await delay(50);
}

/** Waits until a process that is nobody's child here has ended; whether its parent has noticed does not matter. */
export async function untilDead(pid: number): Promise<void> {
  const end = performance.now() + LIMIT.timeout;
  while (isAlive(pid)) {
    if (performance.now() > end) throw new Error(`process ${pid} does not end`);
    await delay(10);
  }
}
