import { makingRate, type Node, type Tier } from "./tiers.ts";

/** finished VMs after which the list of ends is made shorter */
const FORGET_AT = 1024;

/** The VMs that a node is making. They share its processors evenly, and take the same work: the first is done first. */
export class Workshop {
  readonly #tier: Tier;
  readonly #node: Node;
  /** VMs whose turn has not come */
  #queued = 0;
  /** for each VM in work, the progress at which it is done; from `#first` on */
  readonly #ends: number[] = [];
  #first = 0;
  /** processor seconds that each VM in work has got since the beginning */
  #progress = 0;
  #now = 0;
  #begun = 0;

  constructor(tier: Tier, node: Node) {
    this.#tier = tier;
    this.#node = node;
  }

  /** VMs that are being made, or are to be */
  get owed(): number {
    return this.#queued + this.inWork;
  }

  /** VMs that are being made */
  get inWork(): number {
    return this.#ends.length - this.#first;
  }

  /** VMs that were begun so far */
  get begun(): number {
    return this.#begun;
  }

  /** moment at which the next VM is done, in seconds; infinite: none is in work */
  get nextEnd(): number {
    const end = this.#ends[this.#first];
    return end === undefined ? Number.POSITIVE_INFINITY : this.#now + (end - this.#progress) / this.#share();
  }

  /** Lets time pass; not beyond `nextEnd`. */
  advance(to: number): void {
    if (this.inWork > 0) this.#progress += (to - this.#now) * this.#share();
    this.#now = to;
  }

  /** Changes how many are owed. What is in work stays in work. */
  owe(count: number): void {
    this.#queued = Math.max(0, count - this.inWork);
    this.#beginQueued();
  }

  /** Takes the VM that is done now. */
  finish(): void {
    const end = this.#ends[this.#first];
    if (end === undefined) throw new Error("no VM is in work");
    // Exactly, so that rounding does not add up.
    this.#progress = end;
    this.#first++;
    this.#forgetDone();
    this.#beginQueued();
  }

  #forgetDone(): void {
    if (this.#first < FORGET_AT) return;
    this.#ends.splice(0, this.#first);
    this.#first = 0;
  }

  #beginQueued(): void {
    while (this.#queued > 0 && this.inWork < this.#node.atOnce) {
      this.#ends.push(this.#progress + this.#tier.makeWork);
      this.#queued--;
      this.#begun++;
    }
  }

  /** processors that each VM in work has */
  #share(): number {
    return (makingRate(this.#tier, this.#node, this.inWork) * this.#tier.makeWork) / this.inWork;
  }
}
