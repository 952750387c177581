import { checkId } from "../config/ids.ts";
import { checkState } from "../state-machine.ts";
import type { CallOptions, ContainerStats, PodStats, VmStats } from "../types/index.ts";
import { Call } from "./call.ts";
import { needControl } from "./container-control.ts";
import { withSessionOf } from "./container-process.ts";
import type { OpenPod } from "./open-pod.ts";
import { readProcessUsage } from "./process-usage.ts";
import { sumStats } from "./sum-stats.ts";

const MIB = 1024 * 1024;

/**
 * Tells what a container uses, as the guest's kernel counts it. Ours alone; Kata: `StatsContainer`.
 * @throws HuskError ERR_CONTAINER_NOT_FOUND, ERR_STATE_INVALID, ERR_NOT_SUPPORTED for an agent that measures nothing,
 *   ERR_AGENT_REFUSED, ERR_AGENT_PROTOCOL, ERR_VM_LOST
 */
export async function statsContainer(
  podId: string,
  containerId: string,
  options: CallOptions = {},
): Promise<ContainerStats> {
  const call = new Call(options);
  checkId("pod", podId);
  checkId("container", containerId);
  return withSessionOf(podId, call, async (pod) => {
    const { record } = pod.container(containerId);
    checkState({ podId }, pod.state, ["running"], "to measure a container in it");
    checkState({ podId, containerId }, record.state, ["running", "paused"], "to be measured");
    const control = await needControl(pod);
    return control.statsContainer(containerId, { signal: call.signal });
  });
}

/**
 * Tells what a pod uses: its containers that run, each and together, and its VM on the host. Ours alone; Kata: `StatsSandbox`.
 * @throws HuskError as `statsContainer`
 */
export async function statsPod(podId: string, options: CallOptions = {}): Promise<PodStats> {
  const call = new Call(options);
  checkId("pod", podId);
  return withSessionOf(podId, call, async (pod) => {
    checkState({ podId }, pod.state, ["running"], "to be measured");
    const containers = await measureContainers(pod);
    return { ...sumStats(Object.values(containers)), containers, vm: measureVm(pod) };
  });
}

async function measureContainers(pod: OpenPod): Promise<Record<string, ContainerStats>> {
  const control = await needControl(pod);
  const measured: Record<string, ContainerStats> = {};
  for (const [containerId, { state }] of Object.entries(pod.record.containers)) {
    if (state !== "running" && state !== "paused") continue;
    if (pod.live.exits.has(containerId)) continue;
    measured[containerId] = await control.statsContainer(containerId, { signal: pod.call.signal });
  }
  return measured;
}

function measureVm({ record }: OpenPod): VmStats {
  const { vm, vmSize = { vcpus: 0, memory: 0 } } = record;
  const { cpuUs, rss } = vm ? readProcessUsage(vm.pid) : { cpuUs: 0, rss: 0 };
  return { cpuUs, rss, vcpus: vmSize.vcpus, memory: vmSize.memory * MIB };
}
