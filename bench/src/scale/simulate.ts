import type { Node, Tier } from "./tiers.ts";
import { Workshop } from "./workshop.ts";

/** What is simulated: one node, its pool, and what it is asked for. */
export interface Experiment {
  readonly tier: Tier;
  readonly node: Node;
  /** VMs to keep ready, or who decides that */
  readonly pool: number | PoolPolicy;
  /** moments of requests, in seconds, in their order */
  readonly arrivals: Iterable<number>;
}

/** Decides again and again how many VMs to keep ready. */
export interface PoolPolicy {
  /** VMs to begin with */
  readonly start: number;
  /** seconds between decisions */
  readonly every: number;
  /** VMs to keep ready from now on */
  choose(requestsSince: number): number;
}

/** What has happened. */
export interface History {
  /** requests that found a VM ready */
  hits: number;
  /** seconds from each request to its agent's answer, in the order of the answers */
  readonly waits: number[];
  /** moments at which each of them was answered, in seconds */
  readonly answers: number[];
  /** VMs that were begun */
  made: number;
  /** VMs that were thrown away when the pool got smaller */
  dropped: number;
  /** VMs that are ready at the end */
  left: number;
  /** seconds of all VMs that waited or were in work, together */
  heldSeconds: number;
  /** most VMs at a time that waited or were in work */
  heldMost: number;
  /** seconds until the last request was answered */
  duration: number;
}

/**
 * Simulates one node: a request takes a VM that is ready, else the next one that becomes ready and that nobody
 * before it waits for. Each VM that is taken is replaced at once. It begins with a full pool, and ends when all
 * requests are answered and the pool is full.
 */
export function simulate(experiment: Experiment): History {
  return new Simulation(experiment).run();
}

class Simulation {
  readonly #experiment: Experiment;
  readonly #policy: PoolPolicy | undefined;
  readonly #workshop: Workshop;
  /** moments of requests that wait, from `#served` on */
  readonly #waiting: number[] = [];
  #served = 0;
  #now = 0;
  #target: number;
  #ready: number;
  #nextChoice: number;
  #requestsSince = 0;
  readonly #history: History = {
    hits: 0,
    waits: [],
    answers: [],
    made: 0,
    dropped: 0,
    left: 0,
    heldSeconds: 0,
    heldMost: 0,
    duration: 0,
  };

  constructor(experiment: Experiment) {
    const { pool } = experiment;
    this.#experiment = experiment;
    this.#policy = typeof pool === "number" ? undefined : pool;
    this.#target = typeof pool === "number" ? pool : pool.start;
    this.#ready = this.#target;
    this.#nextChoice = this.#policy?.every ?? Number.POSITIVE_INFINITY;
    this.#workshop = new Workshop(experiment.tier, experiment.node);
  }

  run(): History {
    for (const at of this.#experiment.arrivals) {
      this.#passUntil(at);
      this.#request();
    }
    this.#nextChoice = Number.POSITIVE_INFINITY;
    while (this.#workshop.inWork > 0) this.#finishNext();
    const { duration } = this.#history;
    return Object.assign(this.#history, {
      made: this.#workshop.begun,
      left: this.#ready,
      duration: Math.max(duration, this.#now),
    });
  }

  #passUntil(at: number): void {
    for (;;) {
      const next = Math.min(this.#workshop.nextEnd, this.#nextChoice);
      if (next > at) break;
      if (next === this.#nextChoice) this.#chooseAnew();
      else this.#finishNext();
    }
    this.#advance(at);
  }

  #request(): void {
    this.#requestsSince++;
    if (this.#ready > 0) {
      this.#ready--;
      this.#history.hits++;
      this.#answer(this.#now);
    } else this.#waiting.push(this.#now);
    this.#refill();
  }

  #finishNext(): void {
    this.#advance(this.#workshop.nextEnd);
    this.#workshop.finish();
    const asked = this.#waiting[this.#served];
    if (asked === undefined) this.#ready++;
    else {
      this.#served++;
      this.#answer(asked);
    }
    this.#dropSurplus();
  }

  #chooseAnew(): void {
    this.#advance(this.#nextChoice);
    this.#target = this.#policy?.choose(this.#requestsSince) ?? this.#target;
    this.#requestsSince = 0;
    this.#nextChoice += this.#policy?.every ?? Number.POSITIVE_INFINITY;
    this.#refill();
    this.#dropSurplus();
  }

  #refill(): void {
    const unanswered = this.#waiting.length - this.#served;
    this.#workshop.owe(Math.max(0, this.#target + unanswered - this.#ready));
    this.#history.heldMost = Math.max(this.#history.heldMost, this.#held);
  }

  #dropSurplus(): void {
    const surplus = Math.max(0, this.#ready - this.#target);
    this.#ready -= surplus;
    this.#history.dropped += surplus;
  }

  #answer(asked: number): void {
    const { adoptTime } = this.#experiment.tier;
    this.#history.waits.push(this.#now - asked + adoptTime);
    this.#history.answers.push(this.#now + adoptTime);
  }

  #advance(to: number): void {
    this.#history.heldSeconds += (to - this.#now) * this.#held;
    this.#workshop.advance(to);
    this.#now = to;
  }

  get #held(): number {
    return this.#ready + this.#workshop.inWork;
  }
}
