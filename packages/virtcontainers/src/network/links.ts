import { HuskError } from "../errors/index.ts";
import { isPlainLinkName, readJson } from "./iproute.ts";
import type { NamespacePlace } from "./namespace-command.ts";

/** Most links that a namespace may have for us to look at it; those of pods have a handful. */
const MAX_LINKS = 256;

/** A link of a namespace, as ip(8) tells of it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** kind of virtual link (`veth`, `tun`, …); undefined: a device of its own */
  readonly kind: string | undefined;
  /** `ether`, `loopback`, … */
  readonly type: string;
  readonly mac: string;
  /** largest packet in bytes */
  readonly mtu: number;
  readonly isUp: boolean;
  /** it takes all multicast, not only what it was told of */
  readonly takesAllMulticast: boolean;
  /** how the kernel makes its link-local address of IPv6 (`eui64`, `none`, …), if it has IPv6 */
  readonly addressMode: string | undefined;
  /** name of the bridge or bond that it is a part of */
  readonly master: string | undefined;
  /** who has made it, if that was us */
  readonly alias: string | undefined;
  /** packets that wait to be sent, at most */
  readonly queueLength: number;
  /** the bus of its device, and its place there */
  readonly bus: string | undefined;
  readonly busAddress: string | undefined;
  /** of a tap interface: how it was made */
  readonly tap: { readonly multiQueue: boolean; readonly persists: boolean } | undefined;
  readonly addresses: readonly LinkAddress[];
}

/** An address of a link. */
export interface LinkAddress {
  readonly family: string;
  readonly address: string;
  /** the other end, when the prefix is that of the other end */
  readonly peer: string | undefined;
  readonly prefix: number;
  /** `global`, `link`, `host`, … */
  readonly scope: string;
  /** what else the kernel says of it that counts */
  readonly isDuplicate: boolean;
  readonly isPassing: boolean;
}

export type Json = Readonly<Record<string, unknown>>;

/**
 * The links of a namespace, by their index.
 * @throws HuskError ERR_NETWORK_LINK, ERR_NETWORK_NAMESPACE, ERR_NOT_SUPPORTED, ERR_ABORTED
 */
export async function readLinks(place: NamespacePlace): Promise<Link[]> {
  const [links = []] = await readJson(place, "ip", ["-d"], ["address show"]);
  return parseLinks(links, place);
}

/** Takes the links apart that `ip -d -json address show` has printed. @throws HuskError ERR_NETWORK_LINK */
export function parseLinks(links: readonly unknown[], { netNSPath }: NamespacePlace): Link[] {
  if (links.length > MAX_LINKS) {
    throw new HuskError("ERR_NETWORK_LINK", `${netNSPath} has ${links.length} links, more than ${MAX_LINKS}`);
  }
  const parsed = links.filter(isJson).flatMap((link) => parseLink(link, netNSPath) ?? []);
  return parsed.sort((one, other) => one.index - other.index);
}

/** `ip` prints empty objects for what does not fit a filter. */
function parseLink(link: Json, netNSPath: string): Link | undefined {
  if (Object.keys(link).length === 0) return undefined;
  const name = text(link.ifname) ?? "";
  if (!Number.isSafeInteger(link.ifindex) || !isPlainLinkName(name)) {
    const given = JSON.stringify(link.ifname)?.slice(0, 80);
    throw new HuskError("ERR_NETWORK_LINK", `${netNSPath} has a link whose name cannot be used: ${given}`, {
      hint: "Give it a name of letters, digits, dots and dashes: ip link set dev OLD name NEW.",
    });
  }
  const info = isJson(link.linkinfo) ? link.linkinfo : {};
  const data = isJson(info.info_data) ? info.info_data : {};
  const kind = text(info.info_kind);
  const isTap = kind === "tun" && data.type === "tap";
  return {
    index: number(link.ifindex),
    name,
    kind: isTap ? "tap" : kind,
    type: text(link.link_type) ?? "",
    mac: text(link.address)?.toLowerCase() ?? "",
    mtu: number(link.mtu),
    isUp: hasFlag(link, "UP"),
    takesAllMulticast: hasFlag(link, "ALLMULTI"),
    addressMode: text(link.inet6_addr_gen_mode),
    master: text(link.master),
    alias: text(link.ifalias),
    queueLength: number(link.txqlen),
    bus: text(link.parentbus),
    busAddress: text(link.parentdev),
    tap: isTap ? { multiQueue: data.multi_queue === true, persists: data.persist === true } : undefined,
    addresses: (Array.isArray(link.addr_info) ? link.addr_info : []).filter(isJson).flatMap(parseAddress),
  };
}

function hasFlag({ flags }: Json, flag: string): boolean {
  return Array.isArray(flags) && flags.includes(flag);
}

function parseAddress(info: Json): LinkAddress[] {
  const address = text(info.local);
  if (address === undefined) return [];
  return [
    {
      family: text(info.family) ?? "",
      address,
      peer: text(info.address),
      prefix: number(info.prefixlen),
      scope: text(info.scope) ?? "global",
      isDuplicate: info.dadfailed === true,
      isPassing: info.deprecated === true || info.temporary === true,
    },
  ];
}

/** Whether a value is an object of JSON. */
export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A text of JSON, if it is one. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
