/** The namespaces of a container as the agent holds them open, so that more processes can join them. */

import * as sys from "tiny:sys";
import {
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
  O_CLOEXEC,
} from "@husk/tiny";

/** Flags of the kinds of namespace, by their names in /proc/PID/ns. */
export const NAMESPACE_FLAGS = {
  pid: CLONE_NEWPID,
  ipc: CLONE_NEWIPC,
  uts: CLONE_NEWUTS,
  net: CLONE_NEWNET,
  cgroup: CLONE_NEWCGROUP,
  mnt: CLONE_NEWNS,
  user: CLONE_NEWUSER,
} as const;

export type NamespaceKind = keyof typeof NAMESPACE_FLAGS;

/** Descriptors of some namespaces of a process. */
export class Namespaces {
  readonly #descriptors = new Map<NamespaceKind, number>();

  /** @throws SystemError when the process has ended */
  constructor(pid: number, kinds: readonly NamespaceKind[]) {
    try {
      for (const kind of kinds)
        this.#descriptors.set(kind, sys.open(`/proc/${pid}/ns/${kind}`, O_CLOEXEC, 0));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** its PID namespace, which only children enter; undefined when it is not among them */
  get pid(): number | undefined {
    return this.#descriptors.get("pid");
  }

  /** In a child: joins them in the order in which they were named; the user namespace takes the guest's root away. */
  join(): void {
    for (const kind of this.#descriptors.keys()) if (kind !== "pid" && kind !== "user") this.joinOnly(kind);
  }

  /** In a child: joins one of them, if it is among them. */
  joinOnly(kind: NamespaceKind): void {
    const fd = this.#descriptors.get(kind);
    if (fd !== undefined) sys.setns(fd, NAMESPACE_FLAGS[kind]);
  }

  close(): void {
    for (const fd of this.#descriptors.values()) sys.close(fd);
    this.#descriptors.clear();
  }
}
