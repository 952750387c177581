/** Where a disk is, in the words of the host. Reference: hyperstart.md 2.3 for SCSI; Kata's path for PCI. */

/** A place for a disk: a unit of a SCSI controller, or a way through PCI buses. */
export type DiskAddress =
  | { kind: "scsi"; id: number; lun: number }
  | { kind: "pci" /** device (and function) numbers in hex, from the root bus on */; path: string[] };

/** Most PCI buses on the way to a disk. */
const MAX_STEPS = 8;

/** @throws Error when the text is no address */
export function parseDiskAddress(text: string): DiskAddress {
  const scsi = /^(\d{1,3}):(\d{1,5})$/.exec(text);
  if (scsi) return { kind: "scsi", id: Number(scsi[1]), lun: Number(scsi[2]) };
  const steps = text.split("/");
  if (steps.length > MAX_STEPS || !steps.every((step) => /^[01][0-9a-f](\.[0-7])?$/.test(step)))
    throw new Error(`"${text.slice(0, 80)}" is not the address of a disk`);
  return { kind: "pci", path: steps };
}
