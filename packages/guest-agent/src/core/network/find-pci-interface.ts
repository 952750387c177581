import { parseDiskAddress } from "../disk-address.ts";
import { findPciFolder, namesIn } from "../find-disk.ts";

/**
 * The name of the interface at a path on the PCI bus, once it is there.
 *
 * @param path numbers of slots in hex, from the root bus on: `02/00`
 * @throws Error when the text is no such path
 */
export function findPciInterface(path: string): string | undefined {
  const address = parseDiskAddress(path);
  if (address.kind !== "pci") throw new Error(`"${path}" is no path on the PCI bus`);
  const folder = findPciFolder(address.path);
  if (folder === undefined) return undefined;
  for (const device of [folder, ...virtioFolders(folder)]) {
    const [name] = namesIn(`${device}/net`);
    if (name !== undefined) return name;
  }
  return undefined;
}

function virtioFolders(folder: string): string[] {
  return namesIn(folder)
    .filter((name) => /^virtio\d+$/.test(name))
    .map((name) => `${folder}/${name}`);
}
