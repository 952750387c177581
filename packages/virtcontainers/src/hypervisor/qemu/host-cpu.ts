import { readHead } from "../../read-head.ts";

/** The first CPU's paragraph is enough, and the file of a big machine is long. */
const MAX_BYTES = 8192;

/** What a VM's set-up depends on. */
export interface HostCpu {
  /** frequency of the time stamp counter in kHz; undefined where it is not constant or not known */
  readonly tscKHz: number | undefined;
  /** whether the host is itself a VM */
  readonly isVirtual: boolean;
}

/**
 * Reads a `/proc/cpuinfo`. With a constant time stamp counter the kernel derives BogoMIPS from it: one is 500 kHz. Every
 * hypervisor tells its guests that they are such by a flag of the CPU.
 */
export function readHostCpu(cpuinfo = "/proc/cpuinfo"): HostCpu {
  const text = readHeadIfThere(cpuinfo);
  const flags = /^flags\s*:.*$/m.exec(text)?.[0] ?? "";
  const bogomips = Number(/^bogomips\s*:\s*(\d+\.\d+)$/m.exec(text)?.[1]);
  const isKnown = /\bconstant_tsc\b/.test(flags) && bogomips > 0;
  return {
    tscKHz: isKnown ? Math.round(bogomips * 500) : undefined,
    isVirtual: /\bhypervisor\b/.test(flags),
  };
}

function readHeadIfThere(path: string): string {
  try {
    return readHead(path, MAX_BYTES).toString("latin1");
  } catch {
    return "";
  }
}
