import { randomBytes } from "node:crypto";
import type { Joint } from "./types.ts";

/** A hardware address that is nobody's: random, locally administered. */
export function randomMac(): string {
  return ["02", ...randomBytes(5).toString("hex").matchAll(/../g)].join(":");
}

/**
 * Commands that give a link the hardware address back that the guest had, and with it the permanent neighbours: the kernel
 * forgets them when the hardware address changes.
 */
export function giveBackMac({ endpoint, link }: Joint): string[] {
  if (link.mac === endpoint.mac) return [];
  return [
    `link set dev ${link.name} address ${endpoint.mac}`,
    ...endpoint.neighbours.map(
      ({ address, mac }) => `neighbour replace ${address} lladdr ${mac} dev ${link.name} nud permanent`,
    ),
  ];
}
