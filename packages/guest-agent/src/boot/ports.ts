/** The virtio-serial ports to the host, found by name. Reference: hyperstart.md 1.1; virtcontainers.md 8.3. */

import * as sys from "tiny:sys";
import { O_CLOEXEC, O_NONBLOCK, O_RDWR, readText } from "@husk/tiny";
import { waitForDevice } from "./uevents.ts";

/** Milliseconds that the kernel has to announce a port after its driver is loaded. */
const DEADLINE_MS = 20_000;

const CLASS = "/sys/class/virtio-ports";

/** The first of the names that a port has, and that port. */
function findPort(names: readonly string[]): [name: string, port: string] | undefined {
  let ports: string[];
  try {
    ports = sys.readdir(CLASS);
  } catch {
    return undefined;
  }
  for (const port of ports) {
    try {
      const name = readText(`${CLASS}/${port}/name`).trim();
      if (names.includes(name)) return [name, port];
    } catch {
      // It has no name, or none yet.
    }
  }
  return undefined;
}

/** Opens a port of one of these names, non-blocking, as soon as there is one; gives its name, too. */
export async function openFirstPort(names: readonly string[]): Promise<[name: string, port: number]> {
  const what = `a port ${names.join(" or ")}`;
  const [name, port] = await waitForDevice(what, DEADLINE_MS, () => findPort(names));
  return [name, sys.open(`/dev/${port}`, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0)];
}

/** Opens the port of this name, as {@link openFirstPort} does. */
export async function openPort(name: string): Promise<number> {
  return (await openFirstPort([name]))[1];
}
