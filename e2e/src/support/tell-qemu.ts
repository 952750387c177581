import { createConnection } from "node:net";
import { join } from "node:path";
import { CollectedOutput } from "./collected-output.ts";
import type { Workplace } from "./workplace.ts";

/** Tells the QEMU of a pod something behind husk's back. */
export async function tellQemu(
  place: Workplace,
  podId: string,
  execute: string,
  given: object = {},
): Promise<void> {
  const socket = createConnection(join(place.root, "pods", podId, "qmp.sock"));
  socket.write(`{"execute":"qmp_capabilities"}${JSON.stringify({ execute, arguments: given, id: 7 })}`);
  const answers = new CollectedOutput(socket);
  await answers.waitFor(/"id": 7/);
  socket.destroy();
}
