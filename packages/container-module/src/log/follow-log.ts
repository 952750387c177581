import { DirectoryWatch, systemCode } from "@husk/virtcontainers/internals";
import { LogReader } from "./log-reader.ts";

/** What of a log is read. */
export interface LogRequest {
  /** path of its newest file */
  readonly log: string;
  /** directory that it is in */
  readonly logDirectory: string;
  /** directory of its container */
  readonly directory: string;
  readonly follow: boolean;
  /** lines to begin with; missing: all */
  readonly tail?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** whether nothing more is going to be written */
  isOver(): boolean;
}

/** Gives what a log holds, and then, if that is wanted, what comes until its container has ended, or the signal fires. */
export async function* readLog(request: LogRequest): AsyncGenerator<Uint8Array> {
  await using reader = new LogReader(request.log);
  if (request.tail === undefined) await reader.beginAtStart();
  else await reader.beginAtTail(request.tail);
  if (!request.follow) {
    yield* reader.readNew();
    return;
  }
  using watches = new Watches(request);
  for (let isOver = false; !isOver && !request.signal?.aborted; ) {
    // In this order: what comes after the look at it is read in the next turn.
    const change = watches.next();
    isOver = request.isOver();
    yield* reader.readNew();
    if (!isOver) await change;
  }
}

/** Tells of changes of a log and of its container. */
class Watches implements Disposable {
  readonly #watches: DirectoryWatch[];
  readonly #stop: () => void;
  readonly #signal: AbortSignal | undefined;

  constructor({ logDirectory, directory, signal }: LogRequest) {
    this.#watches = [logDirectory, directory].map(openWatch).filter((watch) => watch !== undefined);
    this.#stop = () => this.#watches[0]?.wake();
    this.#signal = signal;
    signal?.addEventListener("abort", this.#stop, { once: true });
  }

  /** Settles at the next change; at once when there is nothing that could tell of one. */
  async next(): Promise<void> {
    if (this.#watches.length === 0 || this.#signal?.aborted) return;
    await Promise.race(this.#watches.map((watch) => watch.next()));
  }

  [Symbol.dispose](): void {
    this.#signal?.removeEventListener("abort", this.#stop);
    for (const watch of this.#watches) watch[Symbol.dispose]();
  }
}

/** Of a directory that is not there, nothing is going to be told. */
function openWatch(path: string): DirectoryWatch | undefined {
  try {
    return new DirectoryWatch(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
