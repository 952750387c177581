/** The door on vsock, where the host has that instead of a serial port. Reference: virtcontainers.md 8.3. */

import * as sys from "tiny:sys";
import { listenVsock, SOCK_CLOEXEC, SOCK_NONBLOCK, VMADDR_CID_HOST } from "@husk/tiny";
import { loadModule } from "../boot/modules.ts";
import type { KataServices } from "./pipe-tail.ts";
import { openSocketDoor } from "./socket-door.ts";

const PORT = 1024;

/** Bytes of struct sockaddr_vm, and where the context id is in it. */
const [ADDRESS_BYTES, CID_AT] = [16, 8];

/** The next connection of the host's. Whoever else comes, from a container, is not let in. */
function acceptHost(listener: number): number | undefined {
  for (;;) {
    const address = new Uint8Array(ADDRESS_BYTES);
    const fd = sys.accept(listener, SOCK_NONBLOCK | SOCK_CLOEXEC, address);
    if (fd === -1) return undefined;
    if (new DataView(address.buffer).getUint32(CID_AT, true) === VMADDR_CID_HOST) return fd;
    sys.close(fd);
  }
}

/** Listens, although the device may not be there yet. */
export function openVsockDoor(services: KataServices): void {
  loadModule("vmw_vsock_virtio_transport");
  openSocketDoor(listenVsock(PORT), services, acceptHost);
}
