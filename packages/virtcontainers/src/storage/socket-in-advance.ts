import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer, Socket } from "node:net";
import { descriptorOf } from "../store/descriptors.ts";

/** A child that listens on a socket, and a connection to it. */
export interface ConnectedChild {
  readonly child: ChildProcess;
  /** our end of the connection */
  readonly fd: number;
  /** Closes our own descriptor; an heir's stays open. */
  close(): void;
}

/**
 * Starts a child with a listening socket on which a connection waits already, to be handed to another child. The first
 * has nothing to wait for, the second no path to find, and the connection ends with the two of them.
 *
 * Connection and child are made in one turn of the event loop, in which Node cannot take the connection itself. Node's
 * sockets do not block, and virtiofsd takes the answer "nobody yet" for an error.
 * @throws Error of the system
 */
export async function connectInAdvance(
  path: string,
  start: (listeningFd: number) => ChildProcess,
): Promise<ConnectedChild> {
  const server = createServer();
  const socket = new Socket();
  // Whatever comes is for the heir. What goes wrong is told by the heir, too.
  socket.pause();
  socket.on("error", () => {});
  try {
    server.listen(path, 1);
    await once(server, "listening");
    socket.connect(path);
    const child = start(descriptorOf(server));
    server.close();
    await once(child, "spawn");
    return { child, fd: descriptorOf(socket), close: () => socket.destroy() };
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    server.close();
    rmSync(path, { force: true });
  }
}
