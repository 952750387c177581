/** CPUs and memory that the host plugs in: the kernel uses them when it is told to. Reference: hyperstart.md 2.11. */

import * as sys from "tiny:sys";
import { errorText, exists, readTextIfThere, startTimer, stopTimer, writeControl } from "@husk/tiny";
import { listenForDevices } from "../boot/uevents.ts";
import { log } from "../log.ts";
import { askChild } from "./ask-child.ts";

/** Milliseconds in which CPUs that are waited for have to come. */
const DEADLINE_MS = 10_000;

/** What can be plugged in. */
type Kind = "cpu" | "memory";

/** The files of what is there and off. The first CPU has none, and the first block of memory stays as it is. */
function findOffline(kind: Kind): string[] {
  const folder = `/sys/devices/system/${kind}`;
  const names = exists(folder) ? sys.readdir(folder) : [];
  return names
    .filter((name) => name.startsWith(kind) && /^[a-z]+[1-9][0-9]*$/.test(name))
    .map((name) => `${folder}/${name}/online`)
    .filter(isOff);
}

function isOff(file: string): boolean {
  return readTextIfThere(file)?.trim() === "0";
}

function switchOn(file: string): string[] {
  try {
    writeControl(file, "1");
    return [];
  } catch (error) {
    return [errorText(error)];
  }
}

/** Switches on in a child: a CPU takes a while. @throws Error naming what stays off */
async function switchAllOn(files: readonly string[]): Promise<void> {
  await askChild("bringing CPUs and memory online", 0, () => {
    const failures = files.flatMap(switchOn);
    if (failures.length > 0) throw new Error(failures.join("; "));
    return new Uint8Array();
  });
}

/** Somebody who waits for CPUs. */
interface Waiter {
  cpus: number;
  done(): void;
}

/** Keeps all online that is there. One for the agent, as the guest has one set of CPUs. */
class Online {
  /** what has been asked for, and is brought online from then on when it comes */
  readonly #kinds = new Set<Kind>(["cpu"]);
  /** CPUs that were brought online, and that nobody has waited for */
  #newCpus = 0;
  #waiters: Waiter[] = [];
  /** the run that is under way, if there is one */
  #running: Promise<void> | undefined;
  #listening = false;

  /** Brings online what is there now, and from now on what comes. @throws Error naming what stays off */
  async keep(kinds: readonly Kind[]): Promise<void> {
    for (const kind of kinds) this.#kinds.add(kind);
    if (!this.#listening) {
      this.#listening = true;
      listenForDevices(() => {
        this.#bring().catch((error) => log("error", errorText(error)));
      });
    }
    await this.#bring();
  }

  /** Whether all that comes of these is brought online. */
  keeps(kinds: readonly Kind[]): boolean {
    return this.#listening && kinds.every((kind) => this.#kinds.has(kind));
  }

  /** Waits until so many CPUs have come that were not waited for yet. @throws Error when they do not */
  wait(cpus: number, onGivenUp: (action: () => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (settle: () => void) => {
        stopTimer(timer);
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        settle();
      };
      const waiter: Waiter = { cpus, done: () => leave(resolve) };
      const giveUp = () =>
        leave(() =>
          reject(new Error(`of ${cpus} CPUs, ${this.#newCpus} came online in ${DEADLINE_MS} milliseconds`)),
        );
      const timer = startTimer(DEADLINE_MS, giveUp);
      this.#waiters.push(waiter);
      onGivenUp(giveUp);
      this.#serve();
    });
  }

  /** One run at a time; what comes during one is found by the next. */
  #bring(): Promise<void> {
    const before = this.#running?.catch(() => {}) ?? Promise.resolve();
    const run = before.then(() => this.#bringNow());
    this.#running = run;
    return run;
  }

  async #bringNow(): Promise<void> {
    const cpus = findOffline("cpu");
    const files = this.#kinds.has("memory") ? [...cpus, ...findOffline("memory")] : cpus;
    if (files.length === 0) return;
    try {
      await switchAllOn(files);
    } finally {
      this.#newCpus += cpus.filter((file) => !isOff(file)).length;
      this.#serve();
    }
  }

  /** The first of those who wait comes first. */
  #serve(): void {
    for (const waiter of [...this.#waiters]) {
      if (waiter.cpus > this.#newCpus) return;
      this.#newCpus -= waiter.cpus;
      waiter.done();
    }
  }
}

const online = new Online();

/**
 * Brings online all that is there and, from now on, what comes later: the kernel hears of a CPU a little after the host
 * has plugged it in, which may be after the host has said so.
 *
 * @throws Error naming what stays off
 */
export function keepOnline(): Promise<void> {
  return online.keep(["cpu", "memory"]);
}

/** Like {@link keepOnline}, but what is there is not looked for again when that is done already. */
export async function beginKeepingOnline(): Promise<void> {
  if (!online.keeps(["cpu", "memory"])) await keepOnline();
}

/** Like {@link keepOnline}, but memory is left as it is, unless it was asked for before. */
export function keepCpusOnline(): Promise<void> {
  return online.keep(["cpu"]);
}

/**
 * Waits until so many CPUs are online that the host has plugged in since it last waited for some.
 *
 * @param onGivenUp is told what to call when nobody waits any more
 * @throws Error when they do not come within ten seconds
 */
export function waitForCpus(cpus: number, onGivenUp: (action: () => void) => void): Promise<void> {
  return online.wait(cpus, onGivenUp);
}
