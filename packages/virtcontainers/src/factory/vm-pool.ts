import { setTimeout as delay } from "node:timers/promises";
import { abortError } from "../deadline.ts";
import { HuskError, messageOf } from "../errors/index.ts";
import type { VmCacheTier } from "../types/index.ts";
import { Lease, type LeaseTerms } from "./lease.ts";
import { ReadyVms } from "./ready-vms.ts";
import type { TierNumbers } from "./tiers.ts";

/** A VM that waits for somebody to take it. */
export interface WaitingVm {
  /** how ready it is */
  readonly tier: VmCacheTier;
  /** settles when it has ended */
  readonly gone: Promise<void>;
  /** Whether it is still where it was made: nobody has claimed it. */
  isThere(): boolean;
  /**
   * Puts it where nobody knows of it: who was told where it is has come too late from now on.
   * @returns whether it is still there: nobody has claimed it before
   */
  takeBack(): boolean;
  /** Lets go of one that somebody has claimed. */
  release(): void;
  /** Ends it, unless somebody has claimed it. */
  discard(): Promise<void>;
}

/** How a pool is kept. */
export interface PoolOptions<Vm extends WaitingVm> {
  /** VMs that are to be ready */
  readonly wanted: TierNumbers;
  /**
   * Makes one more, or makes one of a lower tier that: when this fails, `from` is gone. One that comes out lower than asked for
   * is as good as they get.
   */
  make(tier: VmCacheTier, from: Vm | undefined, signal: AbortSignal): Promise<Vm>;
  /** Whether one is still what is wanted; default: each is. */
  isCurrent?(vm: Vm): boolean;
  /** is told why one could not be made, or has ended while it waited */
  onFault?: ((error: unknown) => void) | undefined;
  /** is told that one more waits */
  onWaiting?: (() => void) | undefined;
}

/** How a VM is asked for. */
export interface TakeOptions extends LeaseTerms {
  /** ends the wait for one */
  readonly signal: AbortSignal;
}

/** Milliseconds before the next attempt, after the first that failed; each further one waits twice as long. */
const FIRST_PAUSE_MS = 1000;
/** Longest such pause. */
const LONGEST_PAUSE_MS = 60_000;
/** A VM that ends sooner than this, in milliseconds, is as one that could not be made. */
const SHORT_LIFE_MS = 5000;

/**
 * Keeps VMs ready. The next is made when who took one is done, or somebody waits: one at a time, so that those who work are
 * left the processors. A failure does not close it: the next attempt comes later.
 */
export class VmPool<Vm extends WaitingVm> {
  readonly #options: PoolOptions<Vm>;
  readonly #ready = new ReadyVms<Vm>();
  /** those of VMs that were handed out; some have been claimed since */
  readonly #leases = new Map<Vm, Lease<Vm>>();
  /** ends of VMs that are for nobody any more */
  readonly #ends = new Set<Promise<void>>();
  readonly #waiting: PromiseWithResolvers<Vm>[] = [];
  readonly #end = new AbortController();
  readonly #wanted: Record<VmCacheTier, number>;
  #filling: Promise<void> | undefined;
  /** settles at the next failure */
  #failed = Promise.withResolvers<void>();
  #fault: string | undefined;
  #failures = 0;
  #claimed = 0;
  #lost = 0;

  constructor(options: PoolOptions<Vm>) {
    this.#options = options;
    this.#wanted = { ...options.wanted };
  }

  /** VMs that are to be ready, as far as they can be had */
  get wanted(): TierNumbers {
    return this.#wanted;
  }

  /** VMs that nobody has */
  get ready(): readonly Vm[] {
    return this.#ready.all;
  }

