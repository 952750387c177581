/** The first process of the pod's namespaces: it holds them, and reaps the orphans in them. Seed 001, steps 4 and 5. */

import * as sys from "tiny:sys";
import {
  CLONE_NEWIPC,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUTS,
  Errno,
  hasErrno,
  MNT_DETACH,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  O_CLOEXEC,
  onExit,
  SIGCHLD,
  SIGKILL,
  WNOHANG,
  writeControl,
} from "@husk/tiny";
import { podPaths } from "./paths.ts";
import { closeAllBut, startChild } from "./start-child.ts";

/** Keeps a process from being killed for its memory. */
const OOM_NEVER = -1000;

/** Where memory is short, the kernel must take it from a container: with this process, all of them would end. */
function protectFromOom(): void {
  try {
    writeControl("/proc/self/oom_score_adj", String(OOM_NEVER));
  } catch (error) {
    // In tests on a host the agent may lack the privilege, and the memory is not its own.
    if (!hasErrno(error, Errno.EACCES)) throw error;
  }
}

/** Gives up all that a container could reach by this process: /proc/1/root is an empty folder, and nothing is allowed. */
function leaveGuest(): void {
  sys.mount(null, "/", null, MS_REC | MS_PRIVATE, null);
  sys.mount("tmpfs", podPaths.folder, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "mode=755");
  sys.chdir(podPaths.folder);
  sys.pivotRoot(".", ".");
  sys.umount(".", MNT_DETACH);
  sys.chdir("/");
  sys.capset(0, 0, 0);
}

function reapForEver(): never {
  for (;;) {
    sys.sigwait([SIGCHLD]);
    while (sys.waitpid(-1, WNOHANG)) {
      // Each was an orphan; that it is reaped is all.
    }
  }
}

/** The sandbox that a pod's containers share. */
export class PodInit {
  readonly pid: number;
  /** descriptors of its namespaces */
  readonly pidNamespace: number;
  readonly #ipcNamespace: number;
  readonly #utsNamespace: number;
  readonly #ended: Promise<void>;

  private constructor(pid: number) {
    const open = (name: string) => sys.open(`/proc/${pid}/ns/${name}`, O_CLOEXEC, 0);
    this.pid = pid;
    this.pidNamespace = open("pid");
    this.#ipcNamespace = open("ipc");
    this.#utsNamespace = open("uts");
    this.#ended = new Promise((resolve) => onExit(pid, () => resolve()));
  }

  /** Makes the namespaces and waits until their first process is ready. */
  static async start(): Promise<PodInit> {
    const child = startChild(
      ({ arrive }) => {
        protectFromOom();
        leaveGuest();
        arrive();
        closeAllBut([0, 1, 2]);
        reapForEver();
      },
      { namespaces: CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS },
    );
    const init = new PodInit(child.pid);
    try {
      await child.started;
      return init;
    } catch (error) {
      await init.end();
      throw error;
    }
  }

  /** Gives its UTS namespace a name. The agent enters it for that, as nobody else is in the agent's process. */
  setHostname(hostname: string): void {
    const own = sys.open("/proc/self/ns/uts", O_CLOEXEC, 0);
    try {
      sys.setns(this.#utsNamespace, CLONE_NEWUTS);
      try {
        sys.sethostname(hostname);
      } finally {
        sys.setns(own, CLONE_NEWUTS);
      }
    } finally {
      sys.close(own);
    }
  }

  /** In a child: joins the IPC and UTS namespaces. The PID namespace it was born in. */
  enter(): void {
    sys.setns(this.#ipcNamespace, CLONE_NEWIPC);
    sys.setns(this.#utsNamespace, CLONE_NEWUTS);
  }

  /** Ends it, and with it whatever is left in its PID namespace. */
  async end(): Promise<void> {
    try {
      sys.kill(this.pid, SIGKILL);
    } catch {
      // It is dead already.
    }
    await this.#ended;
    for (const fd of [this.pidNamespace, this.#ipcNamespace, this.#utsNamespace]) sys.close(fd);
  }
}
