import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HypervisorConfig } from "@husk/virtcontainers";
import type { TestNamespace } from "./network-namespaces.ts";
import { RESIDENTS } from "./places.ts";
import type { Workplace } from "./workplace.ts";

const QEMU = "/usr/bin/qemu-system-x86_64";

/** The program that opens interfaces for VMs that run. */
export const TAP_HELPER = join(RESIDENTS, "husk-tap");

/** VMs that live in this network namespace, wherever their pods are: as those do that somebody has kept ready. */
export function livingIn({ path }: TestNamespace, place: Workplace): HypervisorConfig {
  const hypervisorPath = join(place.folder, "qemu");
  if (!existsSync(hypervisorPath)) {
    const script = `#!/bin/sh\nexec nsenter --net=${path} -- ${QEMU} "$@"\n`;
    writeFileSync(hypervisorPath, script, { mode: 0o755 });
  }
  return { ...place.hypervisorConfig, hypervisorPath, tapHelperPath: TAP_HELPER, defaultBridges: 4 };
}
