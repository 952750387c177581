/** One value in one file of a cgroup: what a limit comes down to. */

/** A controller of cgroups, version 2, which limits here need. */
export type Controller = "cpu" | "cpuset" | "memory" | "pids" | "io" | "hugetlb";

/** See the head of the file. */
export interface Setting {
  controller: Controller;
  /** name of the file in the cgroup's folder */
  file: string;
  /** what to write, or how to make it from what the file says now */
  text: string | ((current: string) => string);
  /** what brings back what the file says now, where that is not its content itself */
  restore?(current: string): string;
}

/** Thrown for a limit that nobody could set: the fault is the request's. */
export class LimitError extends Error {
  override readonly name = "LimitError";
}

/** A limit as the files take it: -1 stands for none at all. @throws LimitError below that */
export function limitText(what: string, limit: bigint): string {
  if (limit < -1n) throw new LimitError(`${what} is ${limit}: it must be -1 for no limit, or more`);
  return limit === -1n ? "max" : String(limit);
}
