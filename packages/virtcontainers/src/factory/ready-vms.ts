import type { VmCacheTier } from "../types/index.ts";
import { sumOf, TIERS, type TierNumbers } from "./tiers.ts";

/** VMs of a pool that nobody has. A better one does for a lower tier as well. */
export class ReadyVms<Vm extends { readonly tier: VmCacheTier }> {
  /** with when they were ready, the latest last */
  readonly #since = new Map<Vm, number>();

  get all(): readonly Vm[] {
    return [...this.#since.keys()];
  }

  /** The best, of several the one that has waited for longest. */
  get best(): Vm | undefined {
    return TIERS.flatMap((tier) => this.#ofTier(tier)[0] ?? [])[0];
  }

  add(vm: Vm): void {
    this.#since.set(vm, performance.now());
  }

  /** @returns since when it was ready, by `performance.now()`; undefined: it is not among these */
  remove(vm: Vm): number | undefined {
    const since = this.#since.get(vm);
    this.#since.delete(vm);
    return since;
  }

  /** The best tier of which there are too few; undefined: there are enough of each. */
  missingTier(wanted: TierNumbers): VmCacheTier | undefined {
    return TIERS.find((_, index) => {
      const tiers = TIERS.slice(0, index + 1);
      const there = tiers.reduce((sum, tier) => sum + this.#ofTier(tier).length, 0);
      return there < tiers.reduce((sum, tier) => sum + wanted[tier], 0);
    });
  }

  /** One that there is no use for: of the lowest tier, the latest; undefined: there are not too many. */
  surplus(wanted: TierNumbers): Vm | undefined {
    const isMore = this.#since.size > sumOf(wanted);
    return isMore ? TIERS.flatMap((tier) => this.#ofTier(tier)).at(-1) : undefined;
  }

  /** The best below a tier, of which one of that tier can be made. */
  bestBelow(tier: VmCacheTier): Vm | undefined {
    const lower = TIERS.slice(TIERS.indexOf(tier) + 1);
    return lower.flatMap((one) => this.#ofTier(one))[0];
  }

  #ofTier(tier: VmCacheTier): Vm[] {
    return this.all.filter((vm) => vm.tier === tier);
  }
}
