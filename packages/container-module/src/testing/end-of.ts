import type { ContainerInfo, ContainerModule, ContainerState } from "../types.ts";

/** Waits until a container has come to its end, by its log's. */
export async function endOf(module: ContainerModule, ns: string, id: string): Promise<ContainerInfo> {
  for await (const _ of module.logs(ns, id, { follow: true }));
  return module.inspect(ns, id);
}
