import { exists } from "@husk/tiny";
import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";
import { CGROUPS } from "../cgroup/hierarchy.ts";
import { quote, specFault } from "./spec-fault.ts";

/** Where containers have their cgroups that name none, and where no container's own may be. */
const HOME = "husk";

/**
 * The path of a container's cgroup below the hierarchy. It is the container's alone: to end one is to end all that is in
 * it.
 *
 * @throws TtrpcError for a path that leads elsewhere, or to a cgroup that is there
 */
export function planCgroupPath(containerId: string, path: string): string {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  if (names.includes("..") || /[\0\n]/.test(path))
    throw specFault(`linux.cgroupsPath ${quote(path)} is none`);
  const own = names.length === 0 ? `${HOME}/${containerId}` : names.join("/");
  if (exists(`${CGROUPS}/${own}`))
    throw new TtrpcError(StatusCode.FAILED_PRECONDITION, `cgroup ${quote(own)} is in use`);
  return own;
}
