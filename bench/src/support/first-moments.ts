import { deletePod, type FactoryConfig, type PodConfig, runPod } from "@husk/virtcontainers";
import type { BenchPlace } from "./bench-place.ts";
import { DEMO_ROOTFS, INITRAMFS, KERNEL } from "./places.ts";

/** Phases with which the agent has answered: of a VM that boots, and of one that does not. */
const AGENT_PHASES: readonly string[] = ["agent-ready", "agent-met"];

/** When something was there, in milliseconds since the call. */
export interface Moments {
  /** the agent's first answer */
  agent: number;
  /** the container's first output */
  output: number;
}

/** A pod with one container of its name. */
export function podOf(id: string, args: string[]): PodConfig {
  return {
    id,
    hypervisorConfig: { kernelPath: KERNEL, imagePath: INITRAMFS },
    containers: [{ id, rootFs: DEMO_ROOTFS, cmd: { args } }],
  };
}

/** Runs a pod that says something, and deletes it. @throws Error when a VM that was to be there had to be made */
export async function timeFirstMoments(place: BenchPlace, factory?: FactoryConfig): Promise<Moments> {
  const begin = performance.now();
  let agent = Number.NaN;
  const output = Promise.withResolvers<number>();
  // When the run itself fails, nobody waits for it.
  output.promise.catch(() => {});
  await runPod(podOf("once", ["echo", "here"]), {
    ...place.options,
    ...(factory ? { factory } : {}),
    onPhase: ({ name, at }) => {
      if (AGENT_PHASES.includes(name) && Number.isNaN(agent)) agent = at;
    },
    onWarning: (warning) => output.reject(warning),
    onCreated: (pod) => {
      const io = pod.getContainer("once")?.attach();
      io?.stdin.end();
      io?.stderr?.resume();
      io?.stdout.once("data", () => output.resolve(performance.now() - begin)).resume();
    },
  });
  try {
    return { agent, output: await output.promise };
  } finally {
    await deletePod("once", place.options);
  }
}
