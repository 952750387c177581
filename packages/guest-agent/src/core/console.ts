import * as sys from "tiny:sys";
import { MS_BIND } from "@husk/tiny";
import { makeMountPoint } from "./mounts/mount-point.ts";
import type { GuestPath } from "./mounts/mount-step.ts";
import { containerPaths } from "./paths.ts";

/** In the child, whose root is the container's: makes a terminal of the container its /dev/console. */
export function bindConsole(guest: GuestPath, containerId: string, terminal: number): void {
  const slave = guest(`${containerPaths(containerId).pts}/${terminal}`);
  sys.mount(slave, makeMountPoint("/dev/console", "file"), null, MS_BIND, null);
}
