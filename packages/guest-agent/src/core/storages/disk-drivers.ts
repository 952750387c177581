/** Storages that are disks. Reference: virtcontainers.md 3.3, 8.2. */

import * as sys from "tiny:sys";
import { exists } from "@husk/tiny";
import type { Storage } from "@husk/wire/kata";
import { requireModule } from "../../boot/modules.ts";
import { askChild } from "../ask-child.ts";
import { findBlockDevice } from "../block-device.ts";
import type { UndoStack } from "../undo-stack.ts";
import { mountStorage } from "./mount-storage.ts";
import { badStorage } from "./storage-driver.ts";

/** The node of a disk in the guest, which has one name below /dev. */
const NODE = /^\/dev\/([a-z]+[a-z0-9]*)$/;

/** The name that udev, which a guest does not have, would give a disk by its serial number. */
const BY_SERIAL = /^\/dev\/disk\/by-id\/virtio-([A-Za-z0-9_.-]{1,20})$/;

function diskOf(node: string): string {
  const name = (NODE.exec(node) ?? BY_SERIAL.exec(node))?.[1];
  if (name === undefined) throw badStorage(`"${node.slice(0, 80)}" is not the node of a disk`);
  return name;
}

/** A disk that the host names by its node or its serial number. @throws Error when it does not appear */
export async function findDiskByNode(node: string): Promise<string> {
  return findBlockDevice(diskOf(node));
}

/** A disk on the PCI bus, by the numbers of its slots (`02/00`) or by its node. */
export function findPciDisk(source: string): Promise<string> {
  if (source.startsWith("/")) return findDiskByNode(source);
  if (source.includes(":")) throw badStorage(`"${source.slice(0, 80)}" is no path on the PCI bus`);
  return findAt(source);
}

/** A disk of a SCSI controller, by target and unit: `0:3`. */
export function findScsiDisk(source: string): Promise<string> {
  if (!source.includes(":")) throw badStorage(`"${source.slice(0, 80)}" is no address on a SCSI controller`);
  return findAt(source);
}

/** Persistent memory, by its node: `/dev/pmem0`. @throws Error when the guest has no driver for it: husk's own has none */
export async function findPmemDisk(node: string): Promise<string> {
  const name = diskOf(node);
  if (!exists(`/sys/class/block/${name}`))
    for (const driver of ["nfit", "nd_pmem"]) requireModule(driver, "");
  return findBlockDevice(name);
}

function findAt(address: string): Promise<string> {
  if (address === "") throw badStorage("the disk has no address");
  return findBlockDevice("", address);
}

/** Writes out what the guest has not written yet, as the host may take a disk away as soon as it is released. */
async function flush(): Promise<void> {
  await askChild("writing out", 0, () => {
    sys.sync();
    return new Uint8Array();
  });
}

const mountDisk =
  (find: (source: string) => Promise<string>) =>
  async (storage: Storage, undo: UndoStack): Promise<void> => {
    mountStorage(storage, await find(storage.source), undo);
    if (!storage.options.includes("ro")) undo.push(flush);
  };

export const mountPciDisk = mountDisk(findPciDisk);
export const mountScsiDisk = mountDisk(findScsiDisk);
export const mountMmioDisk = mountDisk(findDiskByNode);
export const mountPmemDisk = mountDisk(findPmemDisk);
