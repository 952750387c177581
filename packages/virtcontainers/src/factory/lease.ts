/** How a VM is handed out. */
export interface LeaseTerms {
  /** milliseconds in which it must be claimed */
  readonly leaseMs: number;
  /** one that was not claimed in time is for nobody else: who had it may have used it */
  readonly once?: boolean | undefined;
}

/** A VM that was handed out, until that has come to an end. */
export class Lease<Vm> {
  readonly vm: Vm;
  /** when it is not claimed, it is for nobody else */
  readonly once: boolean;
  readonly #onEnd: (lease: Lease<Vm>) => void;
  #timer: NodeJS.Timeout | undefined;
  /** when its time is up, by `performance.now()` */
  #endsAt = Number.POSITIVE_INFINITY;
  #hasEnded = false;

  /** `onEnd` is called once, when its time is up or its taker is done. */
  constructor(vm: Vm, { leaseMs, once = false }: LeaseTerms, onEnd: (lease: Lease<Vm>) => void) {
    this.vm = vm;
    this.once = once;
    this.#onEnd = onEnd;
    this.shorten(leaseMs);
  }

  /**
   * Its taker has claimed it and has no need of the machine for himself any more, or never will: what is still there is for the
   * next.
   */
  readonly end = (): void => {
    clearTimeout(this.#timer);
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#onEnd(this);
  };

  /** Leaves its taker no more than that many milliseconds from now. */
  shorten(ms: number): void {
    const endsAt = performance.now() + ms;
    if (this.#hasEnded || endsAt >= this.#endsAt) return;
    this.#endsAt = endsAt;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.end, ms).unref();
  }
}
