import { HuskError } from "../errors/index.ts";
import type { LinuxResources, PodConfig, Resources } from "../types/index.ts";
import { integer, list, object, type Rule, text } from "./rules.ts";

/** As the kernel has them: cgroup v1's shares, which the guest translates. */
const shares = integer(2, 262_144);
const MIN_QUOTA_US = 1_000;
const bytes = integer(0, Number.MAX_SAFE_INTEGER);

/** Processors and memory of a VM. */
export const vmResources: Rule = object({ vcpus: integer(1, 240), memory: integer(1, 1_048_576) });

function refuse(at: string, problem: string): never {
  throw new HuskError("ERR_CONFIG_INVALID", `${at}: ${problem}`);
}

/** -1, which is "no limit", or from `min` on. */
function limitFrom(min: number): Rule {
  const rule = integer(min, Number.MAX_SAFE_INTEGER);
  return (value, at) => {
    if (value !== -1) rule(value, at);
  };
}

/** Numbers and ranges of them, as `0-2,4`; empty: all there are. */
function numberList(value: unknown, at: string): void {
  text({ max: 1024 })(value, at);
  if (/^(\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*)?$/.test(value as string)) return;
  refuse(at, 'must be numbers and ranges of them, as "0-2,4"');
}

function pageSize(value: unknown, at: string): void {
  text()(value, at);
  if (!/^\d{1,6}[KMG]B$/.test(value as string)) refuse(at, 'must be a size as "2MB"');
}

const throttle = list(
  object({ major: integer(0, 4095), minor: integer(0, 1_048_575), rate: bytes }, ["major", "minor", "rate"]),
);

/** The fields of what a container may use. */
export const linuxResourceFields: Record<string, Rule> = {
  cpu: object({
    shares,
    quota: limitFrom(MIN_QUOTA_US),
    period: integer(1_000, 1_000_000),
    cpus: numberList,
    mems: numberList,
  }),
  memory: object({ limit: limitFrom(1), reservation: limitFrom(1), swap: limitFrom(1) }),
  pids: object({ limit: limitFrom(1) }, ["limit"]),
  blockIO: object({
    weight: integer(10, 1_000),
    throttleReadBpsDevice: throttle,
    throttleWriteBpsDevice: throttle,
    throttleReadIOPSDevice: throttle,
    throttleWriteIOPSDevice: throttle,
  }),
  hugepageLimits: list(object({ pageSize, limit: bytes }, ["pageSize", "limit"])),
};

/** What a container may use. */
export const linuxResources: Rule = object(linuxResourceFields);

/**
 * Checks what a container is to use.
 * @throws HuskError ERR_CONFIG_INVALID, ERR_CONFIG_UNKNOWN_FIELD
 */
export function checkResources(value: unknown): asserts value is LinuxResources {
  linuxResources(value, "");
}

/** Checks what a VM is to have; throws as `checkResources`. */
export function checkVmResources(value: unknown): asserts value is Resources {
  vmResources(value, "");
}

/**
 * Refuses limits that a pod's agent would not heed.
 * @throws HuskError ERR_NOT_SUPPORTED
 */
export function checkLimitsSupported(config: PodConfig, containers = config.containers ?? []): void {
  const limited = containers.find(({ resources = {} }) => Object.keys(resources).length > 0);
  const { agentType = "hyperstart" } = config;
  if (!limited || agentType !== "hyperstart") return;
  const text = `container "${limited.id}": the agent ${agentType} cannot limit what a container uses (resources)`;
  const hint = 'Create the pod with agentType: "kata".';
  throw new HuskError("ERR_NOT_SUPPORTED", text, { hint, containerId: limited.id });
}
