import type { VmCacheTier } from "./factory-config.ts";

/** VMs that wait until they are wanted, kept by this process. Kata: the factory `cache`. */
export interface VmCache extends AsyncDisposable {
  /** what it has */
  status(): VmCacheStatus;
  /** Settles when as many wait as should, or no more can be made for now: `status().fault` tells why. */
  filled(): Promise<void>;
  /**
   * Hands them out to other processes, at a socket: `cache.CacheService` by gRPC, as Kata's VMCache.
   * @param endpoint path of the socket; default: that of the configuration
   * @throws HuskError ERR_CACHE_IN_USE, ERR_CACHE_CLOSED, ERR_CONFIG_INVALID (the path), ERR_STORE (its directory, or what is there)
   */
  listen(endpoint?: string): Promise<void>;
  /** Takes no more requests, and ends all VMs that nobody has claimed. More than one call does no harm. */
  close(): Promise<void>;
  /** settles when it has been closed, be it by a client's `stopVmCache` */
  readonly closed: Promise<void>;
}

/** What a cache of VMs has. Kata: `GrpcStatus`, and more. */
export interface VmCacheStatus {
  /** process that keeps it */
  readonly pid: number;
  /** digest of all that its VMs depend on */
  readonly key: string;
  readonly startedAt: Date;
  /** the VMs that wait, and those that were handed out and not claimed yet */
  readonly vms: readonly CachedVmStatus[];
  /** how many are to wait */
  readonly wanted: Readonly<Record<VmCacheTier, number>>;
  /** VMs that were claimed so far */
  readonly claimed: number;
  /** VMs that ended while they waited */
  readonly lost: number;
  /** VMs of a dead cache that were cleared when this one began */
  readonly cleared: number;
  /** attempts to make a VM that have failed since the last that did not */
  readonly failures: number;
  /** requests of other programs than husk that were refused: they had as many VMs as the cache keeps */
  readonly refused: number;
  /** why the last one failed; missing: it did not */
  readonly fault?: string;
}

/** A VM that waits. Kata: `GrpcVMStatus`, and more. */
export interface CachedVmStatus {
  /** process of the hypervisor */
  readonly pid: number;
  readonly tier: VmCacheTier;
  /** whether somebody was given it, and has not claimed it yet */
  readonly leased: boolean;
  /** whether that somebody is another program than husk, for which it is ended later */
  readonly foreign: boolean;
  readonly readyAt: Date;
  readonly vcpus: number;
  /** memory in MiB */
  readonly memory: number;
}
