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

function openDevice(port: string): number {
  return sys.open(`/dev/${port}`, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
}

/**
 * Opens a port of one of these names, non-blocking, as soon as there is one; gives its name, too.
 *
 * @param otherwise tells that there is another way to the host, when there is none of these yet; then undefined is given
 */
export async function openFirstPort(
  names: readonly string[],
  otherwise: () => boolean = () => false,
): Promise<[name: string, port: number] | undefined> {
  const found = await waitForDevice(`a port ${names.join(" or ")}`, DEADLINE_MS, () => {
    const named = findPort(names);
    if (named !== undefined) return { named };
    return otherwise() ? { named } : undefined;
  });
  return found.named && [found.named[0], openDevice(found.named[1])];
}

/** Opens the port of this name, non-blocking, as soon as there is one. */
export async function openPort(name: string): Promise<number> {
  const port = await waitForDevice(`a port ${name}`, DEADLINE_MS, () => findPort([name])?.[1]);
  return openDevice(port);
}
