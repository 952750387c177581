import { type CpioEntry, writeCpio } from "./cpio.ts";
import type { ModuleSet } from "./modules.ts";

/** What goes into a guest's initramfs. */
export interface InitramfsContents {
  /** the static program that becomes PID 1 */
  agent: Uint8Array;
  /** the kernel modules that it may load */
  moduleSet: ModuleSet;
}

const DIRECTORIES = ["dev", "lib", "lib/modules", "proc", "run", "sys", "tmp"];

/**
 * Makes the file system that the kernel unpacks at its start: the agent as `/init`, its modules in
 * `/lib/modules/NAME.ko`, their load order in `/lib/modules/order.json`, and empty directories to mount on.
 * The same contents always give the same bytes.
 */
export function buildInitramfs({ agent, moduleSet }: InitramfsContents): Uint8Array {
  const entries: CpioEntry[] = [
    ...DIRECTORIES.map((path) => ({
      path,
      kind: "directory" as const,
      mode: path === "tmp" ? 0o1777 : 0o755,
    })),
    // The kernel opens /dev/console as PID 1's standard streams before anything can mount a devtmpfs.
    { path: "dev/console", kind: "device", mode: 0o600, major: 5, minor: 1 },
    { path: "dev/null", kind: "device", mode: 0o666, major: 1, minor: 3 },
    { path: "init", kind: "file", mode: 0o755, data: agent },
    {
      path: "lib/modules/order.json",
      kind: "file",
      mode: 0o644,
      data: Buffer.from(`${JSON.stringify(sortKeys(moduleSet.order))}\n`),
    },
    ...moduleSet.modules.map(({ name, data }) => ({
      path: `lib/modules/${name}.ko`,
      kind: "file" as const,
      mode: 0o644,
      data,
    })),
  ];
  return writeCpio(entries);
}

function sortKeys(order: Record<string, string[]>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(order).sort(([a], [b]) => (a < b ? -1 : 1)));
}
