import { HuskError } from "../../errors/index.ts";
import type { Link, LinkAddress } from "../links.ts";
import type { EndpointKind } from "../types.ts";

/** Links with packets of a network's kind, which a guest can have an end of. */
const NETWORK_KINDS: ReadonlySet<string> = new Set<EndpointKind>(["veth", "macvlan", "ipvlan"]);
/** Links that are made for VMs, which mostly carry no address. */
const VM_KINDS: ReadonlySet<string> = new Set<EndpointKind>(["tap", "macvtap", "physical", "vhost-user"]);
/** The end of the names of our own links. */
const OWN_LINK = /_husk$/;

/** Whether a kind of endpoint is made for VMs: the VM has the link itself. */
export function isForVms(kind: EndpointKind): boolean {
  return VM_KINDS.has(kind);
}

/**
 * What a link is for the VM.
 *
 * Not for it are: the loopback interface, our own links, what belongs to a bridge or bond, and what nobody has configured:
 * a link without addresses that is down, or of a kind that we do not know (the base devices of tunnels). A link that was
 * made for VMs needs no address.
 * @returns undefined when it is not for the VM
 * @throws HuskError ERR_NOT_SUPPORTED for a link with addresses of any other kind, ERR_NETWORK_LINK for one that is down
 */
export function endpointKind(link: Link, netNSPath: string): EndpointKind | undefined {
  const { name, addresses, type } = link;
  const hasAddresses = addresses.some((address) => !isLinkLocal(address));
  if (type === "loopback" || OWN_LINK.test(name) || (link.master !== undefined && !hasAddresses)) {
    return undefined;
  }
  const kind = type === "ether" ? kindOf(link) : undefined;
  if (kind !== undefined && isForVms(kind)) return kind;
  if (kind === undefined) {
    if (hasAddresses) throw unsupported(link, netNSPath);
    return undefined;
  }
  if (link.isUp) return kind;
  if (!hasAddresses) return undefined;
  throw new HuskError("ERR_NETWORK_LINK", `${name} of ${netNSPath} has addresses, but is down`, {
    hint: `Set it up (ip link set dev ${name} up), or remove its addresses when the VM is not to have it.`,
  });
}

/** The kernel gives such an address to each link that is up: it says nothing. */
function isLinkLocal({ family, scope }: LinkAddress): boolean {
  return family === "inet6" && scope === "link";
}

function kindOf({ kind, bus, tap }: Link): EndpointKind | undefined {
  if (kind === undefined) return bus === "pci" ? "physical" : undefined;
  if (kind === "macvtap") return "macvtap";
  // One that does not persist belongs to the program that has it open.
  if (kind === "tap") return tap?.persists ? "tap" : undefined;
  return NETWORK_KINDS.has(kind) ? (kind as EndpointKind) : undefined;
}

function unsupported({ name, kind, bus, type }: Link, netNSPath: string): HuskError {
  const what = kind ?? (bus === undefined ? type : `device on the bus ${bus}`);
  return new HuskError(
    "ERR_NOT_SUPPORTED",
    `unsupported network interface ${name} (${what}) of ${netNSPath}`,
    {
      hint: "A VM can have veth, macvlan, ipvlan, macvtap and persistent tap interfaces, and PCI devices.",
    },
  );
}