  /** VMs that were handed out and not claimed yet */
  get leased(): readonly Vm[] {
    return [...this.#leases.keys()].filter((vm) => vm.isThere());
  }

  /** why the last attempt to make one failed, and how often that was so in a row; how many were claimed, and ended untaken */
  get history(): { fault: string | undefined; failures: number; claimed: number; lost: number } {
    const claimed = this.#claimed + this.#leases.size - this.leased.length;
    return { fault: this.#fault, failures: this.#failures, claimed, lost: this.#lost };
  }

  /** Begins to make VMs, as many as are missing. */
  fill(): void {
    if (this.#end.signal.aborted) return;
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = undefined;
      if (this.#nextStep()) this.fill();
    });
  }

  /** Settles when as many are ready as should be, or no more can be made for now. */
  async filled(): Promise<void> {
    while (this.#filling && this.#failures === 0) await Promise.race([this.#filling, this.#failed.promise]);
  }

  /**
   * Hands the best VM out, as soon as there is one. Who gets it claims it in time, by taking it away.
   * @throws HuskError ERR_ABORTED, ERR_CACHE_CLOSED
   */
  async take(options: TakeOptions): Promise<Lease<Vm>> {
    if (this.#end.signal.aborted) throw closed();
    if (options.signal.aborted) throw abortError(options.signal);
    const { best } = this.#ready;
    if (best) this.#ready.remove(best);
    const vm = best ?? (await this.#waitForOne(options.signal));
    const lease = new Lease(vm, options, (one) => this.#endLease(one));
    this.#leases.set(vm, lease);
    if (lease.once) this.fill();
    return lease;
  }

  async #waitForOne(signal: AbortSignal): Promise<Vm> {
    const waiter = Promise.withResolvers<Vm>();
    const leave = () => {
      const at = this.#waiting.indexOf(waiter);
      if (at !== -1) this.#waiting.splice(at, 1);
      waiter.reject(abortError(signal));
    };
    signal.addEventListener("abort", leave, { once: true });
    this.#waiting.push(waiter);
    this.fill();
    try {
      return await waiter.promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  #endLease({ vm, once }: Lease<Vm>): void {
    // One that has ended meanwhile has no lease any more.
    if (this.#leases.delete(vm)) this.#settle(vm, once);
    this.fill();
  }

  /** Finds out whether a VM whose lease has ended is its taker's; else it is for the next, or for nobody. */
  #settle(vm: Vm, once: boolean): void {
    try {
      if (once && vm.isThere()) this.#discard(vm);
      else if (!once && vm.takeBack()) this.#give(vm);
      else {
        this.#claimed += 1;
        vm.release();
      }
    } catch (error) {
      this.#options.onFault?.(error);
      this.#discard(vm);
    }
  }

  /** Who waits gets it; else it waits itself. What is then too much, as others were made meanwhile, is ended. */
  #give(vm: Vm): void {
    const isWanted = !this.#end.signal.aborted && this.#options.isCurrent?.(vm) !== false;
    const waiter = isWanted ? this.#waiting.shift() : undefined;
    if (!isWanted) this.#discard(vm);
    else if (waiter) waiter.resolve(vm);
    else this.#keep(vm);
  }

  #keep(vm: Vm): void {
    this.#ready.add(vm);
    const surplus = this.#ready.surplus(this.#wanted);
    if (surplus) {
      this.#ready.remove(surplus);
      this.#discard(surplus);
    }
    if (surplus !== vm) this.#options.onWaiting?.();
  }

  /** What is left of one that cannot be ended is cleared when its keeper has ended. */
  #discard(vm: Vm): void {
    const end = vm
      .discard()
      .catch((error: unknown) => this.#options.onFault?.(error))
      .finally(() => this.#ends.delete(end));
    this.#ends.add(end);
  }

  /** Ends those that are not what is wanted any more, and makes others. */
  replace(): void {
    for (const vm of this.ready) {
      this.#ready.remove(vm);
      this.#give(vm);
    }
    this.fill();
  }

  async #fill(): Promise<void> {
    const { signal } = this.#end;
    while (this.#nextStep()) {
      await this.#pause();
      const step = this.#nextStep();
      if (!step || signal.aborted) return;
      const { tier, from } = step;
      if (from) this.#ready.remove(from);
      try {
        const vm = await this.#options.make(tier, from, signal);
        if (vm !== from) void vm.gone.then(() => this.#lose(vm));
        this.#fault = undefined;
        this.#failures = 0;
        if (vm.tier !== tier) this.#lower(tier, vm.tier);
        this.#give(vm);
      } catch (error) {
        if (signal.aborted) return;
        this.#fail(error);
      }
    }
  }

  /** VMs of a tier cannot be had. */
  #lower(from: VmCacheTier, to: VmCacheTier): void {
    this.#wanted[to] += this.#wanted[from];
    this.#wanted[from] = 0;
    const text = `VMs cannot be ${from} here, and wait ${to}`;
    this.#options.onFault?.(new HuskError("ERR_NOT_SUPPORTED", text));
  }

  /** After a failure, the next attempt comes later. */
  async #pause(): Promise<void> {
    if (this.#failures === 0) return;
    const ms = Math.min(FIRST_PAUSE_MS * 2 ** (this.#failures - 1), LONGEST_PAUSE_MS);
    await delay(ms, undefined, { signal: this.#end.signal, ref: false }).catch(() => {});
  }

  #fail(error: unknown): void {
    this.#fault = messageOf(error);
    this.#failures += 1;
    this.#failed.resolve();
    this.#failed = Promise.withResolvers<void>();
    this.#options.onFault?.(error);
  }

  /** What is to be made next; undefined: all is there. Who waits gets what is made soonest. */
  #nextStep(): { tier: VmCacheTier; from: Vm | undefined } | undefined {
    const wanted = this.#wanted;
    if (this.#waiting.length > 0)
      return { tier: wanted.prepared > 0 ? "prepared" : "paused", from: undefined };
    const tier = this.#ready.missingTier(wanted);
    return tier && { tier, from: this.#ready.bestBelow(tier) };
  }

  /** A VM has ended while it waited. */
  #lose(vm: Vm): void {
    const since = this.#ready.remove(vm);
    if (!vm.isThere()) {
      this.#leases.get(vm)?.end();
      return;
    }
    if (since === undefined && !this.#leases.delete(vm)) return;
    this.#discard(vm);
    this.#lost += 1;
    if (this.#end.signal.aborted) return;
    const isShort = since !== undefined && performance.now() - since < SHORT_LIFE_MS;
    const error = new HuskError("ERR_VM_LOST", `a VM that waited has ended${isShort ? " at once" : ""}`);
    if (isShort) this.#fail(error);
    else this.#options.onFault?.(error);
    this.fill();
  }

  /** Makes no more, and ends all that nobody has claimed. */
  async close(): Promise<void> {
    this.#end.abort();
    for (const waiter of this.#waiting.splice(0)) waiter.reject(closed());
    await this.#filling;
    for (const vm of this.ready) {
      this.#ready.remove(vm);
      this.#discard(vm);
    }
    for (const lease of this.#leases.values()) lease.end();
    await Promise.all(this.#ends);
  }
}

function closed(): HuskError {
  return new HuskError("ERR_CACHE_CLOSED", "the cache of VMs is being closed");
}
