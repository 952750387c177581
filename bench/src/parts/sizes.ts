import { statSync } from "node:fs";
import type { Measurement } from "../support/measurement.ts";
import { AGENT, INITRAMFS, KERNEL } from "../support/places.ts";

const MEGABYTE = 1e6;

/** (f) Sizes of the parts of the guest. */
export function measureSizes(): Measurement[] {
  const target = { of: "value", relation: "at most", limit: 1.5 } as const;
  return [
    { part: "f", what: "agent binary", value: megabytes(AGENT), unit: "MB", target },
    { part: "f", what: "initramfs", value: megabytes(INITRAMFS), unit: "MB" },
    { part: "f", what: "kernel", value: megabytes(KERNEL), unit: "MB" },
  ];
}

function megabytes(path: string): number {
  return statSync(path).size / MEGABYTE;
}
