import type { VmCacheTier } from "../types/index.ts";

/** The tiers, best first. */
export const TIERS = ["rehearsed", "paused", "prepared"] as const satisfies readonly VmCacheTier[];

/** How many VMs of each tier. */
export type TierNumbers = Readonly<Record<VmCacheTier, number>>;

/** How many VMs of all tiers together. */
export function sumOf(numbers: TierNumbers): number {
  return TIERS.reduce((sum, tier) => sum + numbers[tier], 0);
}
