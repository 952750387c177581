import * as sys from "tiny:sys";
import { O_CLOEXEC, O_WRONLY } from "@husk/tiny";
import { OutputQueue } from "./output-queue.ts";
import type { OutputTarget } from "./output-target.ts";
import { openOwnStream } from "./own-stream.ts";
import type { OutputName, OutputPositions } from "./process-link.ts";

const STDOUT = 1;
const STDERR = 2;

/** Hands the output on to our own stdout and stderr. Who reads them slowly holds the process up. */
export class StdioTarget implements OutputTarget {
  readonly #queues: Record<OutputName, OutputQueue>;
  #hasStdout = true;

  /** `broken` is told when nobody can read an output any more; the rest of it is dropped. */
  constructor(broken: (name: OutputName, reason: string) => void) {
    const queue = (name: OutputName, fd: number) =>
      new OutputQueue(openOwnStream(fd, O_WRONLY), (reason) => broken(name, reason));
    this.#queues = { stdout: queue("stdout", STDOUT), stderr: queue("stderr", STDERR) };
  }

  get positions(): OutputPositions {
    return { stdout: this.#queues.stdout.total, stderr: this.#queues.stderr.total };
  }

  write(name: OutputName, data: Uint8Array, written: () => void): void {
    this.#queues[name].write(data, written);
  }

  flush(): void {
    // What could be written is.
  }

  /** Who reads stdout is to see its end although the process goes on; stderr stays, for what we have to say. */
  end(name: OutputName): void {
    if (name === "stdout") this.#queues.stdout.whenEmpty(() => this.#closeStdout());
  }

  finish(done: () => void): void {
    this.#queues.stdout.whenEmpty(() => this.#queues.stderr.whenEmpty(done));
  }

  close(): void {
    if (this.#hasStdout) this.#queues.stdout.close();
    this.#queues.stderr.close();
  }

  #closeStdout(): void {
    if (!this.#hasStdout) return;
    this.#hasStdout = false;
    this.#queues.stdout.close();
    const nothing = sys.open("/dev/null", O_WRONLY | O_CLOEXEC, 0);
    sys.dup2(nothing, STDOUT);
    sys.close(nothing);
  }
}
