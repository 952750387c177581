import { join } from "node:path";
import { checkFactoryConfig } from "../config/factory-schema.ts";
import { HuskError } from "../errors/index.ts";
import type { FactoryConfig, VmCache, VmCacheStatus, VmCacheTier } from "../types/index.ts";
import { CacheServer } from "./cache-server.ts";
import { type ForeignClient, ForeignLeases } from "./foreign-leases.ts";
import type { Lease } from "./lease.ts";
import { stageVm, type VmRecipe } from "./stage-vm.ts";
import type { StagedVm } from "./staged-vm.ts";
import { sumOf, type TierNumbers } from "./tiers.ts";
import { type TakeOptions, VmPool } from "./vm-pool.ts";

/** Tier of the VMs of a configuration that only says how many. */
const DEFAULT_TIER: VmCacheTier = "rehearsed";

/** How many VMs a configuration asks for. */
function tierNumbers({ vmCacheNumber = 0, vmCacheTiers }: FactoryConfig): TierNumbers {
  const none = { rehearsed: 0, paused: 0, prepared: 0 };
  return { ...none, ...(vmCacheTiers ?? { [DEFAULT_TIER]: vmCacheNumber }) };
}

/** Whether a configuration has a cache of VMs. */
export function hasVmCache(factory: FactoryConfig): boolean {
  return sumOf(tierNumbers(factory)) > 0;
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
  /** Digest of what VMs would be made of now; default: that never changes. */
  readonly keyNow?: () => Promise<string>;
  /** makes a VM; default: one that runs */
  readonly stage?: typeof stageVm;
}

/** VMs that wait in this process. */
export class LocalVmCache implements VmCache {
  readonly closed: Promise<void>;
  readonly #pool: VmPool<StagedVm>;
  readonly #foreign: ForeignLeases<StagedVm>;
  readonly #options: LocalCacheOptions;
  readonly #endpoint: string;
  readonly #startedAt = new Date();
  readonly #closing = Promise.withResolvers<void>();
  readonly #servers: CacheServer[] = [];
  #recipe: VmRecipe;
  #end: Promise<void> | undefined;

  constructor(recipe: VmRecipe, factory: FactoryConfig, options: LocalCacheOptions) {
    const { onFault, onWaiting, stage = stageVm } = options;
    this.#recipe = recipe;
    this.#options = options;
    this.closed = this.#closing.promise;
    this.#endpoint = cacheEndpoint(factory, recipe.root);
    const wanted = tierNumbers(factory);
    this.#pool = new VmPool({
      wanted,
      make: (tier, from, signal) => stage(this.#recipe, tier, from, signal),
      isCurrent: ({ key }) => key === this.#recipe.key,
      onFault,
      onWaiting: () => onWaiting?.(this.status()),
    });
    this.#foreign = new ForeignLeases(this.#pool, sumOf(wanted));
    this.#pool.fill();
  }

  /** what its VMs are made of */
  get recipe(): VmRecipe {
    return this.#recipe;
  }

  /**
   * Finds out whether VMs are to be made of something else by now: another kernel, agent or QEMU may have been put in the place of
   * those that there were. VMs of the old ones are then replaced.
   */
  async keepUp(): Promise<void> {
    // What cannot be found out is told when the next VM is made.
    const key = await this.#options.keyNow?.().catch(() => undefined);
    if (key === undefined || key === this.#recipe.key) return;
    this.#recipe = { ...this.#recipe, key };
    const text = "kernel, agent or QEMU have changed: the VMs that waited are replaced";
    this.#options.onFault(new HuskError("ERR_CACHE_MISMATCH", text));
    this.#pool.replace();
  }

  /** Hands the best VM out. @throws HuskError ERR_ABORTED, ERR_CACHE_CLOSED */
  take(options: TakeOptions): Promise<Lease<StagedVm>> {
    return this.#pool.take(options);
  }

  /**
   * The same for a client that is not ours: there may be as many as the cache keeps.
   * @throws TooManyForeignError; HuskError ERR_ABORTED, ERR_CACHE_CLOSED
   */
  takeForeign(client: ForeignClient): Promise<Lease<StagedVm>> {
    return this.#foreign.take(client);
  }

  status(): VmCacheStatus {
    const { ready, leased, history } = this.#pool;
    const { fault, ...numbers } = history;
    const { vms: foreign, refused } = this.#foreign;
    const describe = (vm: StagedVm) => {
      const { pid, tier, readyAt, size } = vm;
      return { pid, tier, leased: leased.includes(vm), foreign: foreign.has(vm), readyAt, ...size };
    };
    return {
      pid: process.pid,
      key: this.#recipe.key,
      startedAt: this.#startedAt,
      vms: [...ready, ...leased].map(describe),
      wanted: this.#pool.wanted,
      ...numbers,
      refused,
      cleared: this.#options.cleared,
      ...(fault === undefined ? {} : { fault }),
    };
  }

  filled(): Promise<void> {
    return this.#pool.filled();
  }

  async listen(endpoint = this.#endpoint): Promise<void> {
    checkFactoryConfig({ vmCacheEndpoint: endpoint });
    const server = await CacheServer.listen(this, endpoint);
    if (this.#end) {
      await server.close();
      throw new HuskError("ERR_CACHE_CLOSED", "the cache of VMs has been closed");
    }
    this.#servers.push(server);
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
      await Promise.all(this.#servers.map((server) => server.close()));
      this.#closing.resolve();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
