/** Who a process is and what it may do: the last steps of a child before execve, as root until the end of them. */

import * as sys from "tiny:sys";
import {
  Errno,
  hasErrno,
  PR_CAP_AMBIENT,
  PR_CAP_AMBIENT_RAISE,
  PR_CAPBSET_DROP,
  PR_CAPBSET_READ,
  PR_SET_KEEPCAPS,
} from "@husk/tiny";
import { type CapabilitySets, capabilityBits, capabilityNumbers } from "./capability-sets.ts";
import type { Credentials } from "./user-database.ts";

/** True for the number of a capability that this kernel has. */
function isKnown(capability: number): boolean {
  try {
    sys.prctl(PR_CAPBSET_READ, capability);
    return true;
  } catch (error) {
    if (hasErrno(error, Errno.EINVAL)) return false;
    throw error;
  }
}

function limitBoundingSet(bounding: ReadonlySet<number>): void {
  for (let number = 0; isKnown(number); number++)
    if (!bounding.has(number)) sys.prctl(PR_CAPBSET_DROP, number);
}

/**
 * Becomes the user.
 *
 * @param sets undefined for what the user has anyway: everything for root, nothing for others
 * @param lastPrivileged done when all but the capabilities is given up
 */
export function becomeUser(
  credentials: Credentials,
  sets: CapabilitySets | undefined,
  lastPrivileged?: () => void,
): void {
  if (sets) {
    limitBoundingSet(sets.bounding);
    // Else all permitted ones go with the user.
    sys.prctl(PR_SET_KEEPCAPS, 1);
  }
  sys.setgroups(credentials.groups);
  if (!sets) lastPrivileged?.();
  sys.setgid(credentials.gid);
  sys.setuid(credentials.uid);
  if (!sets) return;
  if (lastPrivileged) {
    raisePrivilege(sets);
    lastPrivileged();
  }
  const { effective, permitted, inheritable, ambient } = sets;
  sys.capset(capabilityBits(effective), capabilityBits(permitted), capabilityBits(inheritable));
  for (const number of ambient) sys.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number);
}

/** Makes the kernel's general privilege effective once more: a change of user has taken it away. */
function raisePrivilege({ permitted, inheritable }: CapabilitySets): void {
  const needed = new Set([...permitted, ...capabilityNumbers(["CAP_SYS_ADMIN"])]);
  sys.capset(capabilityBits(needed), capabilityBits(needed), capabilityBits(inheritable));
}
