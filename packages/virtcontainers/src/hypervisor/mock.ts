import { HuskError } from "../errors/index.ts";
import type { PodDirectory } from "../store/pod-directory.ts";
import type { VmRecord } from "../store/pod-record.ts";
import { identifyProcess } from "../store/process-identity.ts";
import type { HypervisorConfig } from "../types/index.ts";
import { toBlocks } from "./qemu/memory.ts";
import { allocateScsiAddress, allocateSlot } from "./qemu/slots.ts";
import type {
  BlockHotplug,
  Capabilities,
  Drive,
  Hypervisor,
  Nic,
  NicHotplug,
  ResourceHotplug,
  VfioHotplug,
  VmSpec,
  WaitOptions,
} from "./types.ts";
import type { VfioFunction } from "./vfio.ts";

/** Steps of the mock hypervisor that can be made to fail by `hypervisorParams: [{key: "fail", value: step}]`. */
type Step =
  | "createPod"
  | "startPod"
  | "waitPod"
  | "pausePod"
  | "resumePod"
  | "stopPod"
  | "hotplugAddDevice"
  | "hotplugRemoveDevice"
  | "hotplugAddVfio"
  | "hotplugRemoveVfio"
  | "hotplugAddNic"
  | "hotplugRemoveNic"
  | "hotplugVcpus"
  | "hotplugMemory"
  | "full";

/** A hypervisor that starts nothing, for tests of what is above it. Its VM "lives" as long as this process. */
export class MockHypervisor implements Hypervisor, BlockHotplug, NicHotplug, VfioHotplug, ResourceHotplug {
  readonly type = "mock";
  readonly deadlineFactor = 1;
  readonly #config: HypervisorConfig;
  #vm: VmRecord | undefined;
  #size = { vcpus: 1, memory: 0 };

  constructor(config: HypervisorConfig, vm?: VmRecord | undefined) {
    this.#config = config;
    this.#vm = vm;
  }

  get vm(): VmRecord | undefined {
    return this.#vm;
  }

  capabilities(): Capabilities {
    const disks = this.#config.disableBlockDeviceUse !== true;
    return {
      blockDevice: disks,
      blockDeviceHotplug: disks,
      vfioHotplug: true,
      nicHotplug: true,
      resourceHotplug: true,
      templates: false,
      diskExchange: false,
    };
  }

  coldPlugAddress(): undefined {}

  async createPod({ vcpus, memory }: VmSpec): Promise<void> {
    this.#step("createPod");
    this.#size = { vcpus, memory };
  }

  async startPod(_directory: PodDirectory, options: WaitOptions): Promise<VmRecord> {
    this.#step("startPod");
    const me = identifyProcess(process.pid);
    if (!me) throw new Error("this process is not in /proc");
    this.#vm = { ...me, accelerator: "mock" };
    options.mark?.("mock-spawned");
    return this.#vm;
  }

  async waitPod(): Promise<void> {
    this.#step("waitPod");
  }

  async waitExit(): Promise<void> {
    this.#vm = undefined;
  }

  async pausePod(): Promise<void> {
    this.#step("pausePod");
  }

  async readState(): Promise<undefined> {}

  async resumePod(): Promise<void> {
    this.#step("resumePod");
  }

  async stopPod(): Promise<void> {
    this.#step("stopPod");
    this.#vm = undefined;
  }

  async hotplugAddDevice(_drive: Drive, _directory: PodDirectory, taken: readonly string[]): Promise<string> {
    this.#step("hotplugAddDevice");
    return allocateScsiAddress(taken);
  }

  async hotplugRemoveDevice(): Promise<void> {
    this.#step("hotplugRemoveDevice");
  }

  async hotplugAddVfio(
    _vfio: VfioFunction,
    _directory: PodDirectory,
    taken: readonly string[],
  ): Promise<string> {
    this.#step("hotplugAddVfio");
    return allocateSlot({ machine: "q35", slots: 16 }, taken);
  }

  async hotplugRemoveVfio(): Promise<void> {
    this.#step("hotplugRemoveVfio");
  }

  async hotplugAddNic(_nic: Nic, _directory: PodDirectory, taken: readonly string[]): Promise<string> {
    this.#step("hotplugAddNic");
    return allocateSlot({ machine: "q35", slots: 16 }, taken);
  }

  async hotplugRemoveNic(): Promise<void> {
    this.#step("hotplugRemoveNic");
  }

  async hotplugVcpus(total: number): Promise<number> {
    this.#step("hotplugVcpus");
    if (total > this.#size.vcpus) this.#needRoom();
    this.#size.vcpus = Math.max(this.#size.vcpus, total);
    return this.#size.vcpus;
  }

  async hotplugRemoveVcpus(total: number): Promise<void> {
    this.#size.vcpus = total;
  }

  async hotplugMemory(totalMiB: number): Promise<number> {
    this.#step("hotplugMemory");
    const missing = toBlocks(Math.max(totalMiB - this.#size.memory, 0));
    if (missing > 0) this.#needRoom();
    this.#size.memory += missing;
    return this.#size.memory;
  }

  disconnect(): void {}

  /** A VM that was told to fail at `full` has no room for more. */
  #needRoom(): void {
    if (this.#fails("full")) throw new HuskError("ERR_NO_DEVICE_SLOT", "the mock VM is full");
  }

  #fails(step: Step): boolean {
    return this.#config.hypervisorParams?.some(({ key, value }) => key === "fail" && value === step) === true;
  }

  #step(step: Step): void {
    if (this.#fails(step)) throw new HuskError("ERR_QMP", `the mock hypervisor was told to fail at ${step}`);
  }
}
