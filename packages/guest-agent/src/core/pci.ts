import { exists, writeControl } from "@husk/tiny";

/** Looks for functions that were plugged in. Not every machine has PCI. */
export function rescanPci(): void {
  const rescan = "/sys/bus/pci/rescan";
  if (exists(rescan)) writeControl(rescan, "1");
}
