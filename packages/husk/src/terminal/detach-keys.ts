import { Transform, type TransformCallback } from "node:stream";

const CTRL_P = 0x10;
const CTRL_Q = 0x11;

/**
 * Passes on what is typed, and calls back at Ctrl-P Ctrl-Q, which it keeps. A Ctrl-P is passed on with the key that follows it: till
 * then it is not known what it is for.
 */
export class DetachKeys extends Transform {
  readonly #onDetach: () => void;
  /** a Ctrl-P that has not been passed on yet */
  #isPending = false;

  constructor(onDetach: () => void) {
    super();
    this.#onDetach = onDetach;
  }

  override _transform(keys: Buffer, _encoding: string, done: TransformCallback): void {
    const passed: number[] = [];
    for (const key of keys) {
      if (this.#isPending && key === CTRL_Q) {
        this.#isPending = false;
        this.#pass(passed);
        this.#onDetach();
        return;
      }
      if (this.#isPending) passed.push(CTRL_P);
      this.#isPending = key === CTRL_P;
      if (!this.#isPending) passed.push(key);
    }
    this.#pass(passed);
    done();
  }

  override _flush(done: TransformCallback): void {
    if (this.#isPending) this.push(Buffer.of(CTRL_P));
    done();
  }

  #pass(keys: readonly number[]): void {
    if (keys.length > 0) this.push(Buffer.from(keys));
  }
}
