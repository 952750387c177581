import type { VmRecord } from "../store/pod-record.ts";
import type { HypervisorConfig, HypervisorType } from "../types/index.ts";
import { MockHypervisor } from "./mock.ts";
import { QemuHypervisor } from "./qemu/index.ts";
import type { Hypervisor } from "./types.ts";

/** The hypervisor of a kind; `vm`: the process of a VM that runs already. */
export function createHypervisor(
  type: HypervisorType,
  config: HypervisorConfig,
  vm?: VmRecord | undefined,
): Hypervisor {
  return type === "mock" ? new MockHypervisor(config, vm) : new QemuHypervisor(config, vm);
}
