import { closeSync, constants, existsSync, fstatSync, openSync, statSync } from "node:fs";
import { readDeleting } from "../state/deleting.ts";
import type { ContainerPlaces } from "../state/layout.ts";
import { needsShim, readShimState } from "../state/shim-state.ts";

const FLAGS = constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** The FIFO of a container's output, open. */
interface Hold {
  readonly fd: number;
  readonly places: ContainerPlaces;
}

/**
 * Keeps the FIFOs of containers open beside their shims: what is in one that nobody has open any more is lost, so that of a
 * container that ends between two shims. Nothing is ever read here.
 */
export class OutputHolds {
  /** by path of the FIFO */
  readonly #holds = new Map<string, Hold>();

  /** Holds the output of a container that has a shim. Where it cannot be, there is only the shim. */
  hold(places: ContainerPlaces): void {
    const { output } = places;
    const held = this.#holds.get(output);
    if (held && isSameFile(held.fd, output)) return;
    this.#release(held);
    try {
      const fd = openSync(output, FLAGS);
      this.#holds.set(output, { fd, places });
      if (!fstatSync(fd).isFIFO()) this.#release({ fd, places });
    } catch {
      // It has just gone, or there are too many open files.
    }
  }

  /** Lets go of those that no shim will come for any more. @param hasShim tells of which nothing need be looked at */
  releaseEnded(hasShim: (places: ContainerPlaces) => boolean): void {
    for (const held of this.#holds.values())
      if (!hasShim(held.places) && !isWanted(held.places)) this.#release(held);
  }

  /** Lets go of all. */
  releaseAll(): void {
    for (const held of this.#holds.values()) this.#release(held);
  }

  #release(held: Hold | undefined): void {
    if (!held) return;
    closeSync(held.fd);
    this.#holds.delete(held.places.output);
  }
}

function isSameFile(fd: number, path: string): boolean {
  const [ours, theirs] = [fstatSync(fd), statSync(path, { throwIfNoEntry: false })];
  return ours.ino === theirs?.ino && ours.dev === theirs.dev;
}

function isWanted(places: ContainerPlaces): boolean {
  try {
    const state = readShimState(places);
    return (
      existsSync(places.output) && readDeleting(places) === "no" && (state === undefined || needsShim(state))
    );
  } catch {
    // What cannot be read may be right again when a shim comes.
    return true;
  }
}
