import { existsSync, rmSync } from "node:fs";
import { HuskError, systemCode } from "../errors/index.ts";
import { writeFileAtomically } from "../store/atomic-file.ts";
import { lockFile } from "../store/flock.ts";
import type { PodDirectory } from "../store/pod-directory.ts";
import type { PodRecord } from "../store/pod-record.ts";
import { createProxy } from "./index.ts";
import { startProxy } from "./start-proxy.ts";
import type { ProxyCommand } from "./types.ts";

/** Milliseconds that a proxy which was killed may take to let go of its lock. */
const DYING_MS = 200;

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

/** Writes down how a pod's proxy is started, for whoever finds it dead, unless that is known. */
export function writeProxyCommand(record: PodRecord, directory: PodDirectory): void {
  const command = proxyCommand(record, directory);
  const path = directory.file("proxyCommand");
  if (command && !existsSync(path)) writeFileAtomically(path, `${JSON.stringify(command)}\n`);
}

/**
 * Starts the proxy of a pod whose VM has just been started.
 * @param isServing the VM is a copy, or has waited for its pod: its agent is not about to begin
 * @throws HuskError ERR_PROXY_START, ERR_LOCK, ERR_STORE
 */
export async function startFirstProxy(
  record: PodRecord,
  directory: PodDirectory,
  isServing = false,
): Promise<void> {
  const command = proxyCommand(record, directory);
  if (!command) return;
  giveProxyUp(directory);
  rmSync(directory.file("proxyState"), { force: true });
  const state = createProxy(record.config).servingState?.({ podId: record.config.id, directory });
  if (isServing && state !== undefined) writeFileAtomically(directory.file("proxyState"), state);
  writeProxyCommand(record, directory);
  if (await startProxy(command, record.uuid, { ofOtherVm: true })) return;
  throw new HuskError("ERR_PROXY_START", `a proxy of an earlier VM of pod "${record.config.id}" still lives`);
}

/**
 * Makes sure that a pod that should have a proxy has one: brings a dead one back. Who does so has `proxy.json` locked meanwhile:
 * when this is done, the socket is served.
 * @returns whether it had to be brought back
 * @throws HuskError ERR_AGENT_DISCONNECTED when it was given up, ERR_AGENT_PROTOCOL when the guest's fault has ended it,
 *   ERR_PROXY_START, ERR_TIMEOUT, ERR_ABORTED, ERR_LOCK, ERR_STORE
 */
export async function keepProxy(
  record: PodRecord,
  directory: PodDirectory,
  limits: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<boolean> {
  const command = proxyCommand(record, directory);
  if (!command) return false;
  try {
    const lock = await lockFile(directory.file("proxyCommand"), { mode: "exclusive", ...limits });
    if (!lock)
      throw new HuskError(
        "ERR_TIMEOUT",
        `another process has been starting the proxy of pod "${record.config.id}" for too long`,
      );
    using _ = lock;
    return await startProxy(command, record.uuid, { dyingMs: DYING_MS });
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
    const text = `the proxy of pod "${record.config.id}" has been given up`;
    throw new HuskError("ERR_AGENT_DISCONNECTED", text, { podId: record.config.id });
  }
}

/** From now on nobody brings the proxy back: its VM is to end. */
export function giveProxyUp(directory: PodDirectory): void {
  rmSync(directory.file("proxyCommand"), { force: true });
}
