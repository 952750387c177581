/** The cgroup (v2) of a container: who belongs to it, what they may use, and the way to stop or end them all at once. */

import * as sys from "tiny:sys";
import { Errno, hasErrno, isDirectory, makeDirectories, readText, writeControl } from "@husk/tiny";
import type { CgroupStats, LinuxDeviceCgroup, LinuxResources } from "@husk/wire/kata";
import type { MessageInit } from "@husk/wire/protobuf";
import { log } from "../../log.ts";
import { applySettings } from "./apply-settings.ts";
import { DeviceFilter } from "./device-filter.ts";
import { compileDeviceRules } from "./device-program.ts";
import { readDeviceRules } from "./device-rules.ts";
import { awaitEvent, readEvent, watchEvents } from "./event-file.ts";
import {
  CGROUPS,
  cgroupFolder,
  enableControllers,
  folderAbove,
  HOME,
  hasController,
  knownControllers,
} from "./hierarchy.ts";
import { resourceSettings } from "./resource-settings.ts";
import type { Controller } from "./setting.ts";
import { readStats } from "./stats.ts";

/** Milliseconds until all processes must have stopped; one in the midst of a slow read takes a while. */
const FREEZE_MS = 10_000;

/** The controllers without which a container's use is not counted. */
export const COUNTING: ReadonlySet<Controller> = new Set(["cpu", "memory", "pids", "io"]);

/** The cgroups that processes of this one have made in it, the deepest first, and this one. */
function foldersIn(folder: string): string[] {
  // Most have none: a look at all files would take longer than all else that is done with a cgroup.
  if (readEvent(`${folder}/cgroup.stat`, "nr_descendants") === 0) return [folder];
  const inner = sys.readdir(folder).map((name) => `${folder}/${name}`);
  return [...inner.filter(isDirectory).flatMap(foldersIn), folder];
}

/** See the head of the file. */
export class Cgroup {
  readonly #folder: string;
  readonly #devices: DeviceFilter;
  #stopOom = () => {};
  #frozen = false;
  #freezing: Promise<void> | undefined;
  #emptying: Promise<void> | undefined;

