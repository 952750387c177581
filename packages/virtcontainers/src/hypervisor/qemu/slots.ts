import { HuskError } from "../../errors/index.ts";
import type { BlockDeviceDriver, MachineType } from "../../types/index.ts";

/**
 * PCI device number of the first slot for hot-plugged devices: the lower ones are for those there at the start. The last
 * of 16 is 0x1e; 0x1f is the chipset of a q35.
 */
const FIRST_PCI_DEVICE = 0x0f;
/** Addresses of disks on the SCSI controller: 256 targets of 256 units. */
const SCSI_UNITS = 256;
const MAX_SCSI_INDEX = 65_535;

/** Name of the SCSI controller; its bus is `scsi0.0`. */
export const SCSI_CONTROLLER = "scsi0";

/** Where a device is plugged in, in QEMU's words. */
export type BusPlace = { readonly bus: string } & { readonly [property: string]: string | number };

/** How the machine takes devices while it runs. */
export interface SlotPlan {
  readonly machine: MachineType;
  /** number of PCI slots */
  readonly slots: number;
}

function hex(value: number): string {
  return value.toString(16).padStart(2, "0");
}

/**
 * Address of the n-th PCI slot, as the guest sees it: the PCI device numbers on the way from the root bus, in hex, with
 * `/` between. On a q35 each slot is a port with a bus of its own.
 */
function slotAddress(machine: MachineType, index: number): string {
  const device = hex(FIRST_PCI_DEVICE + index);
  return machine === "q35" ? `${device}/00` : device;
}

/**
 * The least free PCI slot's address.
 * @param taken addresses of the devices that are plugged in
 * @throws HuskError ERR_NO_DEVICE_SLOT
 */
export function allocateSlot({ machine, slots }: SlotPlan, taken: readonly string[]): string {
  const addresses = Array.from({ length: slots }, (_, index) => slotAddress(machine, index));
  const free = addresses.find((address) => !taken.includes(address));
  if (free !== undefined) return free;
  throw new HuskError("ERR_NO_DEVICE_SLOT", `all ${slots} slots for hot-plugged devices are taken`);
}

/**
 * The least free address on the SCSI controller, `id:lun`.
 * @throws HuskError ERR_NO_DEVICE_SLOT
 */
export function allocateScsiAddress(taken: readonly string[]): string {
  const used = new Set(taken);
  for (let index = 0; index <= MAX_SCSI_INDEX; index++) {
    const address = `${Math.floor(index / SCSI_UNITS)}:${index % SCSI_UNITS}`;
    if (!used.has(address)) return address;
  }
  throw new HuskError("ERR_NO_DEVICE_SLOT", "all addresses on the SCSI controller are taken");
}

/** The address that a disk gets, by the driver that it is for; throws as the allocators. */
export function allocateDiskAddress(
  driver: BlockDeviceDriver,
  plan: SlotPlan,
  taken: readonly string[],
): string {
  return driver === "virtio-scsi" ? allocateScsiAddress(taken) : allocateSlot(plan, taken);
}

/** Where an address is: on the SCSI controller, in a port of a q35, or on the root bus of a pc. */
export function placeOf(address: string): BusPlace {
  const [id, lun] = address.split(":");
  if (lun !== undefined) return { bus: `${SCSI_CONTROLLER}.0`, "scsi-id": Number(id), lun: Number(lun) };
  const [device = "", behindPort] = address.split("/");
  const number = Number.parseInt(device, 16);
  return behindPort === undefined
    ? { bus: "pci.0", addr: `0x${hex(number)}` }
    : { bus: slotName(number - FIRST_PCI_DEVICE) };
}

function slotName(index: number): string {
  return `slot${index}`;
}

/** The ports that are the slots of a q35. A pc needs none: its root bus takes devices itself. */
export function slotArguments({ machine, slots }: SlotPlan): string[] {
  if (machine !== "q35") return [];
  return Array.from({ length: slots }, (_, index) => {
    const port = {
      driver: "pcie-root-port",
      id: slotName(index),
      bus: "pcie.0",
      addr: `0x${hex(FIRST_PCI_DEVICE + index)}`,
      // The chassis number must be unique.
      chassis: index + 1,
      slot: index + 1,
    };
    return ["-device", JSON.stringify(port)];
  }).flat();
}
