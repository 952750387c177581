import { join } from "node:path";
import type { FactoryConfig, VmCache, VmCacheStatus, VmCacheTier } from "../types/index.ts";
import { CacheServer } from "./cache-server.ts";
import { stageVm, type VmRecipe } from "./stage-vm.ts";
import type { StagedVm } from "./staged-vm.ts";
import { type Lease, type TakeOptions, type TierNumbers, VmPool } from "./vm-pool.ts";

/** Tier of the VMs of a configuration that only says how many. */
const DEFAULT_TIER: VmCacheTier = "rehearsed";

/** How many VMs a configuration asks for. */
function tierNumbers({ vmCacheNumber = 0, vmCacheTiers }: FactoryConfig): TierNumbers {
  const none = { rehearsed: 0, paused: 0, prepared: 0 };
  return { ...none, ...(vmCacheTiers ?? { [DEFAULT_TIER]: vmCacheNumber }) };
}

/** Whether a configuration has a cache of VMs. */
export function hasVmCache(factory: FactoryConfig): boolean {
  return Object.values(tierNumbers(factory)).some((number) => number > 0);
}

/** Where a configuration's cache is served. */
export function cacheEndpoint({ vmCacheEndpoint }: FactoryConfig, root: string): string {
  return vmCacheEndpoint ?? join(root, "cache.sock");
}

/** What a cache begins with, and who is told what. */
export interface LocalCacheOptions {
  /** VMs of a dead cache that were cleared */
  readonly cleared: number;
  /** is told why a VM could not be made, or has ended */
  readonly onFault: (error: unknown) => void;
  readonly onWaiting?: ((status: VmCacheStatus) => void) | undefined;
  /** makes a VM; default: one that runs */
  readonly stage?: typeof stageVm;
}

/** VMs that wait in this process. */
export class LocalVmCache implements VmCache {
  readonly recipe: VmRecipe;
  readonly closed: Promise<void>;
  readonly #pool: VmPool<StagedVm>;
  readonly #endpoint: string;
  readonly #cleared: number;
  readonly #startedAt = new Date();
  readonly #closing = Promise.withResolvers<void>();
  #server: CacheServer | undefined;
  #end: Promise<void> | undefined;

  constructor(
    recipe: VmRecipe,
    factory: FactoryConfig,
    { cleared, onFault, onWaiting, stage = stageVm }: LocalCacheOptions,
  ) {
    this.recipe = recipe;
    this.closed = this.#closing.promise;
    this.#endpoint = cacheEndpoint(factory, recipe.root);
    this.#cleared = cleared;
    this.#pool = new VmPool({
      wanted: tierNumbers(factory),
      make: (tier, from, signal) => stage(recipe, tier, from, signal),
      onFault,
      onWaiting: () => onWaiting?.(this.status()),
    });
    this.#pool.fill();
  }

  /** Hands the best VM out. @throws HuskError ERR_ABORTED, ERR_CACHE_CLOSED */
  take(options: TakeOptions): Promise<Lease<StagedVm>> {
    return this.#pool.take(options);
  }

  status(): VmCacheStatus {
    const { ready, leased, history } = this.#pool;
    const { fault, ...numbers } = history;
    const describe = (vm: StagedVm) => {
      const { pid, tier, readyAt, size } = vm;
      return { pid, tier, leased: leased.includes(vm), readyAt, ...size };
    };
    return {
      pid: process.pid,
      key: this.recipe.key,
      startedAt: this.#startedAt,
      vms: [...ready, ...leased].map(describe),
      wanted: this.#pool.wanted,
      ...numbers,
      cleared: this.#cleared,
      ...(fault === undefined ? {} : { fault }),
    };
  }

  filled(): Promise<void> {
    return this.#pool.filled();
  }

  async listen(endpoint = this.#endpoint): Promise<void> {
    this.#server = await CacheServer.listen(this, endpoint);
  }

  close(): Promise<void> {
    this.#end ??= this.#close();
    return this.#end;
  }

  async #close(): Promise<void> {
    try {
      // First the VMs, so that who waits for one is told; then whoever is still connected.
      await this.#pool.close();
    } finally {
      await this.#server?.close();
      this.#closing.resolve();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
