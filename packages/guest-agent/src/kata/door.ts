/** Kata's door, wherever the host comes by. All that only it needs is imported from here: main.ts loads it when it is asked for. */

import { listenUnix } from "@husk/tiny";
import { makeServices } from "./agent.ts";
import { SerialDoor } from "./serial-door.ts";
import { openSocketDoor } from "./socket-door.ts";
import { openVsockDoor } from "./vsock-door.ts";

/** Serves on a virtio-serial port, or what stands for one. */
export function serveKataPort(port: number, onHostGone: () => void): void {
  new SerialDoor(port, makeServices(), onHostGone);
}

/** Serves on vsock. */
export function serveKataVsock(): void {
  openVsockDoor(makeServices());
}

/** Serves on a unix socket, which is made. */
export function serveKataSocket(path: string): void {
  openSocketDoor(listenUnix(path), makeServices());
}
