/** A guest that began as a copy of another one becomes one of its own. */

import * as sys from "tiny:sys";
import { CLOCK_REALTIME } from "@husk/tiny";
import { renewMachineId } from "./machine-id.ts";
import { reseed } from "./random-device.ts";

/** Sets the clock, feeds the kernel's random numbers and draws the machine's uuid, before anything asks for any of them. */
export function renewGuest(seconds: number, nanoseconds: number, random: Uint8Array): void {
  reseed(random);
  renewMachineId();
  sys.setClock(CLOCK_REALTIME, seconds, nanoseconds);
}
