import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { makeTempRoot } from "./temp-root.ts";

const GREETING =
  '{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}, "package": ""}, "capabilities": []}}\r\n';

/** A QEMU that answers as `answer` says; without an answer it is silent. */
export async function serveQmp(
  t: TestContext,
  answer: (command: string, id: number, socket: Socket, given: Record<string, unknown>) => string | undefined,
  greeting = GREETING,
): Promise<string> {
  const path = join(makeTempRoot(t).base, "qmp");
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.write(greeting);
    socket.on("data", (chunk) => {
      for (const line of chunk.toString().trim().split("\n")) {
        const { execute, id, arguments: given = {} } = JSON.parse(line);
        const text =
          execute === "qmp_capabilities"
            ? `{"return": {}, "id": ${id}}\r\n`
            : answer(execute, id, socket, given);
        if (text) socket.write(`${text}\r\n`);
      }
    });
  });
  // As QEMU does, it lets one client queue (the kernel adds another).
  await new Promise<void>((resolve) => server.listen(path, 1, resolve));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return path;
}
