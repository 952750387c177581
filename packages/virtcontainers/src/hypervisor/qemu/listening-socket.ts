import { renameSync } from "node:fs";
import { createServer } from "node:net";
import { HuskError, messageOf } from "../../errors/index.ts";
import { descriptorOf } from "../../store/descriptors.ts";

/** A unix socket that listens, to be inherited by a child. */
export interface ListeningSocket {
  readonly fd: number;
  /** Closes our own descriptor; an heir's stays open. */
  close(): void;
}

/**
 * Makes a listening unix socket at a path. Whoever connects before the heir accepts waits in the kernel's queue, so that
 * nothing has to try again and again.
 * @throws HuskError ERR_STORE
 */
export async function listenForChild(path: string): Promise<ListeningSocket> {
  const server = createServer();
  // Node removes the path it bound when the server is closed; under its final name the socket stays.
  const temporary = `${path}.new`;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(temporary, 16, resolve);
    });
    renameSync(temporary, path);
    return { fd: descriptorOf(server), close: () => server.close() };
  } catch (error) {
    server.close();
    throw new HuskError("ERR_STORE", `cannot make the socket ${path}: ${messageOf(error)}`, { cause: error });
  }
}
