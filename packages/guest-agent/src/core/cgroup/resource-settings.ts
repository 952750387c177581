/** All limits of the OCI specification as files of a cgroup. */

import type { LinuxHugepageLimit, LinuxPids, LinuxResources } from "@husk/wire/kata";
import { cpuSettings } from "./cpu-settings.ts";
import { ioSettings } from "./io-settings.ts";
import { memorySettings } from "./memory-settings.ts";
import { LimitError, limitText, type Setting } from "./setting.ts";

/** Most limits of one request. */
const MAX_SETTINGS = 1000;
const PAGE_SIZE = /^[1-9]\d{0,3}[KMG]B$/;
/** Where the numbers of files that mean "no limit" begin. */
const NO_LIMIT = 1n << 63n;

function pidsSettings({ Limit }: LinuxPids): Setting[] {
  if (Limit === 0n) return [];
  return [{ controller: "pids", file: "pids.max", text: limitText("Pids.Limit", Limit) }];
}

function hugepageSettings({ Pagesize, Limit }: LinuxHugepageLimit): Setting {
  if (!PAGE_SIZE.test(Pagesize)) {
    throw new LimitError(`HugepageLimits.Pagesize is "${Pagesize}": it must be such as "2MB"`);
  }
  const text = Limit >= NO_LIMIT ? "max" : String(Limit);
  return { controller: "hugetlb", file: `hugetlb.${Pagesize}.max`, text };
}

/**
 * What limits come down to. Devices are not among them: they are a program. Classes and priorities of network traffic
 * are of version 1 only, and left out.
 *
 * @throws LimitError for values that no cgroup can have
 */
export function resourceSettings({ CPU, Memory, Pids, BlockIO, HugepageLimits }: LinuxResources): Setting[] {
  const settings = [
    ...(CPU ? cpuSettings(CPU) : []),
    ...(Memory ? memorySettings(Memory) : []),
    ...(Pids ? pidsSettings(Pids) : []),
    ...(BlockIO ? ioSettings(BlockIO) : []),
    ...HugepageLimits.map(hugepageSettings),
  ];
  if (settings.length > MAX_SETTINGS) {
    throw new LimitError(`${settings.length} limits: there may be ${MAX_SETTINGS}`);
  }
  return settings;
}
