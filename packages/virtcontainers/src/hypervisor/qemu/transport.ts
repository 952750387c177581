import type { MachineType } from "../../types/index.ts";

/** Names of the devices on a PCI bus, and without one: the microvm has none. */
const TRANSPORTS = {
  pci: {
    serial: "virtio-serial-pci",
    block: "virtio-blk-pci",
    scsi: "virtio-scsi-pci",
    virtiofs: "vhost-user-fs-pci",
    ninep: "virtio-9p-pci",
    net: "virtio-net-pci",
    common: { "disable-legacy": "on" },
  },
  mmio: {
    serial: "virtio-serial-device",
    block: "virtio-blk-device",
    scsi: "virtio-scsi-device",
    virtiofs: "vhost-user-fs-device",
    ninep: "virtio-9p-device",
    net: "virtio-net-device",
    common: {},
  },
} as const;

/** What a machine's virtio devices are called, and what all of them are told. */
export function transportOf(machine: MachineType): (typeof TRANSPORTS)[keyof typeof TRANSPORTS] {
  return machine === "microvm" ? TRANSPORTS.mmio : TRANSPORTS.pci;
}

/**
 * Under TCG the guest's set-up of message interrupts costs more than they can ever save, and a queue is served sooner by
 * the thread of the virtual CPU than by a second one that must be woken.
 */
export function tuningOf({ accelerator, machine }: { accelerator: string; machine: MachineType }) {
  return accelerator === "tcg" && machine !== "microvm" ? { vectors: 0, ioeventfd: false } : {};
}
