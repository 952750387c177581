/** Limits of processor time as files of a cgroup. */

import type { LinuxCPU } from "@husk/wire/kata";
import { LimitError, limitText, type Setting } from "./setting.ts";

/** What the kernel takes for a period, in microseconds. */
const [MIN_PERIOD_US, MAX_PERIOD_US] = [1_000n, 1_000_000n];
/** Least quota that the kernel takes, in microseconds. */
const MIN_QUOTA_US = 1_000n;
/** CPUs and nodes of memory: `0-2,4`. */
const LIST = /^\d+(-\d+)?(,\d+(-\d+)?)*$/;

/** The weight (1 to 10,000) for shares of version 1 (2 to 262,144), as container runtimes convert them. */
function cpuWeight(shares: bigint): bigint {
  const bounded = shares < 2n ? 2n : shares > 262144n ? 262144n : shares;
  return 1n + ((bounded - 2n) * 9999n) / 262142n;
}

function refuseRealtime({ RealtimeRuntime, RealtimePeriod }: LinuxCPU): void {
  if (RealtimeRuntime === 0n && RealtimePeriod === 0n) return;
  throw new LimitError(
    `CPU.RealtimeRuntime ${RealtimeRuntime} and CPU.RealtimePeriod ${RealtimePeriod}: not in cgroups of version 2`,
  );
}

/** The first word of `cpu.max` is the quota. A file takes a quota alone, but no period alone. */
function bandwidth({ Quota, Period }: LinuxCPU): Setting[] {
  if (Quota === 0n && Period === 0n) return [];
  if (Period !== 0n && (Period < MIN_PERIOD_US || Period > MAX_PERIOD_US)) {
    throw new LimitError(`CPU.Period is ${Period}: it must be ${MIN_PERIOD_US} to ${MAX_PERIOD_US} µs`);
  }
  if (Quota > 0n && Quota < MIN_QUOTA_US) {
    throw new LimitError(`CPU.Quota is ${Quota}: it must be at least ${MIN_QUOTA_US} µs`);
  }
  const period = Period === 0n ? "" : ` ${Period}`;
  const text =
    Quota === 0n
      ? (current: string) => `${current.split(" ")[0]}${period}`
      : `${limitText("CPU.Quota", Quota)}${period}`;
  return [{ controller: "cpu", file: "cpu.max", text }];
}

function list(what: string, file: string, text: string): Setting[] {
  if (text === "") return [];
  if (!LIST.test(text)) throw new LimitError(`${what} is "${text}": it must be a list such as "0-2,4"`);
  return [{ controller: "cpuset", file, text }];
}

/** What limits come down to. @throws LimitError */
export function cpuSettings(cpu: LinuxCPU): Setting[] {
  refuseRealtime(cpu);
  const weight: Setting[] =
    cpu.Shares === 0n ? [] : [{ controller: "cpu", file: "cpu.weight", text: String(cpuWeight(cpu.Shares)) }];
  return [
    ...weight,
    ...bandwidth(cpu),
    ...list("CPU.Cpus", "cpuset.cpus", cpu.Cpus),
    ...list("CPU.Mems", "cpuset.mems", cpu.Mems),
  ];
}
