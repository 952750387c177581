/** User namespaces: the users of a container as the rest of the guest sees them. */

import * as sys from "tiny:sys";
import { CLONE_NEWNS, CLONE_NEWUSER, errorText, writeControl } from "@husk/tiny";

/** A range of numbers in a container, and what they are in the guest. */
export interface IdRange {
  inside: number;
  outside: number;
  count: number;
}

/** See the head of the file. */
export interface IdMaps {
  users: readonly IdRange[];
  groups: readonly IdRange[];
}

/** What a number of a container is in the guest; undefined when it is nobody there. */
export function outsideId(ranges: readonly IdRange[], id: number): number | undefined {
  const range = ranges.find(({ inside, count }) => id >= inside && id < inside + count);
  return range && range.outside + (id - range.inside);
}

/** As {@link outsideId}. @throws Error for a number that is nobody's */
export function mappedId(kind: "user" | "group", ranges: readonly IdRange[], id: number): number {
  const outside = outsideId(ranges, id);
  if (outside === undefined) throw new Error(`${kind} ${id} is not mapped in the user namespace`);
  return outside;
}

/**
 * In a child that is root: makes a user namespace, which owns a copy of the mounts. Until the agent has written the maps,
 * it is nobody in there.
 */
export function makeUserNamespace(): void {
  sys.unshare(CLONE_NEWUSER | CLONE_NEWNS);
}

function mapText(ranges: readonly IdRange[]): string {
  return ranges.map(({ inside, outside, count }) => `${inside} ${outside} ${count}\n`).join("");
}

/** Says who is who in the user namespace of a process. @throws Error when the kernel takes no such maps */
export function writeIdMaps(pid: number, { users, groups }: IdMaps): void {
  try {
    writeControl(`/proc/${pid}/uid_map`, mapText(users));
    writeControl(`/proc/${pid}/gid_map`, mapText(groups));
  } catch (error) {
    throw new Error(`the maps of the user namespace: ${errorText(error)}`);
  }
}
