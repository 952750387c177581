/**
 * Devices that the host gives a container: waited for, and put into its specification with the numbers that they have in
 * this guest. Reference: virtcontainers.md 3.3, 8.2.
 */

import { errorText, readText } from "@husk/tiny";
import type { Device, LinuxDevice, LinuxDeviceCgroup, Spec } from "@husk/wire/kata";
import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";
import { findDiskByNode, findPciDisk, findPmemDisk, findScsiDisk } from "../storages/disk-drivers.ts";

/** Most devices of one request. */
const MAX_DEVICES = 256;

/** Gives the node of a device, waited for. */
type DeviceHandler = (device: Device) => Promise<string>;

export const deviceHandlers: ReadonlyMap<string, DeviceHandler> = new Map<string, DeviceHandler>([
  ["blk", ({ id, vmPath }) => findPciDisk(id || vmPath)],
  ["mmioblk", ({ vmPath }) => findDiskByNode(vmPath)],
  ["nvdimm", ({ vmPath }) => findPmemDisk(vmPath)],
  ["scsi", ({ id }) => findScsiDisk(id)],
]);

/** Numbers of a device, as the kernel has them. */
interface Numbers {
  major: bigint;
  minor: bigint;
}

/** A device that was found: what it is in the specification, and its numbers there and here. */
interface Found {
  entry: LinuxDevice;
  there: Numbers;
  here: Numbers;
}

function refuse(problem: string): TtrpcError {
  return new TtrpcError(StatusCode.INVALID_ARGUMENT, problem);
}

function readNumbers(node: string): Numbers {
  const [major = "", minor = ""] = readText(`/sys/class/block/${node.slice("/dev/".length)}/dev`)
    .trim()
    .split(":");
  return { major: BigInt(major), minor: BigInt(minor) };
}

/** The device's entry in the specification. */
function entryOf({ containerPath }: Device, spec: Spec): LinuxDevice {
  const entry = spec.Linux?.Devices.find(({ Path }) => Path === containerPath);
  if (entry === undefined) throw refuse("the specification has no such device");
  return entry;
}

async function findDevice(device: Device, spec: Spec): Promise<Found[]> {
  const handler = deviceHandlers.get(device.type);
  try {
    if (handler === undefined) throw refuse(`Unknown device type "${device.type.slice(0, 80)}"`);
    const entry = device.containerPath === "" ? undefined : entryOf(device, spec);
    const node = await handler(device);
    if (entry === undefined) return [];
    return [{ entry, there: { major: entry.Major, minor: entry.Minor }, here: readNumbers(node) }];
  } catch (error) {
    const text = `device "${device.containerPath || device.id || device.vmPath}": ${errorText(error)}`;
    throw error instanceof TtrpcError ? new TtrpcError(error.code, text) : new Error(text);
  }
}

/** Whether a rule of the container's is about a device of the host's. */
function isAbout({ Type, Major, Minor }: LinuxDeviceCgroup, { entry, there }: Found): boolean {
  return Type === entry.Type && Major === there.major && Minor === there.minor;
}

/**
 * Waits for devices, and gives those that the container has, and the rules about them, the numbers that they have here.
 *
 * @throws TtrpcError for a device that is not described well; Error naming one that does not appear
 */
export async function findDevices(devices: readonly Device[], spec: Spec): Promise<void> {
  if (devices.length > MAX_DEVICES) throw refuse(`${devices.length} devices are more than ${MAX_DEVICES}`);
  const found: Found[] = [];
  for (const device of devices) found.push(...(await findDevice(device, spec)));
  // All rules are looked at before any is changed: numbers of the host's may be others' here.
  const changes = (spec.Linux?.Resources?.Devices ?? []).map((rule) => ({
    rule,
    device: found.find((one) => isAbout(rule, one)),
  }));
  for (const { rule, device } of changes) {
    if (device === undefined) continue;
    rule.Major = device.here.major;
    rule.Minor = device.here.minor;
  }
  for (const { entry, here } of found) {
    entry.Major = here.major;
    entry.Minor = here.minor;
  }
}
