import type { ChildProcess } from "node:child_process";
import { statSync } from "node:fs";
import { withDeadline } from "../../deadline.ts";
import { HuskError, isHuskError } from "../../errors/index.ts";
import { waitForNamespace } from "../../storage/share-namespace.ts";
import { waitForHolders } from "../../store/flock.ts";
import type { PodDirectory } from "../../store/pod-directory.ts";
import type { VmRecord } from "../../store/pod-record.ts";
import { isProcessAlive, killProcess } from "../../store/process-identity.ts";
import type { BlockDeviceDriver, HypervisorConfig } from "../../types/index.ts";
import { deadlineFactor, deadlineMs } from "../deadlines.ts";
import { readLogTail, withLogTail } from "../log-tail.ts";
import type {
  BlockHotplug,
  Capabilities,
  DiskExchange,
  Drive,
  Hypervisor,
  Nic,
  NicHotplug,
  NicHotplugOptions,
  ResourceHotplug,
  StartOptions,
  Templating,
  VfioHotplug,
  VmSpec,
  WaitOptions,
} from "../types.ts";
import type { VfioFunction } from "../vfio.ts";
import { type QemuPlan, qemuArguments } from "./command-line.ts";
import { exchangeDisk } from "./exchange-disk.ts";
import { freezeVm, readRunState, thawVm } from "./freeze.ts";
import { type HotplugOptions, plugDevice, plugDrive, unplugDevice, unplugDrive } from "./hotplug.ts";
import { launchQemu } from "./launch.ts";
import { plugMemory } from "./memory-hotplug.ts";
import { findNetworkError } from "./network-error.ts";
import { livesIn } from "./nic-descriptors.ts";
import { plugNic, unplugNic } from "./nic-hotplug.ts";
import { hasVhostNet, inheritedNodes } from "./nics.ts";
import { DEFAULT_BLOCK_DRIVER, planSlots, planVm, withNetwork } from "./plan.ts";
import { QmpClient } from "./qmp-client.ts";
import { allocateDiskAddress, allocateScsiAddress, allocateSlot, type SlotPlan } from "./slots.ts";
import { loadState, saveState } from "./template.ts";
import { plugVcpus, unplugVcpus } from "./vcpu-hotplug.ts";
import { vfioDeviceOf, vfioName } from "./vfio-device.ts";

