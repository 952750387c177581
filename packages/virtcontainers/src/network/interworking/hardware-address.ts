import { randomBytes } from "node:crypto";
import type { Joint } from "./types.ts";

/** A hardware address that is nobody's: random, locally administered. */
export function randomMac(): string {
  return ["02", ...randomBytes(5).toString("hex").matchAll(/../g)].join(":");
}

/** Commands that give a link the hardware address back that the guest had. */
export function macCommands({ endpoint, link }: Joint): string[] {
  return link.mac === endpoint.mac ? [] : [`link set dev ${link.name} address ${endpoint.mac}`];
}

/**
 * Commands that give a link its permanent neighbours back: the kernel forgets them when the hardware address changes, or IPv6
 * is switched off.
 */
export function neighbourCommands({ endpoint, link }: Joint): string[] {
  return endpoint.neighbours.map(
    ({ address, mac }) => `neighbour replace ${address} lladdr ${mac} dev ${link.name} nud permanent`,
  );
}
