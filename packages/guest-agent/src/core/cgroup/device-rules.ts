/** Rules about devices, in the order in which they count: the last one about a device and a use of it decides. */

import type { LinuxDeviceCgroup } from "@husk/wire/kata";
import { LimitError } from "./setting.ts";

/** Kinds of devices, by the kernel's numbers. */
const DeviceKind = { BLOCK: 1, CHARACTER: 2 } as const;
/** Uses of a device, by the kernel's bits. */
const DeviceUse = { MKNOD: 1, READ: 2, WRITE: 4 } as const;

const ALL_USES = DeviceUse.MKNOD | DeviceUse.READ | DeviceUse.WRITE;
const KINDS: Readonly<Record<string, number>> = { b: DeviceKind.BLOCK, c: DeviceKind.CHARACTER };
const USES: Readonly<Record<string, number>> = { m: DeviceUse.MKNOD, r: DeviceUse.READ, w: DeviceUse.WRITE };
/** What stands for all numbers. */
const ALL_NUMBERS = -1n;
/** Largest numbers of a device: Linux has 12 and 20 bits for them. */
const [MAX_MAJOR, MAX_MINOR] = [0xfffn, 0xfffffn];

/** One rule; what is undefined is any. */
export interface DeviceRule {
  allow: boolean;
  /** 1 for blocks, 2 for characters */
  kind?: number;
  major?: number;
  minor?: number;
  /** bits: 1 to make a node, 2 to read, 4 to write */
  uses: number;
}

/** What no container is without, whatever its rules say; a node gives nothing by itself, so each may be made. */
const STANDARD: readonly DeviceRule[] = [
  { allow: true, kind: DeviceKind.CHARACTER, uses: DeviceUse.MKNOD },
  { allow: true, kind: DeviceKind.BLOCK, uses: DeviceUse.MKNOD },
  // null, zero, full, random, urandom; tty, console, ptmx; terminals
  ...[3, 5, 7, 8, 9].map((minor) => character(1, minor)),
  ...[0, 1, 2].map((minor) => character(5, minor)),
  character(136),
];

function character(major: number, minor?: number): DeviceRule {
  const rule: DeviceRule = { allow: true, kind: DeviceKind.CHARACTER, major, uses: ALL_USES };
  return minor === undefined ? rule : { ...rule, minor };
}

function readUses(access: string): number {
  let uses = 0;
  for (const letter of access) {
    const use = USES[letter];
    if (use === undefined)
      throw new LimitError(`Devices.Access is "${access}": it must be of "r", "w" and "m"`);
    uses |= use;
  }
  // A rule about no use is written by those who mean all.
  return uses || ALL_USES;
}

function readNumber(what: string, number: bigint, max: bigint): number | undefined {
  if (number === ALL_NUMBERS) return undefined;
  if (number < 0n || number > max)
    throw new LimitError(`Devices.${what} is ${number}: it must be -1 to ${max}`);
  return Number(number);
}

function readRule({ Allow, Type, Major, Minor, Access }: LinuxDeviceCgroup): DeviceRule {
  const rule: DeviceRule = { allow: Allow, uses: readUses(Access) };
  // One about all devices has no numbers, but 0 where the message cannot leave them out.
  if (Type === "a" || Type === "") return rule;
  const kind = KINDS[Type];
  if (kind === undefined) throw new LimitError(`Devices.Type is "${Type}": it must be "a", "b" or "c"`);
  const [major, minor] = [readNumber("Major", Major, MAX_MAJOR), readNumber("Minor", Minor, MAX_MINOR)];
  return { ...rule, kind, ...(major !== undefined && { major }), ...(minor !== undefined && { minor }) };
}

/** The rules of a container, with what every one has. @throws LimitError */
export function readDeviceRules(rules: readonly LinuxDeviceCgroup[]): DeviceRule[] {
  return [...rules.map(readRule), ...STANDARD];
}
