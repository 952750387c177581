import { readHead } from "../read-head.ts";

/** Disk images known by their magic numbers. */
const FORMATS = [
  { fstype: "erofs", offset: 1024, magic: "e2e1f5e0" },
  { fstype: "squashfs", offset: 0, magic: "68737173" },
  { fstype: "ext4", offset: 1024 + 0x38, magic: "53ef" },
] as const;

/** File system types of the images that are taken as they are. */
export type ImageFormat = (typeof FORMATS)[number]["fstype"];

/** The file system in a disk image, by its magic number; undefined: none that is known. */
export function detectImageFormat(path: string): ImageFormat | undefined {
  const head = readHead(path, 2048);
  return FORMATS.find(
    ({ offset, magic }) => head.toString("hex", offset, offset + magic.length / 2) === magic,
  )?.fstype;
}
