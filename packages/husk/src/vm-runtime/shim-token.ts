import { argumentsOf } from "@husk/virtcontainers/internals";

/** Options of a kata-shim. */
const CONTAINER = "-container";
const TOKEN = "-exec-id";

/** The name by which the shim with a process id asks for its process of a container; undefined: there is no such shim any more. */
export function tokenOfShim(pid: number, containerId: string): string | undefined {
  const args = argumentsOf(pid);
  const behind = (option: string) => (args.includes(option) ? args[args.indexOf(option) + 1] : undefined);
  return behind(CONTAINER) === containerId ? behind(TOKEN) : undefined;
}
