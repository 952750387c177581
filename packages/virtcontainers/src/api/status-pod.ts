import { existsSync, readdirSync } from "node:fs";
import { ID_PATTERN } from "../config/ids.ts";
import { isProxyProgram, isShimProgram } from "../config/resident-programs.ts";
import { HuskError, isHuskError, messageOf, systemCode } from "../errors/index.ts";
import { proxyProcess } from "../proxy/end-proxy.ts";
import { podsDirectory } from "../store/pod-directory.ts";
import { isProcessAlive } from "../store/process-identity.ts";
import type { CallOptions, ContainerStatus, ListOptions, PodStatus } from "../types/index.ts";
import { Call } from "./call.ts";
import { changePod } from "./change-pod.ts";
import { shimPid, startTimeOf } from "./handles.ts";
import { networkStatus } from "./network-status.ts";
import { lookAtPod, type OpenPod } from "./open-pod.ts";
import { observeRunState } from "./run-state.ts";
import { openSession } from "./session.ts";
import { orphansOf } from "./shim-exits.ts";

/**
 * Tells how a pod is now: a VM or a container that has ended is told as stopped, a VM that somebody has frozen as paused. The
 * pod stays as it is. Go: `StatusPod`.
 * @throws HuskError ERR_POD_NOT_FOUND, ERR_STATE_CORRUPT, ERR_STATE_VERSION
 */
export async function statusPod(podId: string, options: CallOptions = {}): Promise<PodStatus> {
  return podStatus(await freshPod(podId, new Call(options)));
}

/**
 * Lists all pods, by their ids in order. One that is deleted meanwhile is left out. Go: `ListPod`.
 * @throws HuskError ERR_STATE_CORRUPT, ERR_STATE_VERSION for one whose state cannot be told, ERR_STORE
 */
export async function listPod({ onBroken, ...options }: ListOptions = {}): Promise<PodStatus[]> {
  const { root } = new Call(options);
  const found = await Promise.all(
    readPodIds(root).map(async (podId) => {
      try {
        return await statusPod(podId, options);
      } catch (error) {
        if (isHuskError(error, "ERR_POD_NOT_FOUND")) return undefined;
        if (!onBroken || !isHuskError(error) || error.code === "ERR_ABORTED") throw error;
        onBroken(error);
        return undefined;
      }
    }),
  );
  return found.filter((status) => status !== undefined);
}

function readPodIds(root: string): string[] {
  try {
    return readdirSync(podsDirectory(root))
      .filter((name) => ID_PATTERN.test(name))
      .sort();
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw new HuskError("ERR_STORE", `cannot list the pods: ${messageOf(error)}`, { cause: error });
  }
}

/** A pod to look at, after making sure, where nobody listens to its agent, that its containers still run. */
export async function freshPod(podId: string, call: Call): Promise<OpenPod> {
  const pod = lookAtPod(podId, call);
  await observeRunState(pod);
  if (!needsRefresh(pod)) return pod;
  await refreshPod(pod);
  return lookAtPod(podId, call);
}

function needsRefresh(pod: OpenPod): boolean {
  const { pending, vm } = pod.record;
  if (vm && pending && !(pending.by && isProcessAlive(pending.by))) return true;
  if (vm && orphansOf(pod.record).length > 0) return true;
  if (pod.state !== "running" || pod.hasSession) return false;
  // A shim tells by itself what becomes of its container.
  return Object.values(pod.record.containers).some(
    ({ state, ownShim }) => (state === "running" || state === "paused") && !ownShim,
  );
}

/** Asks the agent itself, unless another process listens to it, which then has stored what it heard. */
async function refreshPod({ id, call, hasSession }: OpenPod): Promise<void> {
  try {
    await changePod(id, call, async (pod) => {
      if (needsRefresh(pod) && pod.state !== "paused") await openSession(pod, { onlyOwner: true });
      if (!hasSession) pod.live.session?.close();
    });
  } catch (error) {
    // An agent that does not answer changes nothing in what is stored; a pod that has gone is told by the next look.
    if (!isHuskError(error) || error.code === "ERR_ABORTED") throw error;
  }
}

/** The status of a pod. */
function podStatus(pod: OpenPod): PodStatus {
  const { config, createdAt, vm, vmSize } = pod.record;
  return {
    id: pod.id,
    state: pod.state,
    hypervisor: config.hypervisorType ?? "qemu",
    hypervisorConfig: config.hypervisorConfig ?? {},
    agent: config.agentType ?? "hyperstart",
    containersStatus: pod.containers.map(({ id }) => containerStatus(pod, id)),
    annotations: { ...config.annotations },
    createdAt: new Date(createdAt),
    hypervisorPid: vm?.pid,
    proxyPid: isProxyProgram(config) ? proxyProcess(pod.directory, pod.record.uuid)?.pid : undefined,
    accelerator: vm?.accelerator,
    vcpus: vm && vmSize?.vcpus,
    memory: vm && vmSize?.memory,
    network: vm && networkStatus(pod.record),
  };
}

/** The status of a container. @throws HuskError ERR_CONTAINER_NOT_FOUND */
export function containerStatus(pod: OpenPod, containerId: string): ContainerStatus {
  const { config, record } = pod.container(containerId);
  return {
    id: containerId,
    state: record.state,
    pid: shimPid(record),
    startTime: startTimeOf(record),
    rootFs: config.rootFs,
    annotations: { ...config.annotations },
    exitCode: record.exitCode,
    args: [...config.cmd.args],
    logPath: logPath(pod, containerId),
  };
}

/** A log is of a run that a shim has written, also after that. */
function logPath({ directory, record }: OpenPod, containerId: string): string | undefined {
  const path = directory.containerFile(containerId, "log");
  return isShimProgram(record.config) && existsSync(path) ? path : undefined;
}
