import { HuskError, isHuskError } from "../errors/index.ts";
import { deadlineMs } from "../hypervisor/deadlines.ts";
import { withLogTail } from "../hypervisor/log-tail.ts";
import { isProxyAlive } from "../proxy/end-proxy.ts";
import { keepProxy, writeProxyCommand } from "../proxy/keep-proxy.ts";
import { isProcessAlive } from "../store/process-identity.ts";
import type { OpenPod } from "./open-pod.ts";

/** How often a proxy that dies is connected to anew. */
const ATTEMPTS = 3;

/**
 * Opens something by a pod's proxy. One that is dead is brought back, also when it dies just then.
 * @throws HuskError ERR_PROXY_START, ERR_TIMEOUT, and what `open` throws
 */
export async function throughProxy<T>(pod: OpenPod, open: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await open();
    } catch (error) {
      if (!hasVm(pod) || !isHuskError(error, "ERR_AGENT_DISCONNECTED")) throw error;
      if (attempt === ATTEMPTS) throw (await isProxyAlive(pod.directory)) ? error : doesNotStay(pod, error);
    }
    // A caller that died when it was about to stop the pod may have removed it.
    writeProxyCommand(pod.record, pod.directory);
    await bringBack(pod, pod.call.signal);
  }
}

/**
 * Brings a pod's proxy back, if it is dead and has not been given up.
 * @throws HuskError ERR_AGENT_DISCONNECTED when it is not to come back, ERR_PROXY_START, ERR_TIMEOUT
 */
export async function reviveProxy(pod: OpenPod): Promise<void> {
  if (hasVm(pod)) return bringBack(pod);
  throw new HuskError("ERR_AGENT_DISCONNECTED", `the proxy of pod "${pod.id}" has ended with its VM`);
}

async function bringBack(
  { record, directory, hypervisor }: OpenPod,
  signal?: AbortSignal | undefined,
): Promise<void> {
  const timeoutMs = deadlineMs("agentCommand", hypervisor.deadlineFactor);
  await keepProxy(record, directory, { timeoutMs, signal });
}

function hasVm({ hypervisor }: OpenPod): boolean {
  return hypervisor.vm !== undefined && isProcessAlive(hypervisor.vm);
}

function doesNotStay({ id: podId, directory }: OpenPod, cause: unknown): HuskError {
  const text = withLogTail(
    `the proxy of pod "${podId}" was started ${ATTEMPTS} times and did not stay`,
    "proxy.log ends with",
    directory.file("proxyLog"),
  );
  return new HuskError("ERR_PROXY_START", text, { podId, cause });
}
