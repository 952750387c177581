/** Linux's number of an address family. */
export const Family = { INET: 2, INET6: 10 } as const;
export type Family = (typeof Family)[keyof typeof Family];

/** An address of either family. */
export interface Address {
  family: Family;
  /** 4 or 16 bytes, in the order of the wire */
  bytes: Uint8Array;
}

/** An address and how many of its first bits count. */
export interface Network extends Address {
  prefix: number;
}

/** What an address as text cannot be. */
export class AddressError extends Error {
  override readonly name = "AddressError";
}

const bitsOf = (family: Family) => (family === Family.INET ? 32 : 128);

/** An IPv4 or IPv6 address. @throws AddressError naming the text */
export function parseAddress(text: string): Address {
  const bytes = text.includes(":") ? parse6(text) : parse4(text);
  if (!bytes) throw new AddressError(`"${text}" is not an IP address`);
  return { family: bytes.length === 4 ? Family.INET : Family.INET6, bytes: Uint8Array.from(bytes) };
}

/** The text of an address; the longest row of zeros in IPv6 is left out. */
export function formatAddress({ family, bytes }: Address): string {
  if (family === Family.INET) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0)).toString(16),
  );
  const text = groups.join(":");
  const rows = text.match(/(^|:)0(:0)+(:|$)/g) ?? [];
  const zerosOf = (row: string) => row.replaceAll(":", "").length;
  const [zeros] = rows.sort((a, b) => zerosOf(b) - zerosOf(a));
  return zeros === undefined ? text : text.replace(zeros, "::");
}

/**
 * The number of bits that a mask leaves: digits, or for IPv4 also a mask as an address; `""` is all of them.
 * @throws AddressError naming the text
 */
export function parsePrefix(text: string, family: Family): number {
  const bits = bitsOf(family);
  if (text === "") return bits;
  if (/^[0-9]{1,3}$/.test(text) && Number(text) <= bits) return Number(text);
  const mask = family === Family.INET ? parse4(text) : undefined;
  const digits = mask?.map((byte) => byte.toString(2).padStart(8, "0")).join("");
  if (!digits || !/^1*0*$/.test(digits)) throw new AddressError(`"${text}" is not a network mask`);
  return digits.lastIndexOf("1") + 1;
}

/** An address with optional `/bits` or `/mask`; without, all bits count. @throws AddressError naming the text */
export function parseNetwork(text: string): Network {
  const slash = text.indexOf("/");
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  return { ...address, prefix: parsePrefix(slash < 0 ? "" : text.slice(slash + 1), address.family) };
}

/** As many bytes as the address has, the first `prefix` bits of them 1. */
export function maskOf({ family, prefix }: Network): Uint8Array {
  return Uint8Array.from({ length: bitsOf(family) / 8 }, (_, at) => {
    const ones = Math.min(8, Math.max(0, prefix - 8 * at));
    return (0xff << (8 - ones)) & 0xff;
  });
}

/** The network itself: the bits that do not count are 0. */
export function networkAddress(network: Network): Uint8Array {
  const mask = maskOf(network);
  return network.bytes.map((byte, at) => byte & (mask[at] as number));
}

function parse4(text: string): number[] | undefined {
  const parts = text.split(".");
  // A leading 0 would be octal to some.
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function parse6(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, at) => parseGroups(half, at === halves.length - 1));
  if (!head || (halves.length === 2 && !tail)) return undefined;
  const given = head.length + (tail?.length ?? 0);
  if (halves.length === 1) return given === 16 ? head : undefined;
  // "::" stands for at least one group.
  if (given > 14) return undefined;
  return [...head, ...new Array<number>(16 - given).fill(0), ...(tail ?? [])];
}

/** Groups of up to four hexadecimal digits; the last may be an IPv4 address. */
function parseGroups(text: string, isLast: boolean): number[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  const bytes: number[] = [];
  for (const [at, group] of groups.entries()) {
    const four = isLast && at === groups.length - 1 && group.includes(".") ? parse4(group) : undefined;
    if (four) bytes.push(...four);
    else if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else return undefined;
  }
  return bytes;
}
