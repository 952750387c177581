import { join } from "node:path";
import { type CreateOptions, type PodConfig, runPod } from "@husk/virtcontainers";
import { DEMO_ROOTFS } from "./places.ts";
import type { Workplace } from "./workplace.ts";

/** A command that does nothing, for long. */
export const REST = { args: ["sleep", "1000000"] };

/** A pod with a container that rests, which takes what is plugged in. */
export function podOf(place: Workplace, id: string, more: Partial<PodConfig> = {}): PodConfig {
  const { hypervisorConfig = {}, ...rest } = more;
  return {
    id,
    hypervisorConfig: { ...place.hypervisorConfig, defaultBridges: 4, ...hypervisorConfig },
    containers: [{ id, rootFs: DEMO_ROOTFS, cmd: REST }],
    ...rest,
  };
}

/** Runs a pod, and tells how that went. */
export async function runWatched(place: Workplace, config: PodConfig, source: CreateOptions) {
  const phases: string[] = [];
  const warnings: string[] = [];
  await runPod(config, {
    ...place.options,
    ...source,
    onPhase: ({ name }) => void phases.push(name),
    onWarning: ({ message }) => void warnings.push(message),
  });
  const isHit = phases.includes("vm-claimed") && !phases.includes("qemu-spawned");
  return { isHit, phases, warnings };
}

/** Hooks that write down when they were called, and the network namespace that they were told. */
export function countingHooks(place: Workplace): NonNullable<PodConfig["hooks"]> {
  const hook = (moment: string) => {
    const script = `pid=$(sed 's/.*"pid":\\([0-9]*\\).*/\\1/'); echo ${moment} $(readlink /proc/$pid/ns/net) >>"$1"`;
    return { path: "/bin/sh", args: ["sh", "-c", script, "sh", join(place.folder, "moments")], timeout: 60 };
  };
  return { preStartHooks: [hook("pre")], postStartHooks: [hook("up")], postStopHooks: [hook("down")] };
}
