/** Containers of which the kernel has killed processes for want of memory, and those who wait to hear of that. */

import type { Cgroup } from "./cgroup/cgroup.ts";

/** Most events that are kept while nobody listens; the oldest go first. */
const MAX_KEPT = 1000;

/** See the head of the file. Each event is heard by one. */
export class OomEvents {
  readonly #kept: string[] = [];
  readonly #waiting = new Set<(containerId: string) => void>();

  /** Tells of a container from now on. */
  watch(containerId: string, cgroup: Cgroup): void {
    cgroup.onOom(() => this.#tell(containerId));
  }

  /**
   * The next container.
   *
   * @param onAbandoned has its argument called when nobody waits for the answer any more
   */
  next(onAbandoned: (action: () => void) => void): Promise<string> {
    const kept = this.#kept.shift();
    if (kept !== undefined) return Promise.resolve(kept);
    return new Promise((resolve, reject) => {
      this.#waiting.add(resolve);
      onAbandoned(() => {
        this.#waiting.delete(resolve);
        reject(new Error("nobody waits any more"));
      });
    });
  }

  /** Forgets what nobody has heard: its containers are gone. */
  forget(): void {
    this.#kept.length = 0;
  }

  #tell(containerId: string): void {
    const [first] = this.#waiting;
    if (first) {
      this.#waiting.delete(first);
      first(containerId);
      return;
    }
    this.#kept.push(containerId);
    if (this.#kept.length > MAX_KEPT) this.#kept.shift();
  }
}
