import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { renameSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { HuskError, messageOf } from "../errors/index.ts";
import { descriptorOf } from "./descriptors.ts";

/** Clients that can wait until the heir takes them. */
const BACKLOG = 511;

/**
 * Makes a listening unix socket and starts a child that inherits it. The socket gets its name, the child is started and our
 * own end is closed in one turn of the event loop, in which Node cannot take a client that is the child's.
 * @param start starts the child; what it throws leaves no socket
 * @throws HuskError ERR_STORE
 */
export async function handSocketDown(
  path: string,
  start: (listeningFd: number) => ChildProcess,
): Promise<ChildProcess> {
  const server = createServer();
  // Node removes the path it bound when the server is closed; under its final name the socket stays.
  const temporary = `${path}.new`;
  try {
    rmSync(temporary, { force: true });
    server.listen({ path: temporary, backlog: BACKLOG });
    await once(server, "listening");
    renameSync(temporary, path);
  } catch (error) {
    server.close();
    throw new HuskError("ERR_STORE", `cannot make the socket ${path}: ${messageOf(error)}`, { cause: error });
  }
  try {
    return start(descriptorOf(server));
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    server.close();
  }
}
