import { existsSync } from "node:fs";

/** Is there as long as the kernel has IPv6. */
const IPV6 = "/proc/net/if_inet6";

/** Commands by which the kernel gives a link of ours no address of its own: it would talk to the guest. */
export function quietCommands(name: string): string[] {
  return existsSync(IPV6) ? [`link set dev ${name} addrgenmode none`] : [];
}
