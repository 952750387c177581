import { HuskError } from "../../errors/index.ts";
import type { Link } from "../links.ts";
import type { Endpoint } from "../types.ts";

/**
 * Checks that no address of a link is another machine's already: the kernel has asked.
 * @throws HuskError ERR_NETWORK_CLASH
 */
export function checkDuplicates({ name, addresses }: Link, netNSPath: string): void {
  const found = addresses.find(({ isDuplicate }) => isDuplicate);
  if (!found) return;
  const text = `another machine has the address ${found.address} of ${name} (${netNSPath}) already`;
  throw new HuskError("ERR_NETWORK_CLASH", text);
}

/**
 * Checks that endpoints have different addresses and hardware addresses: the guest finds them by these.
 * @throws HuskError ERR_NETWORK_CLASH
 */
export function checkClashes(endpoints: readonly Endpoint[]): void {
  const owners = new Map<string, string>();
  for (const { name, mac, addresses } of endpoints) {
    for (const address of [mac, ...addresses.map((own) => own.address)]) {
      const other = owners.get(address);
      if (other !== undefined) {
        throw new HuskError("ERR_NETWORK_CLASH", `${other} and ${name} both have the address ${address}`);
      }
      owners.set(address, name);
    }
  }
}
