import { text } from "node:stream/consumers";
import { deletePod, type FactoryConfig, type Phase, type PodConfig, runPod } from "@husk/virtcontainers";
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
  const moments: Moments = { agent: Number.NaN, output: Number.NaN };
  await runAndRead(place, podOf("once", ["echo", "here"]), factory, {
    onPhase: ({ name, at }) => {
      if (AGENT_PHASES.includes(name) && Number.isNaN(moments.agent)) moments.agent = at;
    },
    onOutput: () => {
      if (Number.isNaN(moments.output)) moments.output = performance.now() - begin;
    },
  });
  return moments;
}

/** Whoever watches a pod's first container. */
interface Watcher {
  readonly onPhase?: (phase: Phase) => void;
  readonly onOutput?: () => void;
  /** default: a warning is an error */
  readonly onWarning?: (warning: Error) => void;
}

/** Runs a pod whose only container is called as it is, and deletes it; gives what that has written. @throws Error as above */
export async function runAndRead(
  { options }: BenchPlace,
  config: PodConfig,
  factory?: FactoryConfig,
  { onPhase, onOutput, onWarning }: Watcher = {},
): Promise<string> {
  const warnings: Error[] = [];
  let output: Promise<string> | undefined;
  await runPod(config, {
    ...options,
    ...(factory ? { factory } : {}),
    onPhase,
    onWarning: onWarning ?? ((warning) => void warnings.push(warning)),
    onCreated: (pod) => {
      const io = pod.getContainer(config.id)?.attach();
      io?.stdin.end();
      io?.stderr?.resume();
      io?.stdout.on("data", () => onOutput?.());
      output = io && text(io.stdout);
    },
  });
  try {
    if (warnings[0]) throw warnings[0];
    return (await output) ?? "";
  } finally {
    await deletePod(config.id, options);
  }
}
