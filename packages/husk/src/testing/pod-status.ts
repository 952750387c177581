import type { ContainerStatus, PodStatus } from "@husk/virtcontainers";

/** The time of tests. */
export const NOW = new Date("2026-01-01T12:00:00Z");

/** The status of a pod that was made `ageSeconds` before NOW. */
export function makePod(
  id: string,
  ageSeconds: number,
  containers: Partial<ContainerStatus>[],
  more: Partial<PodStatus> = {},
): PodStatus {
  return {
    id,
    state: "running",
    hypervisor: "qemu",
    hypervisorConfig: {},
    agent: "hyperstart",
    annotations: {},
    createdAt: new Date(NOW.getTime() - ageSeconds * 1000),
    hypervisorPid: undefined,
    proxyPid: undefined,
    accelerator: undefined,
    vcpus: undefined,
    memory: undefined,
    network: undefined,
    containersStatus: containers.map((container) => ({
      id,
      state: "running",
      pid: -1,
      startTime: undefined,
      rootFs: "/",
      annotations: {},
      exitCode: undefined,
      args: ["sh"],
      logPath: undefined,
      ...container,
    })),
    ...more,
  };
}
