/** What a proxy keeps of one output of a process, by its position in that output: what waits to be sent, or acknowledged. */

/** Least bytes of a ring. */
const MIN_RING_BYTES = 16 * 1024;
/** Largest ring that is kept while it is empty, in bytes. */
const MAX_IDLE_BYTES = 16 * 1024;

/** See the head of the file. Its owner sees to it that it does not grow without end. */
export class OutputWindow {
  #ring = new Uint8Array(0);
  /** where the first kept byte is in the ring */
  #head = 0;
  #start = 0;
  #sent = 0;
  #end = 0;

  /** position of the first byte kept */
  get start(): number {
    return this.#start;
  }

  /** bytes kept, sent or not */
  get keptBytes(): number {
    return this.#end - this.#start;
  }

  /** bytes that are still to be sent */
  get unsentBytes(): number {
    return this.#end - this.#sent;
  }

  /** Keeps a copy of bytes to be sent. */
  append(data: Uint8Array): void {
    this.#reserve(this.keptBytes + data.length);
    const at = this.#indexOf(this.#end);
    const first = Math.min(data.length, this.#ring.length - at);
    this.#ring.set(data.subarray(0, first), at);
    this.#ring.set(data.subarray(first), 0);
    this.#end += data.length;
  }

  /** Keeps a copy of bytes that have just been sent, when none wait. */
  appendSent(data: Uint8Array): void {
    this.append(data);
    this.#sent = this.#end;
  }

  /** Counts bytes that are not kept, when none are: they have been sent, or are dropped. */
  skip(count: number): void {
    this.#end += count;
    this.#sent = this.#end;
    this.#start = this.#end;
  }

  /** Copies bytes that are to be sent into a buffer, from an offset of it to its end at most; gives how many. */
  takeUnsent(target: Uint8Array, offset: number): number {
    const count = Math.min(this.unsentBytes, target.length - offset);
    const at = this.#indexOf(this.#sent);
    const first = Math.min(count, this.#ring.length - at);
    target.set(this.#ring.subarray(at, at + first), offset);
    target.set(this.#ring.subarray(0, count - first), offset + first);
    this.#sent += count;
    return count;
  }

  /** Lets go of what has been sent, up to a position. */
  release(position: number = this.#sent): void {
    const start = Math.min(Math.max(position, this.#start), this.#sent);
    this.#head = this.#indexOf(start);
    this.#start = start;
    if (this.#start === this.#end) this.#head = 0;
  }

  /** Whether it is empty, and has more memory than that is worth. */
  get isOversized(): boolean {
    return this.keptBytes === 0 && this.#ring.length > MAX_IDLE_BYTES;
  }

  /** Gives that memory back. Not at once: while output flows, the next bytes would need it. */
  trim(): void {
    if (this.isOversized) this.#ring = new Uint8Array(0);
  }

  /** What was sent from a position on is to be sent again; gives where that begins. */
  rewind(position: number): number {
    this.release(position);
    this.#sent = this.#start;
    return this.#start;
  }

  /** Counts from a position on: the output's begin was another proxy's. */
  rebase(position: number): void {
    const shift = position - this.#start;
    this.#start += shift;
    this.#sent += shift;
    this.#end += shift;
  }

  #indexOf(position: number): number {
    const at = this.#head + (position - this.#start);
    return at < this.#ring.length ? at : at - this.#ring.length;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#ring.length) return;
    let size = Math.max(MIN_RING_BYTES, this.#ring.length);
    while (size < bytes) size *= 2;
    const larger = new Uint8Array(size);
    const first = Math.min(this.keptBytes, this.#ring.length - this.#head);
    larger.set(this.#ring.subarray(this.#head, this.#head + first), 0);
    larger.set(this.#ring.subarray(0, this.keptBytes - first), first);
    this.#ring = larger;
    this.#head = 0;
  }
}
