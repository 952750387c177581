import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Cmd, type PodConfig, type PodStatus, readLog, statusPod } from "@husk/virtcontainers";
import { DEMO_ROOTFS, RESIDENTS } from "./places.ts";
import type { Workplace } from "./workplace.ts";

/** The agents, each with its proxy and its shim. */
export const FAMILIES = [
  { agentType: "hyperstart", proxyType: "ccProxy", shimType: "ccShim", proxy: "cc-proxy", shim: "cc-shim" },
  { agentType: "kata", proxyType: "kataProxy", shimType: "kataShim", proxy: "kata-proxy", shim: "kata-shim" },
] as const;
export type Family = (typeof FAMILIES)[number];

/** Name of the pods below, and of their container, which the command line takes to be the same. */
export const POD = "pod";
export const CONTAINER = "pod";

/** A pod of a family with a container that runs a command. */
export function residentPod(
  place: Workplace,
  family: Family,
  cmd: Cmd,
  more: Partial<PodConfig> = {},
): PodConfig {
  const { agentType, proxyType, shimType } = family;
  return {
    id: POD,
    hypervisorConfig: place.hypervisorConfig,
    agentType,
    proxyType,
    proxyConfig: { path: join(RESIDENTS, family.proxy) },
    shimType,
    shimConfig: { path: join(RESIDENTS, family.shim) },
    containers: [{ id: CONTAINER, rootFs: DEMO_ROOTFS, cmd }],
    ...more,
  };
}

/** A part of a pod that can be killed. */
export type Part = "shim" | "proxy" | "qemu";

/** The process of a part; undefined: it has none now. */
function pidOf({ proxyPid, hypervisorPid, containersStatus }: PodStatus, part: Part): number | undefined {
  if (part === "proxy") return proxyPid;
  if (part === "qemu") return hypervisorPid;
  const pid = containersStatus[0]?.pid ?? -1;
  return pid > 0 ? pid : undefined;
}

/** Kills a part, of which it must have one. It may take until it has gone. */
export function killPart(status: PodStatus, part: Part): void {
  const pid = pidOf(status, part);
  if (pid === undefined) throw new Error(`there is no ${part}`);
  process.kill(pid, "SIGKILL");
}

/** Settles when the VM of the pod has ended, as its lock tells. */
export async function vmEnded(place: Workplace): Promise<void> {
  const flock = spawn("flock", ["-w", "120", join(place.root, "pods", POD, "vm.lock"), "true"]);
  const [status] = await once(flock, "exit");
  if (status !== 0) throw new Error("the VM does not end");
}

/** What a container has written to a stream, as its log has it; its offsets must have no gaps. */
export async function readOutput(place: Workplace, stream: "stdout" | "stderr" = "stdout"): Promise<string> {
  const pieces: Uint8Array[] = [];
  let position = 0;
  for await (const { data, offset } of readLog(POD, CONTAINER, { ...place.options, streams: [stream] })) {
    if (offset !== position) throw new Error(`the log has offset ${offset} where ${position} is due`);
    pieces.push(data);
    position += data.length;
  }
  return Buffer.concat(pieces).toString();
}

/** Settles when the log of the container has so many bytes of output, or ends. */
export async function whenWritten(place: Workplace, bytes: number): Promise<void> {
  const stop = new AbortController();
  try {
    const options = { ...place.options, follow: true, signal: stop.signal };
    for await (const { data, offset } of readLog(POD, CONTAINER, options)) {
      if (offset + data.length >= bytes) return;
    }
  } finally {
    stop.abort();
  }
}

/** The numbers from 0, each on a line. */
export function numbers(count: number): string {
  return Array.from({ length: count }, (_, index) => `${index}\n`).join("");
}

/** The pod's status. */
export async function statusOf(place: Workplace): Promise<PodStatus> {
  return statusPod(POD, place.options);
}
