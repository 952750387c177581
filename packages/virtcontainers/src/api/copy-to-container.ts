import { posix, resolve } from "node:path";
import { checkId } from "../config/ids.ts";
import { path } from "../config/rules.ts";
import { HuskError } from "../errors/index.ts";
import { checkState } from "../state-machine.ts";
import type { CallOptions, ContainerConfig } from "../types/index.ts";
import { Call } from "./call.ts";
import { needControl } from "./container-control.ts";
import { withSessionOf } from "./container-process.ts";

/** File systems of its own that a container has, whatever its configuration. */
const OWN_MOUNTS = ["/proc", "/sys", "/dev"];

/**
 * Copies a regular file of the host into the root file system of a container that runs, with its mode and owner; directories that
 * are missing are made. What has a mount of its own in the container is not reached, nor what symbolic links lead to. Ours alone;
 * Kata: `copyFile` of its agent.
 * @param source path on the host
 * @param destination absolute path in the container; one that ends with `/` is the directory that the file gets into
 * @throws HuskError ERR_CONTAINER_NOT_FOUND, ERR_STATE_INVALID, ERR_CONFIG_INVALID, ERR_MOUNT_SOURCE_MISSING, ERR_NOT_SUPPORTED for
 *   an agent that cannot and for a path on a mount, ERR_AGENT_REFUSED, ERR_VM_LOST
 */
export async function copyToContainer(
  podId: string,
  containerId: string,
  source: string,
  destination: string,
  options: CallOptions = {},
): Promise<void> {
  const call = new Call(options);
  checkId("pod", podId);
  checkId("container", containerId);
  path(source, "source");
  const inside = insideOf(source, destination);
  await withSessionOf(podId, call, async (pod) => {
    const { config, record } = pod.container(containerId);
    checkState({ podId }, pod.state, ["running"], "to copy into a container of it");
    checkState({ podId, containerId }, record.state, ["running", "paused"], "to be copied into");
    checkReachable(config, inside, podId);
    const control = await needControl(pod);
    const target = posix.join(control.rootOf(containerId), inside);
    await control.copyFile(resolve(source), target, { signal: call.signal });
    call.mark("file-copied");
  });
}

/** The path of the file in the container, without what leads out of it. */
function insideOf(source: string, destination: string): string {
  path(destination, "destination");
  if (!destination.startsWith("/"))
    throw new HuskError("ERR_CONFIG_INVALID", `destination: ${destination} is not absolute`);
  const isDirectory = destination.endsWith("/");
  return posix.resolve("/", isDirectory ? posix.join(destination, posix.basename(source)) : destination);
}

/** The guest has the container's root, but not what is mounted in it for the container alone. */
function checkReachable({ id, ociSpec, ...config }: ContainerConfig, inside: string, podId: string): void {
  const mounts = ociSpec?.mounts ?? config.mounts ?? [];
  const destinations = [...OWN_MOUNTS, ...mounts.map(({ destination }) => posix.resolve("/", destination))];
  const mount = destinations.find((one) => inside === one || inside.startsWith(`${one === "/" ? "" : one}/`));
  if (mount === undefined) return;
  const text = `${inside} is on ${mount}, which container "${id}" has mounted for itself: nothing can be copied there`;
  const hint = "Copy to another path, or write by a command in the container.";
  throw new HuskError("ERR_NOT_SUPPORTED", text, { hint, podId, containerId: id });
}
