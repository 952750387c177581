import type { ContainerName } from "../state/layout.ts";

/** Cgroup of all containers, below the root of each hierarchy. */
const BASE = "husk-module";

/** Cgroup of a namespace's containers: with something before it, no name is that of one of the kernel's files (`cgroup.procs`). */
export function namespaceCgroup(ns: string): string {
  return `${BASE}/ns-${ns}`;
}

/** Cgroup of a container. */
export function containerCgroup({ ns, name }: ContainerName): string {
  return `${namespaceCgroup(ns)}/ctr-${name}`;
}
