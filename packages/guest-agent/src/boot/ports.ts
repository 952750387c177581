/** The two virtio-serial ports to the host, found by name. Reference: hyperstart.md 1.1. */

import * as sys from "tiny:sys";
import { O_CLOEXEC, O_NONBLOCK, O_RDWR, readText } from "@husk/tiny";
import { waitForDevice } from "./uevents.ts";

/** Milliseconds that the kernel has to announce a port after its driver is loaded. */
const DEADLINE_MS = 20_000;

const CLASS = "/sys/class/virtio-ports";

function findPort(name: string): string | undefined {
  let ports: string[];
  try {
    ports = sys.readdir(CLASS);
  } catch {
    return undefined;
  }
  return ports.find((port) => {
    try {
      return readText(`${CLASS}/${port}/name`).trim() === name;
    } catch {
      return false;
    }
  });
}

/** Opens the port of this name, non-blocking, as soon as it is there. */
export async function openPort(name: string): Promise<number> {
  const port = await waitForDevice(`port ${name}`, DEADLINE_MS, () => findPort(name));
  return sys.open(`/dev/${port}`, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
}
