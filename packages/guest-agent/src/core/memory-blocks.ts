/** Memory that is plugged in, in blocks. Reference: virtcontainers.md 8.1, 8.2. */

import { exists, readTextIfThere, writeControl } from "@husk/tiny";

const FOLDER = "/sys/devices/system/memory";
const PROBE = `${FOLDER}/probe`;

/** Bytes that memory is plugged in multiples of; 0 when the kernel takes none. */
export function readBlockSize(): bigint {
  const digits = readTextIfThere(`${FOLDER}/block_size_bytes`)?.trim() ?? "";
  return /^[0-9a-f]{1,16}$/.test(digits) ? BigInt(`0x${digits}`) : 0n;
}

/** Whether the kernel has to be told of memory that is plugged in. */
export function canProbe(): boolean {
  return exists(PROBE);
}

/** Tells the kernel of blocks of memory by their physical addresses. @throws Error naming the one it does not take */
export function probeBlocks(addresses: readonly bigint[]): void {
  for (const address of addresses) writeControl(PROBE, String(address));
}
