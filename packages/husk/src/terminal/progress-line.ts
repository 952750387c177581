import { formatBytes } from "../output/bytes.ts";

/** Milliseconds between two pictures on a terminal, and between two lines elsewhere. */
const REDRAW_MS = 100;
const LINE_MS = 5000;
/** Back to the line's beginning, and all of it gone. */
const CLEAR_LINE = "\r\u001b[K";

/** Shows how far long work is: one line that changes on a terminal, a line now and then elsewhere. */
export class ProgressLine implements Disposable {
  readonly #stream: { readonly isTTY?: boolean; write(text: string): unknown };
  readonly #verb: string;
  readonly #now: () => number;
  #shownAt: number;
  #drawn = false;

  /** @param verb what is done: "packing" */
  constructor(
    stream: { readonly isTTY?: boolean; write(text: string): unknown },
    verb: string,
    now: () => number = () => performance.now(),
  ) {
    this.#stream = stream;
    this.#verb = verb;
    this.#now = now;
    this.#shownAt = now();
  }

  show({ bytes, totalBytes }: { readonly bytes: number; readonly totalBytes?: number }): void {
    const live = this.#stream.isTTY === true;
    const now = this.#now();
    if (now - this.#shownAt < (live ? REDRAW_MS : LINE_MS)) return;
    this.#shownAt = now;
    const total = totalBytes === undefined ? "" : ` of ${formatBytes(totalBytes)}`;
    const text = `${this.#verb}: ${formatBytes(bytes)}${total}`;
    this.#drawn ||= live;
    this.#stream.write(live ? `${CLEAR_LINE}${text}` : `${text}\n`);
  }

  /** Takes the line away from the terminal. */
  [Symbol.dispose](): void {
    if (this.#drawn) this.#stream.write(CLEAR_LINE);
  }
}
