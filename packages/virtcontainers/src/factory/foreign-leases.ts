import { deadlineMs } from "../hypervisor/deadlines.ts";
import type { Lease } from "./lease.ts";
import type { VmPool, WaitingVm } from "./vm-pool.ts";

/** Milliseconds in which a client that does not say what it wants must claim its VM. */
const FOREIGN_LEASE_MS = 600_000;

/** A client is refused, as such clients have as many VMs as they may. */
export class TooManyForeignError extends Error {}

/** A client, as long as it waits for an answer, and as long as it is connected. */
export interface ForeignClient {
  readonly signal: AbortSignal;
  readonly disconnected: AbortSignal;
}

/**
 * Hands VMs to clients that are not ours. They may use a VM as it is, for which there is no sign: each is its taker's alone, until he
 * is gone or has had it long enough. As nobody claims them, there may only be so many.
 */
export class ForeignLeases<Vm extends WaitingVm> {
  readonly #pool: VmPool<Vm>;
  readonly #most: number;
  readonly #handedOut = new Set<Vm>();
  /** clients that wait for a VM */
  #asking = 0;
  #refused = 0;

  /** @param most VMs that may be with such clients */
  constructor(pool: VmPool<Vm>, most: number) {
    this.#pool = pool;
    this.#most = most;
  }

  /** VMs that such clients have, and have not claimed */
  get vms(): ReadonlySet<Vm> {
    const { leased } = this.#pool;
    for (const vm of this.#handedOut) if (!leased.includes(vm)) this.#handedOut.delete(vm);
    return this.#handedOut;
  }

  /** how often one was refused */
  get refused(): number {
    return this.#refused;
  }

  /** @throws TooManyForeignError; HuskError ERR_ABORTED, ERR_CACHE_CLOSED */
  async take({ signal, disconnected }: ForeignClient): Promise<Lease<Vm>> {
    const count = this.vms.size + this.#asking;
    if (count >= this.#most) {
      this.#refused += 1;
      const text = `programs other than husk have, or wait for, all of the ${this.#most} VMs that they may have`;
      throw new TooManyForeignError(`${text}; each is ended when its client has gone, or after ten minutes`);
    }
    this.#asking += 1;
    try {
      const lease = await this.#pool.take({ signal, leaseMs: FOREIGN_LEASE_MS, once: true });
      this.#handedOut.add(lease.vm);
      // Whoever would claim it does so at once, or never.
      const onGone = () => lease.shorten(deadlineMs("cacheClaim", 1));
      disconnected.addEventListener("abort", onGone, { once: true });
      return lease;
    } finally {
      this.#asking -= 1;
    }
  }
}