  /**
   * Makes it.
   *
   * @param path below the root of all cgroups
   * @param controllers those that it has from the beginning, as far as the kernel has them
   * @throws LimitError for a path that leads elsewhere; Error for that of a cgroup that is there already
   */
  constructor(path: string, controllers: ReadonlySet<Controller> = new Set()) {
    this.#folder = cgroupFolder(path);
    this.#devices = new DeviceFilter(this.#folder);
    makeDirectories(folderAbove(this.#folder));
    try {
      sys.mkdir(this.#folder, 0o755);
    } catch (error) {
      throw hasErrno(error, Errno.EEXIST) ? new Error(`cgroup "${path}" is in use`) : error;
    }
    enableControllers(this.#folder, knownControllers(controllers));
  }

  /** Whether the kernel counts, and can limit, what this controller is about. */
  counts(controller: Controller): boolean {
    return hasController(this.#folder, controller);
  }

  /** Limits what it may use, but for devices; one limit that cannot be set leaves all as they were. @throws LimitError */
  limit(resources: LinuxResources): void {
    applySettings(this.#folder, resourceSettings(resources));
  }

  /** Changes its limits, and its rules for devices when there are some; all of it, or nothing. @throws LimitError */
  update(resources: LinuxResources): void {
    const { Devices } = resources;
    const program = Devices.length > 0 ? compileDeviceRules(readDeviceRules(Devices)) : undefined;
    const undo = applySettings(this.#folder, resourceSettings(resources));
    try {
      if (program) this.#devices.load(program);
    } catch (error) {
      undo();
      throw error;
    }
  }

  /** Limits the devices that it may use to these rules and what every container needs. @throws LimitError */
  limitDevices(rules: readonly LinuxDeviceCgroup[]): void {
    this.#devices.load(compileDeviceRules(readDeviceRules(rules)));
  }

  /** What it has used by now. */
  stats(): MessageInit<CgroupStats> {
    return readStats(this.#folder);
  }

  /** Moves the calling process, which is a forked child, into the cgroup. */
  joinSelf(): void {
    writeControl(`${this.#folder}/cgroup.procs`, "0");
  }

  /** The pids in it, as the agent sees them. */
  pids(): number[] {
    return foldersIn(this.#folder).flatMap((folder) =>
      readText(`${folder}/cgroup.procs`).split("\n").filter(Boolean).map(Number),
    );
  }

  /** Sends a signal to every process in it. */
  signal(signal: number): void {
    for (const pid of this.pids()) {
      try {
        sys.kill(pid, signal);
      } catch (error) {
        if (!hasErrno(error, Errno.ESRCH)) throw error;
      }
    }
  }

  /** Kills every process in it, and those they are just forking; frozen ones too. */
  kill(): void {
    if (this.#isPopulated()) writeControl(`${this.#folder}/cgroup.kill`, "1");
  }

  /** Whether its processes are stopped, as {@link freeze} does it. One that is started in it is stopped at once, too. */
  get frozen(): boolean {
    return this.#frozen;
  }

  /** Stops every process in it; resolves when all have stopped. @throws Error when one does not, and lets all go on */
  freeze(): Promise<void> {
    this.#freezing ??= this.#freeze().finally(() => {
      this.#freezing = undefined;
    });
    return this.#freezing;
  }

  async #freeze(): Promise<void> {
    this.#setFrozen(true);
    const events = `${this.#folder}/cgroup.events`;
    try {
      await awaitEvent(events, () => readEvent(events, "frozen") === 1, FREEZE_MS);
    } catch (error) {
      this.#setFrozen(false);
      throw error;
    }
  }

  /** Lets the stopped processes go on. */
  async thaw(): Promise<void> {
    // Who is in the midst of stopping would wait for a stop that never comes.
    await this.#freezing?.catch(() => {});
    this.#setFrozen(false);
  }

  #setFrozen(frozen: boolean): void {
    writeControl(`${this.#folder}/cgroup.freeze`, frozen ? "1" : "0");
    this.#frozen = frozen;
  }

  /** Calls `listener` whenever the kernel has killed some of its processes for want of memory, where that is counted. */
  onOom(listener: () => void): void {
    if (!this.counts("memory")) return;
    const events = `${this.#folder}/memory.events`;
    // Those that were killed before somebody listened count, too.
    let known = 0;
    const look = () => {
      const killed = readEvent(events, "oom_kill");
      if (killed > known) listener();
      known = killed;
    };
    this.#stopOom();
    const stop = watchEvents(events, look);
    this.#stopOom = () => {
      stop();
      // An event that the kernel holds back would be lost with the cgroup.
      look();
    };
  }

  #isPopulated(): boolean {
    return readEvent(`${this.#folder}/cgroup.events`, "populated") === 1;
  }

  /**
   * Resolves when no process is left in it. All who wait share one watch: the kernel holds an event back that comes soon after
   * another, and forgets it when the cgroup is removed meanwhile, by who did not have to wait.
   */
  empty(): Promise<void> {
    this.#emptying ??= awaitEvent(`${this.#folder}/cgroup.events`, () => !this.#isPopulated()).finally(() => {
      this.#emptying = undefined;
    });
    return this.#emptying;
  }

  /** Removes it, and what its processes have made in it; it must be empty. */
  remove(): void {
    this.#stopOom();
    this.#devices.close();
    try {
      for (const folder of foldersIn(this.#folder)) sys.rmdir(folder);
      this.#removeAbove();
    } catch (error) {
      log("error", `cgroup ${this.#folder}: ${error}`);
    }
  }

  /** Removes those above that have nothing else in them, but not the one in which the next is soon made. */
  #removeAbove(): void {
    const kept = [CGROUPS, `${CGROUPS}/${HOME}`];
    for (let above = folderAbove(this.#folder); !kept.includes(above); above = folderAbove(above)) {
      try {
        sys.rmdir(above);
      } catch (error) {
        if (hasErrno(error, Errno.EBUSY, Errno.ENOENT)) return;
        throw error;
      }
    }
  }
}
