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
  /** Settles when so many clients are connected. */
  connected(count: number): Promise<void>;
  /** Settles when none is connected. */
  left(): Promise<void>;
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
  const until = async (isReached: () => boolean) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = () => isReached() && resolve();
    waiters.add(check);
    check();
    await promise;
    waiters.delete(check);
  };
  const tell = () => {
    for (const waiter of waiters) waiter();
  };
  const server: Server = createServer((socket) => {
    const decoder = new AttachRequestDecoder();
    clients.add(socket);
    tell();
    socket.on("close", () => {
      clients.delete(socket);
      tell();
    });
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      for (const request of decoder.push(chunk))
        requests.push(
          request.kind === "stdin" ? { ...request, data: new Uint8Array(request.data) } : request,
        );
      tell();
    });
    socket.write(encodeHello(hello));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    requests,
    clients,
    asked: (count) => until(() => requests.length >= count),
    connected: (count) => until(() => clients.size >= count),
    left: () => until(() => clients.size === 0),
    send(...frames) {
      for (const client of clients) for (const frame of frames) client.write(frame);
    },
    async close() {
      for (const client of clients) client.destroy();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}
