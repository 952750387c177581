import type { LinuxIDMapping, LinuxNamespace } from "@husk/wire/kata";
import type { IdMaps, IdRange } from "../user-namespace.ts";
import { specFault } from "./spec-fault.ts";

/** Most ranges of a map, as in the kernel. */
const MAX_RANGES = 340;
/** One more than the last number of a user or group. */
const END_OF_IDS = 0xffffffff;

function planRanges(what: string, mappings: readonly LinuxIDMapping[]): IdRange[] {
  if (mappings.length === 0 || mappings.length > MAX_RANGES)
    throw specFault(`${what} must have 1 to ${MAX_RANGES} entries for a user namespace`);
  return mappings.map(({ ContainerID: inside, HostID: outside, Size: count }) => {
    if (count === 0 || Math.max(inside, outside) + count > END_OF_IDS)
      throw specFault(`${what}: ${count} numbers from ${inside} and ${outside} on are no range`);
    return { inside, outside, count };
  });
}

/**
 * The maps of a container's user namespace; undefined when it has none.
 *
 * @throws TtrpcError INVALID_ARGUMENT for a namespace without maps, maps without a namespace, and ranges that are none
 */
export function planUsers(
  namespaces: readonly LinuxNamespace[],
  users: readonly LinuxIDMapping[],
  groups: readonly LinuxIDMapping[],
): IdMaps | undefined {
  if (namespaces.some(({ Type }) => Type === "user"))
    return {
      users: planRanges("linux.uidMappings", users),
      groups: planRanges("linux.gidMappings", groups),
    };
  if (users.length + groups.length > 0)
    throw specFault("linux.uidMappings and gidMappings are for a user namespace, of which there is none");
  return undefined;
}
