import { closeSync, openSync, readSync } from "node:fs";

/** The first CPU's paragraph is enough, and the file of a big machine is long. */
const MAX_BYTES = 8192;

/**
 * Frequency of the host's time stamp counter in kHz, read from a `/proc/cpuinfo`; undefined where it is not constant or
 * not known. With a constant counter the kernel derives BogoMIPS from it: one is 500 kHz.
 */
export function readTscKHz(cpuinfo = "/proc/cpuinfo"): number | undefined {
  let text: string;
  try {
    const fd = openSync(cpuinfo, "r");
    try {
      const buffer = Buffer.alloc(MAX_BYTES);
      text = buffer.toString("latin1", 0, readSync(fd, buffer));
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
  if (!/^flags\s*:.*\bconstant_tsc\b/m.test(text)) return undefined;
  const bogomips = Number(/^bogomips\s*:\s*(\d+\.\d+)$/m.exec(text)?.[1]);
  return bogomips > 0 ? Math.round(bogomips * 500) : undefined;
}
