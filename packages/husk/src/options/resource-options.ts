import type { LinuxCpu, LinuxResources } from "@husk/virtcontainers";
import type { Command } from "commander";
import { parseCpus, parsePositive, parseSize } from "./numbers.ts";

/** The options of `run` and `update` that say what a container may use of its VM. */
export interface ResourceOptions {
  /** processors, as a part or a multiple of one; Infinity: no limit */
  cpuLimit?: number;
  /** weight against other containers */
  cpuShares?: number;
  /** processors it may run on, as `0-2,4` */
  cpusetCpus?: string;
  /** bytes; Infinity: no limit */
  memoryLimit?: number;
  /** processes and threads; Infinity: no limit */
  pidsLimit?: number;
}

/** Microseconds in which a container gets what it may use of processors. */
const PERIOD_US = 100_000;

/** Adds the options of `ResourceOptions` to a command. */
export function addResourceOptions(command: Command): Command {
  return command
    .option("--cpu-limit <N|none>", "processors that the container may use: 0.5, 2", orNone(parseCpus))
    .option(
      "--cpu-shares <N>",
      "weight of the container against others (2 to 262144, usually 1024)",
      parsePositive,
    )
    .option("--cpuset-cpus <LIST>", "virtual CPUs that the container may run on: 0-1,3")
    .option("--memory-limit <SIZE|none>", "memory that the container may use: 64m, 1g", orNone(parseSize))
    .option(
      "--pids-limit <N|none>",
      "processes and threads that the container may have",
      orNone(parsePositive),
    );
}

function orNone(parse: (text: string) => number): (text: string) => number {
  return (text) => (text === "none" ? Number.POSITIVE_INFINITY : parse(text));
}

/** Makes the library's field out of what was typed; undefined: nothing was. */
export function makeResources(options: ResourceOptions): LinuxResources | undefined {
  const { memoryLimit, pidsLimit } = options;
  const cpu = makeCpu(options);
  const resources: LinuxResources = {
    ...(Object.keys(cpu).length > 0 ? { cpu } : {}),
    ...(memoryLimit === undefined ? {} : { memory: { limit: limitOf(memoryLimit) } }),
    ...(pidsLimit === undefined ? {} : { pids: { limit: limitOf(pidsLimit) } }),
  };
  return Object.keys(resources).length > 0 ? resources : undefined;
}

function makeCpu({ cpuLimit, cpuShares, cpusetCpus }: ResourceOptions): LinuxCpu {
  return {
    ...(cpuLimit === undefined
      ? {}
      : { quota: limitOf(Math.round(cpuLimit * PERIOD_US)), period: PERIOD_US }),
    ...(cpuShares === undefined ? {} : { shares: cpuShares }),
    ...(cpusetCpus === undefined ? {} : { cpus: cpusetCpus }),
  };
}

/** The library says "no limit" by -1. */
function limitOf(value: number): number {
  return Number.isFinite(value) ? value : -1;
}
