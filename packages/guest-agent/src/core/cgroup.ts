/** One cgroup (v2) per container: who belongs to it, and the way to end them all at once. */

import * as sys from "tiny:sys";
import {
  EPOLLERR,
  EPOLLPRI,
  Errno,
  hasErrno,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  makeDirectories,
  O_CLOEXEC,
  O_RDONLY,
  readText,
  readTextIfThere,
  unwatch,
  watch,
  writeControl,
} from "@husk/tiny";
import type { Constraints } from "@husk/wire/hyperstart";
import { log } from "../log.ts";

const ROOT = "/sys/fs/cgroup";

/** Mounts the hierarchy. Once, at the start of the pod. */
export function mountCgroups(): void {
  try {
    sys.mount("cgroup2", ROOT, "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, "nsdelegate");
  } catch (error) {
    if (!hasErrno(error, Errno.EBUSY)) throw error;
  }
}

/** Microseconds of a period of processor time, when the host names none: the kernel's own. */
const DEFAULT_PERIOD_US = 100_000;

/** The weight (1 to 10,000) for shares of version 1 (2 to 262,144), as container runtimes convert them. */
function cpuWeight(shares: number): number {
  const bounded = Math.min(Math.max(shares, 2), 262144);
  return 1 + Math.floor(((bounded - 2) * 9999) / 262142);
}

/** The cgroup of a container. */
export class Cgroup {
  readonly #path: string;

  /** @param path below the hierarchy: `husk/<id>` */
  constructor(path: string) {
    this.#path = `${ROOT}/${path}`;
    makeDirectories(this.#path);
  }

  /** Limits its use of the CPUs. @throws Error when the kernel does not take a limit */
  limitCpu({ CPUQuota, CPUPeriod, CPUShares }: Constraints): void {
    if (CPUQuota <= 0 && CPUShares === 0) return;
    // Each level must pass the controller on before the next one has its files.
    for (const folder of [ROOT, `${ROOT}/husk`]) writeControl(`${folder}/cgroup.subtree_control`, "+cpu");
    if (CPUQuota > 0) writeControl(`${this.#path}/cpu.max`, `${CPUQuota} ${CPUPeriod || DEFAULT_PERIOD_US}`);
    if (CPUShares > 0) writeControl(`${this.#path}/cpu.weight`, String(cpuWeight(CPUShares)));
  }

  /** Moves the calling process, which is a forked child, into the cgroup. */
  joinSelf(): void {
    writeControl(`${this.#path}/cgroup.procs`, "0");
  }

  /** The pids in it, as the agent sees them. */
  pids(): number[] {
    return readText(`${this.#path}/cgroup.procs`).split("\n").filter(Boolean).map(Number);
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

  /** Kills every process in it, and those they are just forking. */
  kill(): void {
    if (this.#isPopulated()) writeControl(`${this.#path}/cgroup.kill`, "1");
  }

  #isPopulated(): boolean {
    // One that is removed has nobody in it.
    return readTextIfThere(`${this.#path}/cgroup.events`)?.includes("populated 1") ?? false;
  }

  /** Resolves when no process is left in it. */
  empty(): Promise<void> {
    if (!this.#isPopulated()) return Promise.resolve();
    return new Promise((resolve) => {
      const fd = sys.open(`${this.#path}/cgroup.events`, O_RDONLY | O_CLOEXEC, 0);
      const check = () => {
        if (this.#isPopulated()) return;
        unwatch(fd);
        sys.close(fd);
        resolve();
      };
      // The kernel tells of a change of the file as an exceptional condition.
      watch(fd, EPOLLPRI | EPOLLERR, check);
      check();
    });
  }

  /** Removes it; it must be empty. */
  remove(): void {
    try {
      sys.rmdir(this.#path);
    } catch (error) {
      log("error", `cgroup ${this.#path}: ${error}`);
    }
  }
}
