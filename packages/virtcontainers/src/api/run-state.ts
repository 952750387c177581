import type { PodRecord } from "../store/pod-record.ts";
import type { OpenPod } from "./open-pod.ts";

/**
 * Notes in a record that a pod's VM was frozen, or goes on: its containers that ran are paused, and the other way round. What
 * was paused by itself stays so.
 */
export function markRunState(record: PodRecord, state: "running" | "paused"): void {
  const before = state === "paused" ? "running" : "paused";
  record.state = state;
  for (const container of Object.values(record.containers)) {
    if (container.state === before && !container.pausedAlone) container.state = state;
  }
}

/**
 * Brings a pod up to what its hypervisor says: somebody may have frozen the VM, or let it go on, without us. A hypervisor
 * that cannot be asked changes nothing.
 */
export async function observeRunState({ record, hypervisor, directory, call }: OpenPod): Promise<void> {
  if (!hypervisor.vm || (record.state !== "running" && record.state !== "paused")) return;
  const state = await hypervisor.readState(directory, { signal: call.signal }).catch(() => undefined);
  if (state && state !== record.state) markRunState(record, state);
}
