import { type AddressInfo, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** A server that speaks as much of zdb's protocol as we need: no 0-db could be had where the tests are run. */
export interface FakeZdb {
  readonly port: number;
  /** the commands that it was given, keys and values left out */
  readonly commands: string[];
  /** what it has, by namespace and key */
  readonly stored: Map<string, Uint8Array>;
  /** how many connections it has had */
  connections: number;
  /** closes every connection at the next command, so many times */
  drops: number;
}

/** Starts one on the loopback, or on a socket. Namespaces are made as they are selected; one may have a password. */
export async function startFakeZdb(
  test: TestContext,
  { password, path }: { password?: string; path?: string } = {},
): Promise<FakeZdb> {
  const zdb: FakeZdb = { port: 0, commands: [], stored: new Map(), connections: 0, drops: 0 };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    zdb.connections += 1;
    sockets.add(socket);
    let [namespace, pending] = ["default", Buffer.alloc(0)];
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      for (let parsed = parseCommand(pending); parsed; parsed = parseCommand(pending)) {
        pending = pending.subarray(parsed.length);
        const [name = "", key = Buffer.alloc(0), value] = parsed.words;
        if (zdb.drops > 0) {
          zdb.drops -= 1;
          socket.destroy();
          return;
        }
        const command = name.toString();
        zdb.commands.push(command === "SELECT" ? `SELECT ${key}` : command);
        if (command === "SELECT") {
          const refused = password !== undefined && value?.toString() !== password;
          if (!refused) namespace = key.toString();
          socket.write(refused ? "-Access denied\r\n" : "+OK\r\n");
        } else if (command === "SET") {
          const place = `${namespace}/${key.toString("hex")}`;
          const same =
            Buffer.compare(zdb.stored.get(place) ?? Buffer.alloc(0), value ?? Buffer.alloc(0)) === 0;
          zdb.stored.set(place, Uint8Array.from(value ?? []));
          socket.write(same ? "$-1\r\n" : encodeBulk(key));
        } else {
          const found = zdb.stored.get(`${namespace}/${key.toString("hex")}`);
          socket.write(found ? encodeBulk(found) : "$-1\r\n");
        }
      }
    });
  });
  await new Promise<void>((resolve) =>
    path ? server.listen(path, resolve) : server.listen(0, "127.0.0.1", resolve),
  );
  test.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return Object.assign(zdb, { port: path ? 0 : (server.address() as AddressInfo).port });
}

function encodeBulk(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n")]);
}

/** A command and its length, if all of it is there. */
function parseCommand(bytes: Buffer): { words: Buffer[]; length: number } | undefined {
  let at = 0;
  const line = () => {
    const end = bytes.indexOf("\r\n", at);
    if (end < 0) return undefined;
    const text = bytes.toString("latin1", at, end);
    at = end + 2;
    return text;
  };
  const count = line();
  if (count === undefined) return undefined;
  const words: Buffer[] = [];
  for (let index = 0; index < Number(count.slice(1)); index += 1) {
    const length = line();
    if (length === undefined || bytes.length < at + Number(length.slice(1)) + 2) return undefined;
    words.push(bytes.subarray(at, at + Number(length.slice(1))));
    at += Number(length.slice(1)) + 2;
  }
  return { words, length: at };
}
