import { HuskError } from "../../errors/index.ts";
import type { Link } from "../links.ts";
import type { NamespacePlace } from "../namespace-command.ts";
import type { JoinModel } from "../types.ts";
import { quietCommands } from "./quiet-link.ts";

/** Numbers from here on are too long for a name of 15 characters, and are written shorter. */
const LONG_INDEX = 10_000_000;

/** Name of the tap or macvtap interface that we make for a link. @param index the link's */
export function tapName(index: number): string {
  return `tap${shorten(index)}_husk`;
}

/** Name of the bridge that we make for a link. @param index the link's */
export function bridgeName(index: number): string {
  return `br${shorten(index)}_husk`;
}

function shorten(index: number): string {
  return index < LONG_INDEX ? String(index) : `x${index.toString(36)}`;
}

/** The links that we made for a link, this pod or another. @param index the link's */
export function findOwnLinks(links: readonly Link[], index: number): Link[] {
  return links.filter(({ name }) => name === tapName(index) || name === bridgeName(index));
}

/** What is missing of the links that join a link to a VM, in words; undefined: nothing. */
export function findMissing(
  links: readonly Link[],
  { index, name }: Link,
  model: JoinModel,
): string | undefined {
  if (model === "direct") return undefined;
  const own = findOwnLinks(links, index);
  const wanted = model === "bridged" ? [tapName(index), bridgeName(index)] : [tapName(index)];
  const missing = wanted.find((one) => !own.some((link) => link.name === one && link.isUp));
  if (missing !== undefined) return `${missing} is down or has gone`;
  const ports = links.filter(({ master }) => master === bridgeName(index)).map((port) => port.name);
  const isBridged = [name, tapName(index)].every((port) => ports.includes(port));
  return model === "bridged" && !isBridged ? `${bridgeName(index)} has lost a port` : undefined;
}

/** Whether one of them is another pod's. One that carries no name was left half made. */
export function hasOtherOwner(links: readonly Link[], owner: string): boolean {
  return links.some(({ alias }) => alias !== undefined && alias !== owner);
}

/** The error of a link that another pod has. */
export function joinedAlready(own: readonly Link[], name: string, { netNSPath }: NamespacePlace): HuskError {
  const [{ name: ours, alias } = { name: "", alias: "" }] = own;
  return new HuskError(
    "ERR_NETWORK_CLASH",
    `${name} of ${netNSPath} is joined to a VM already, by ${ours} (${alias})`,
    {
      hint: `Delete that pod. When there is none of that uuid any more: ip link delete ${ours}, in that namespace.`,
    },
  );
}

/** Commands that make a tap interface for a link; it is not up yet, and the kernel says nothing on it by itself. */
export function tapCommands(tap: string, owner: string, mtu: number, queues: number): string[] {
  return [
    `tuntap add dev ${tap} mode tap vnet_hdr${queues > 1 ? " multi_queue" : ""}`,
    `link set dev ${tap} alias ${owner} mtu ${mtu}`,
    ...quietCommands(tap),
  ];
}
