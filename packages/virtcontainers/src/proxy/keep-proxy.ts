import { rmSync, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { withDeadline } from "../deadline.ts";
import { HuskError } from "../errors/index.ts";
import { writeFileAtomically } from "../store/atomic-file.ts";
import type { PodDirectory } from "../store/pod-directory.ts";
import type { PodRecord } from "../store/pod-record.ts";
import { createProxy } from "./index.ts";
import { startProxy } from "./start-proxy.ts";
import type { ProxyCommand } from "./types.ts";

/** How a pod's proxy is started; undefined: it has none that is a program. */
function proxyCommand({ config }: PodRecord, directory: PodDirectory): ProxyCommand | undefined {
  const argv = createProxy(config).command({ podId: config.id, directory });
  return (
    argv && {
      argv,
      lock: directory.file("proxyLock"),
      socket: directory.socket("proxy"),
      log: directory.file("proxyLog"),
    }
  );
}

/**
 * Starts the proxy of a pod whose VM has just been started, and writes down how, for whoever finds it dead.
 * @throws HuskError ERR_PROXY_START, ERR_LOCK, ERR_STORE
 */
export async function startFirstProxy(record: PodRecord, directory: PodDirectory): Promise<void> {
  const command = proxyCommand(record, directory);
  if (!command) return;
  rmSync(directory.file("proxyState"), { force: true });
  writeFileAtomically(directory.file("proxyCommand"), `${JSON.stringify(command)}\n`);
  if (await startProxy(command, record.uuid)) return;
  throw new HuskError("ERR_PROXY_START", `a proxy of an earlier VM of pod "${record.config.id}" still lives`);
}

/**
 * Makes sure that a pod that should have a proxy has one: brings a dead one back.
 * @returns whether it had to be brought back
 * @throws HuskError ERR_PROXY_START, ERR_LOCK, ERR_STORE
 */
export async function keepProxy(record: PodRecord, directory: PodDirectory): Promise<boolean> {
  const command = proxyCommand(record, directory);
  return command ? startProxy(command, record.uuid) : false;
}

/** From now on nobody brings the proxy back: its VM is to end. */
export function giveProxyUp(directory: PodDirectory): void {
  rmSync(directory.file("proxyCommand"), { force: true });
}

/**
 * Waits until a socket of that path is made anew: somebody is just starting a proxy.
 * @param look tells whether it has come already, asked when its coming can no more be missed
 * @throws HuskError ERR_TIMEOUT, ERR_ABORTED
 */
export async function waitForSocket(
  path: string,
  look: () => Promise<boolean>,
  { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<void> {
  const made = Promise.withResolvers<void>();
  const watcher = watch(dirname(path), (_event, name) => {
    if (name === basename(path)) made.resolve();
  });
  watcher.on("error", made.reject);
  try {
    if (await look()) return;
    await withDeadline(made.promise, { ms: timeoutMs, signal, what: "the pod's proxy to be started" });
  } finally {
    watcher.close();
  }
}
