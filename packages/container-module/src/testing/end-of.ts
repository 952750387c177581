import type { ContainerInfo, ContainerModule } from "../types.ts";

/** Waits until a container has come to its end, as its log does. */
export async function endOf(module: ContainerModule, ns: string, id: string): Promise<ContainerInfo> {
  await readAll(module.logs(ns, id, { follow: true }));
  return module.inspect(ns, id);
}

/** Waits until a container has written a text. */
export async function untilLogged(
  module: ContainerModule,
  ns: string,
  id: string,
  wanted: string,
): Promise<void> {
  let written = "";
  for await (const chunk of module.logs(ns, id, { follow: true })) {
    written += Buffer.from(chunk).toString();
    if (written.includes(wanted)) return;
  }
  throw new Error(`${id} has ended, and written only ${JSON.stringify(written)}`);
}

/** All that a log gives, as text. */
export async function readAll(log: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of log) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Options of a container that is to end when its program does. */
export const ONCE = { restart: { limit: 0, delayMs: 0, stableMs: 0 } };
