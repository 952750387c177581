import { setTimeout as delay } from "node:timers/promises";
import { abortError } from "../deadline.ts";
import { HuskError, messageOf } from "../errors/index.ts";

/** A VM that waits for somebody to take it. */
export interface WaitingVm {
  /** settles when it has ended, or somebody has taken it */
  readonly gone: Promise<void>;
  /** Whether it is still where it was made: nobody has claimed it. */
  isThere(): boolean;
  /** Ends it. */
  discard(): Promise<void>;
}

/** How a pool is kept. */
export interface PoolOptions<Vm extends WaitingVm> {
  /** VMs that are to be ready */
  readonly size: number;
  /** milliseconds in which a VM that was handed out must be claimed; else it is handed out again */
  readonly leaseMs: number;
  /** Makes one more. */
  make(signal: AbortSignal): Promise<Vm>;
  /** is told why one could not be made */
  onFault?: ((error: unknown) => void) | undefined;
}

/** Milliseconds before the next attempt, after the first that failed; each further one waits twice as long. */
const FIRST_PAUSE_MS = 1000;
/** Longest such pause. */
const LONGEST_PAUSE_MS = 60_000;

/**
 * Keeps VMs ready, and makes the next when one is taken: one at a time, so that those who work are left the other processors.
 * A failure does not close it: the next attempt comes later.
 */
export class VmPool<Vm extends WaitingVm> {
  readonly #options: PoolOptions<Vm>;
  readonly #ready: Vm[] = [];
  /** handed out, and not claimed yet */
  readonly #leased = new Set<Vm>();
  readonly #waiting: PromiseWithResolvers<Vm>[] = [];
  readonly #end = new AbortController();
  #filling: Promise<void> | undefined;
  #fault: string | undefined;

  constructor(options: PoolOptions<Vm>) {
    this.#options = options;
  }

  /** VMs that nobody has */
  get ready(): readonly Vm[] {
    return this.#ready;
  }

  /** why the last attempt to make one failed; undefined: it did not */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Begins to make VMs, as many as are missing. */
  fill(): void {
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = undefined;
    });
  }

  /** Settles when as many are ready as should be, or no more can be made for now. */
  async filled(): Promise<void> {
    await this.#filling;
  }

  /**
   * Hands a VM out, as soon as there is one. Who gets it claims it in time, by taking it away.
   * @throws HuskError ERR_ABORTED, ERR_CACHE_CLOSED
   */
  async take(signal: AbortSignal): Promise<Vm> {
    if (this.#end.signal.aborted) throw closed();
    const vm = this.#ready.shift() ?? (await this.#waitForOne(signal));
    this.#lease(vm, signal);
    this.fill();
    return vm;
  }

  async #waitForOne(signal: AbortSignal): Promise<Vm> {
    const waiter = Promise.withResolvers<Vm>();
    const leave = () => {
      const at = this.#waiting.indexOf(waiter);
      if (at !== -1) this.#waiting.splice(at, 1);
      waiter.reject(abortError(signal));
    };
    if (signal.aborted) throw abortError(signal);
    signal.addEventListener("abort", leave, { once: true });
    this.#waiting.push(waiter);
    this.fill();
    try {
      return await waiter.promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  /** What is not claimed in time, or by one who has gone, is for the next. */
  #lease(vm: Vm, signal: AbortSignal): void {
    this.#leased.add(vm);
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      if (this.#leased.delete(vm) && vm.isThere() && !this.#end.signal.aborted) this.#give(vm);
    };
    const timer = setTimeout(end, this.#options.leaseMs);
    timer.unref();
    signal.addEventListener("abort", end, { once: true });
    void vm.gone.then(end);
  }

  #give(vm: Vm): void {
    const waiter = this.#waiting.shift();
    if (waiter) waiter.resolve(vm);
    else this.#ready.push(vm);
  }

  async #fill(): Promise<void> {
    const { signal } = this.#end;
    for (let pause = FIRST_PAUSE_MS; !signal.aborted && this.#isMissing(); ) {
      try {
        const vm = await this.#options.make(signal);
        this.#fault = undefined;
        pause = FIRST_PAUSE_MS;
        void vm.gone.then(() => this.#lose(vm));
        if (signal.aborted) await vm.discard();
        else this.#give(vm);
      } catch (error) {
        if (signal.aborted) return;
        this.#fault = messageOf(error);
        this.#options.onFault?.(error);
        await delay(pause, undefined, { signal, ref: false }).catch(() => {});
        pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
      }
    }
  }

  #isMissing(): boolean {
    return this.#ready.length < this.#options.size + this.#waiting.length;
  }

  /** A VM has ended while it waited. */
  #lose(vm: Vm): void {
    const at = this.#ready.indexOf(vm);
    if (at === -1) return;
    this.#ready.splice(at, 1);
    void vm.discard();
    if (!this.#end.signal.aborted) this.fill();
  }

  /** Makes no more, and ends all that nobody has taken. */
  async close(): Promise<void> {
    this.#end.abort();
    for (const waiter of this.#waiting.splice(0)) waiter.reject(closed());
    await this.#filling;
    const left = [...this.#ready.splice(0), ...this.#leased].filter((vm) => vm.isThere());
    this.#leased.clear();
    await Promise.all(left.map((vm) => vm.discard()));
  }
}

function closed(): HuskError {
  return new HuskError("ERR_CACHE_CLOSED", "the cache of VMs is being closed");
}
