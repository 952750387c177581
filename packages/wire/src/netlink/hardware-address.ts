import { AddressError } from "./ip-address.ts";

/** Bytes of an Ethernet address. */
const ETHERNET_BYTES = 6;

/** An Ethernet address, `"02:00:00:00:00:01"`, with `:` or `-`. @throws AddressError naming the text */
export function parseHardwareAddress(text: string): Uint8Array {
  const groups = text.split(/[:-]/);
  if (groups.length !== ETHERNET_BYTES || !groups.every((group) => /^[0-9a-fA-F]{2}$/.test(group))) {
    throw new AddressError(`"${text}" is not a hardware address`);
  }
  return Uint8Array.from(groups, (group) => Number.parseInt(group, 16));
}

/** The text of a hardware address of any length, as the kernel's tools write it. */
export function formatHardwareAddress(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}