/** A VM in a QEMU process. */
export class QemuHypervisor
  implements Hypervisor, BlockHotplug, NicHotplug, VfioHotplug, ResourceHotplug, DiskExchange, Templating
{
  readonly type = "qemu";
  readonly #config: HypervisorConfig;
  #vm: VmRecord | undefined;
  #launch: { program: string; plan: QemuPlan } | undefined;
  #child: ChildProcess | undefined;
  /** rejects when QEMU has ended; only for the process that started it */
  #childExit: Promise<void> | undefined;
  #locked: Promise<void> = Promise.resolve();

  /** `vm`: the process of a VM that runs already. */
  constructor(config: HypervisorConfig, vm?: VmRecord | undefined) {
    this.#config = config;
    this.#vm = vm;
  }

  get vm(): VmRecord | undefined {
    return this.#vm;
  }

  get deadlineFactor(): number {
    return deadlineFactor(this.#vm?.accelerator ?? this.#launch?.plan.accelerator ?? "tcg");
  }

  get #machine(): SlotPlan {
    return planSlots(this.#config);
  }

  get #blockDriver(): BlockDeviceDriver {
    return this.#config.blockDeviceDriver ?? DEFAULT_BLOCK_DRIVER;
  }

  get #qmpMs(): number {
    return deadlineMs("qmp", this.deadlineFactor);
  }

  capabilities(): Capabilities {
    const blockDevice = this.#config.disableBlockDeviceUse !== true;
    const takesPci = this.#machine.slots > 0;
    return {
      blockDevice,
      blockDeviceHotplug: blockDevice && (takesPci || this.#blockDriver === "virtio-scsi"),
      vfioHotplug: takesPci,
      nicHotplug: takesPci,
      resourceHotplug: this.#machine.machine !== "microvm",
      templates: true,
      diskExchange: blockDevice && this.#blockDriver === "virtio-blk",
    };
  }

  coldPlugAddress(taken: readonly string[]): string | undefined {
    return this.#blockDriver === "virtio-scsi" ? allocateScsiAddress(taken) : undefined;
  }

  async createPod(spec: VmSpec): Promise<void> {
    const launch = await planVm(spec);
    // What cannot be said to QEMU is refused now; networks, which may change the arguments, are not known yet.
    qemuArguments(launch.plan);
    this.#launch = launch;
  }

  async startPod(directory: PodDirectory, options: StartOptions): Promise<VmRecord> {
    if (!this.#launch) throw new Error("startPod needs createPod first");
    const { program } = this.#launch;
    const { shares, network } = options;
    const plan = network ? withNetwork(this.#launch.plan, network) : this.#launch.plan;
    const { ports } = plan;
    const nodes = inheritedNodes(plan.nics);
    const statePath = plan.template?.role === "clone" ? plan.template.statePath : undefined;
    const surroundings = { ports, shares, netNSPath: network?.netNSPath, statePath, nodes };
    const launched = await launchQemu(program, qemuArguments(plan), directory, surroundings);
    const { child, identity, locked } = launched;
    this.#child = child;
    this.#childExit = new Promise((resolve) => child.once("exit", () => resolve()));
    this.#locked = locked;
    locked.catch(() => {});
    this.#vm = { ...identity, accelerator: plan.accelerator };
    options.mark?.("qemu-spawned");
    if (shares?.wrap) {
      const timeoutMs = deadlineMs("shareBind", this.deadlineFactor);
      await waitForNamespace(child, { timeoutMs, signal: options.signal });
    }
    return this.#vm;
  }

  async waitPod(directory: PodDirectory, options: WaitOptions): Promise<void> {
    const timeoutMs = deadlineMs("boot", this.deadlineFactor);
    const limits = { timeoutMs, signal: options.signal };
    try {
      const client = await QmpClient.connect(directory.socket("qmp"), limits);
      client.close();
    } catch (error) {
      if (isHuskError(error, "ERR_ABORTED")) throw error;
      throw this.#startError(directory, error);
    }
    options.mark?.("qmp-greeting");
    await this.#locked;
  }

  #startError(directory: PodDirectory, cause: unknown): HuskError {
    const networkError = findNetworkError(readLogTail(directory.file("hypervisorLog")), cause);
    if (networkError) return networkError;
    const text = withLogTail("QEMU did not start", "QEMU says", directory.file("hypervisorLog"));
    return new HuskError("ERR_QEMU_START", text, { cause });
  }

  async waitExit(directory: PodDirectory, options: WaitOptions & { timeoutMs: number }): Promise<void> {
    const limits = { ...options, ms: options.timeoutMs, what: "QEMU to end" };
    if (this.#childExit) {
      await withDeadline(this.#childExit, limits);
    } else if (this.#vm && isProcessAlive(this.#vm)) {
      await waitForHolders(directory.file("vmLock"), limits);
    }
    this.#vm = undefined;
  }

  async pausePod(directory: PodDirectory, { signal }: WaitOptions): Promise<void> {
    await freezeVm(directory.socket("qmp"), { timeoutMs: this.#qmpMs, signal });
  }

  async readState(directory: PodDirectory, { signal }: WaitOptions): Promise<"running" | "paused"> {
    return readRunState(directory.socket("qmp"), { timeoutMs: this.#qmpMs, signal });
  }

  async resumePod(directory: PodDirectory, { signal }: WaitOptions): Promise<void> {
    await thawVm(directory.socket("qmp"), { timeoutMs: this.#qmpMs, signal });
  }

  templateIdentity(): string {
    if (!this.#launch) throw new Error("templateIdentity needs createPod first");
    const { program, plan } = this.#launch;
    const { kernelPath, initrdPath, rootDisk } = plan;
    const files = [program, kernelPath, initrdPath, rootDisk?.imagePath].flatMap((path) => {
      if (path === undefined) return [];
      const { size, mtimeMs, ino } = statSync(path);
      return [[path, size, mtimeMs, ino]];
    });
    return JSON.stringify([files, qemuArguments(plan)]);
  }

  async saveTemplate(directory: PodDirectory, { signal }: WaitOptions): Promise<void> {
    const template = this.#launch?.plan.template;
    if (template?.role !== "source") throw new Error("this VM is no template's source");
    await saveState(directory, template.statePath, { timeoutMs: this.#qmpMs, signal });
  }

  async loadTemplate(directory: PodDirectory, { signal }: WaitOptions): Promise<void> {
    const options = { timeoutMs: this.#qmpMs, signal };
    await loadState(directory.socket("qmp"), options);
  }

  async stopPod(directory: PodDirectory): Promise<void> {
    const vm = this.#vm;
    if (!vm) return;
    const options = { timeoutMs: this.#qmpMs };
    try {
      await QmpClient.use(directory.socket("qmp"), options, (client) =>
        client.execute({ execute: "quit" }, options),
      );
      await this.waitExit(directory, { timeoutMs: deadlineMs("exit", this.deadlineFactor) });
      return;
    } catch {
      // QEMU hangs, or ends just now: the signal settles both.
      killProcess(vm);
    }
    await this.waitExit(directory, { timeoutMs: deadlineMs("exit", this.deadlineFactor) });
  }

  async hotplugAddDevice(
    drive: Drive,
    directory: PodDirectory,
    taken: readonly string[],
    options: WaitOptions,
  ): Promise<string> {
    const { machine } = this.#machine;
    const addr = allocateDiskAddress(this.#blockDriver, this.#machine, taken);
    const plan = { machine, blockDriver: this.#blockDriver };
    await plugDrive({ ...drive, addr }, plan, directory.socket("qmp"), this.#hotplugOptions(options));
    return addr;
  }

  async hotplugRemoveDevice(drive: Drive, directory: PodDirectory, options: WaitOptions): Promise<void> {
    await unplugDrive(drive, directory.socket("qmp"), this.#hotplugOptions(options));
  }

  async exchangeDisk(drive: Drive, directory: PodDirectory, { signal }: WaitOptions): Promise<void> {
    await exchangeDisk(drive, directory.socket("qmp"), { timeoutMs: this.#qmpMs, signal });
  }

  async hotplugAddVfio(
    vfio: VfioFunction,
    directory: PodDirectory,
    taken: readonly string[],
    options: WaitOptions,
  ): Promise<string> {
    const addr = allocateSlot(this.#machine, taken);
    await plugDevice(vfioDeviceOf(vfio, addr), directory.socket("qmp"), this.#hotplugOptions(options));
    return addr;
  }

  async hotplugRemoveVfio(vfio: VfioFunction, directory: PodDirectory, options: WaitOptions): Promise<void> {
    await unplugDevice(vfioName(vfio), directory.socket("qmp"), this.#hotplugOptions(options));
  }

  async hotplugAddNic(
    nic: Nic,
    directory: PodDirectory,
    taken: readonly string[],
    { netNSPath, ...options }: NicHotplugOptions,
  ): Promise<string> {
    const { machine } = this.#machine;
    const addr = allocateSlot(this.#machine, taken);
    const accelerator = this.#vm?.accelerator === "kvm" ? "kvm" : "tcg";
    const origin = { netNSPath, tapHelperPath: this.#config.tapHelperPath };
    const isForeign = this.#vm !== undefined && netNSPath !== undefined && !livesIn(this.#vm, netNSPath);
    const vhostNet = hasVhostNet(accelerator);
    const place = { machine, accelerator, addr, vhostNet, origin, isForeign } as const;
    await plugNic(nic, place, directory.socket("qmp"), this.#hotplugOptions(options));
    return addr;
  }

  async hotplugRemoveNic(name: string, directory: PodDirectory, options: WaitOptions): Promise<void> {
    await unplugNic(name, directory.socket("qmp"), this.#hotplugOptions(options));
  }

  async hotplugVcpus(total: number, directory: PodDirectory, options: WaitOptions): Promise<number> {
    return plugVcpus(total, directory.socket("qmp"), this.#hotplugOptions(options));
  }

  async hotplugRemoveVcpus(total: number, directory: PodDirectory, options: WaitOptions): Promise<void> {
    await unplugVcpus(total, directory.socket("qmp"), this.#hotplugOptions(options));
  }

  async hotplugMemory(totalMiB: number, directory: PodDirectory, options: WaitOptions): Promise<number> {
    return plugMemory(totalMiB, this.#config, directory.socket("qmp"), this.#hotplugOptions(options));
  }

  #hotplugOptions({ signal }: WaitOptions): HotplugOptions {
    return { timeoutMs: this.#qmpMs, unplugMs: deadlineMs("unplug", this.deadlineFactor), signal };
  }

  disconnect(): void {
    this.#child?.unref();
  }
}
