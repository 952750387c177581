import { createConnection, type Socket } from "node:net";
import { abortError } from "../deadline.ts";

/**
 * Connects to a unix socket.
 * @throws Error ENOENT or ECONNREFUSED when nobody listens; HuskError ERR_ABORTED
 */
export function connectSocket(path: string, signal?: AbortSignal | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortError(signal));
    const socket = createConnection(path);
    const onAbort = () => {
      socket.destroy();
      reject(abortError(signal as AbortSignal));
    };
    const settle = () => signal?.removeEventListener("abort", onAbort);
    signal?.addEventListener("abort", onAbort, { once: true });
    // It stays: an error that comes before the socket has a user must not end this process.
    socket.on("error", (error) => {
      settle();
      reject(error);
    });
    socket.once("connect", () => {
      settle();
      resolve(socket);
    });
  });
}
