import { createServer, type Server, type Socket } from "node:net";
import { type AttachHello, type AttachRequest, AttachRequestDecoder, encodeHello } from "@husk/wire/attach";

/** A shim's end of the attach protocol, driven by a test. */
export interface FakeShim {
  /** what clients have asked, in order */
  readonly requests: AttachRequest[];
  /** the connections that are open */
  readonly clients: ReadonlySet<Socket>;
  /** Settles when so many requests have come. */
  asked(count: number): Promise<void>;
  /** Sends to all clients. */
  send(...frames: Uint8Array[]): void;
  /** Closes all connections, and listens no more. */
  close(): Promise<void>;
}

/** Listens like a shim; each client is greeted with `hello`. */
export async function startFakeShim(path: string, hello: AttachHello): Promise<FakeShim> {
  const requests: AttachRequest[] = [];
  const clients = new Set<Socket>();
  const waiters = new Set<() => void>();
  const server: Server = createServer((socket) => {
    const decoder = new AttachRequestDecoder();
    clients.add(socket);
    socket.on("close", () => clients.delete(socket));
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      for (const request of decoder.push(chunk))
        requests.push(
          request.kind === "stdin" ? { ...request, data: new Uint8Array(request.data) } : request,
        );
      for (const waiter of waiters) waiter();
    });
    socket.write(encodeHello(hello));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    requests,
    clients,
    async asked(count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const check = () => requests.length >= count && resolve();
      waiters.add(check);
      check();
      await promise;
      waiters.delete(check);
    },
    send(...frames) {
      for (const client of clients) for (const frame of frames) client.write(frame);
    },
    async close() {
      for (const client of clients) client.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
