import type { Cgroup } from "./cgroup/cgroup.ts";
import type { NamespaceKind } from "./namespaces.ts";
import type { Stop } from "./process.ts";
import type { ProcessPlan } from "./process-plan.ts";
import type { Course } from "./start-child.ts";
import type { Stdio } from "./stdio.ts";

/** What a container is to be, whichever door asked for it. Closures go with the fork when they are called in the child. */
export interface ContainerPlan {
  id: string;
  /** its first process */
  process: ProcessPlan;
  /** Makes its cgroup. */
  makeCgroup(): Cgroup;
  /** Limits what it may use, before anything runs in it. */
  limit(cgroup: Cgroup): void | Promise<void>;
  /** options of its file system of terminals */
  terminalOptions: string;
  /** whether its processes have a PID namespace of their own, and not the pod's */
  ownPids: boolean;
  /** `CLONE_NEW*` of further namespaces that its first process gets anew; a mount namespace it always gets */
  namespaces: number;
  /** what more processes of it join, in this order; the mount namespace among them */
  joined: readonly NamespaceKind[];
  /** In the child, in the pod's namespaces: makes the root and all that is in it, and enters it. */
  enterRoot(stdio: Stdio, course: Course): void;
  /** In the child, later: makes the user namespace of the container. */
  makeUsers?(course: Course): void;
  /** what the agent does each time that the child pauses in one of the two */
  stops?: readonly Stop[];
}
