import type { Server, Socket } from "node:net";

/** Node has no public way to a socket's descriptor; its handle has had this property since it has had handles. */
export function descriptorOf(socket: Server | Socket): number {
  const { _handle: handle } = socket as unknown as { _handle?: { fd?: number } };
  if (typeof handle?.fd !== "number" || handle.fd < 0)
    throw new Error("this Node.js does not tell a socket's descriptor");
  return handle.fd;
}
