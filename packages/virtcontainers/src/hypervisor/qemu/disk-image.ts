import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { HuskError, messageOf } from "../../errors/index.ts";

/** First bytes of formats that are more than the bytes of a disk. */
const FOREIGN_FORMATS = [
  { name: "qcow2", magic: "514649fb" },
  { name: "VMDK", magic: "4b444d56" },
] as const;

/** What the bytes of a disk are in: a regular file, or a block device. */
export type DiskSource = "file" | "device";

/**
 * Checks that a file can be a disk: raw bytes in a file, or a block device of the host. Another format is refused, not
 * converted: an image may name other files as its backing, so only who trusts it may read it as what it says it is.
 * @throws HuskError ERR_ASSET_MISSING, ERR_NOT_SUPPORTED
 */
export function checkDiskImage(path: string): DiskSource {
  const head = Buffer.alloc(4);
  let kind: DiskSource | undefined;
  try {
    const fd = openSync(path, "r");
    try {
      const stat = fstatSync(fd);
      kind = stat.isBlockDevice() ? "device" : stat.isFile() ? "file" : undefined;
      if (kind) readSync(fd, head, 0, head.length, 0);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw new HuskError("ERR_ASSET_MISSING", `the disk cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (!kind) throw new HuskError("ERR_ASSET_MISSING", `neither a file nor a block device: ${path}`);
  const foreign = FOREIGN_FORMATS.find(({ magic }) => magic === head.toString("hex"));
  if (foreign) {
    const hint = "Convert it, if you trust it: qemu-img convert -O raw.";
    throw new HuskError("ERR_NOT_SUPPORTED", `a disk in the format ${foreign.name}: ${path}`, { hint });
  }
  return kind;
}
