import type { ChildProcess } from "node:child_process";
import { abortError, withDeadline } from "../../deadline.ts";
import { HuskError, isHuskError, systemCode } from "../../errors/index.ts";
import { lockFile } from "../../store/flock.ts";
import type { PodDirectory } from "../../store/pod-directory.ts";
import type { VmRecord } from "../../store/pod-record.ts";
import { isProcessAlive, killProcess } from "../../store/process-identity.ts";
import type { HypervisorConfig } from "../../types/index.ts";
import { deadlineFactor, deadlineMs } from "../deadlines.ts";
import { withLogTail } from "../log-tail.ts";
import type { BlockHotplug, Capabilities, Drive, Hypervisor, StartOptions, VmSpec, WaitOptions } from "../types.ts";
import { qemuArguments } from "./command-line.ts";
import { freezeVm, thawVm } from "./freeze.ts";
import { plugDrive } from "./hotplug.ts";
import { launchQemu } from "./launch.ts";
import { canHotplug, DEFAULT_SLOTS, planVm } from "./plan.ts";
import { QmpClient } from "./qmp-client.ts";

/** A VM in a QEMU process. */
export class QemuHypervisor implements Hypervisor, BlockHotplug {
  readonly type = "qemu";
  readonly #config: HypervisorConfig;
  #vm: VmRecord | undefined;
  #launch: { program: string; args: string[]; accelerator: string } | undefined;
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
    return deadlineFactor(this.#vm?.accelerator ?? this.#launch?.accelerator ?? "tcg");
  }

  get #qmpMs(): number {
    return deadlineMs("qmp", this.deadlineFactor);
  }

  capabilities(): Capabilities {
    return { blockDeviceHotplug: canHotplug(this.#config.hypervisorMachineType ?? "q35") };
  }

  async createPod(spec: VmSpec): Promise<void> {
    const { plan, program } = await planVm(spec);
    this.#launch = { program, args: qemuArguments(plan), accelerator: plan.accelerator };
  }

  async startPod(directory: PodDirectory, options: StartOptions): Promise<VmRecord> {
    if (!this.#launch) throw new Error("startPod needs createPod first");
    const { program, args } = this.#launch;
    const { child, identity, locked } = await launchQemu(program, args, directory, options.shares);
    this.#child = child;
    this.#childExit = new Promise((resolve) => child.once("exit", () => resolve()));
    this.#locked = locked;
    locked.catch(() => {});
    this.#vm = { ...identity, accelerator: this.#launch.accelerator };
    options.mark?.("qemu-spawned");
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
    const text = withLogTail("QEMU did not start", "QEMU says", directory.file("hypervisorLog"));
    return new HuskError("ERR_QEMU_START", text, { cause });
  }

  async waitExit(directory: PodDirectory, options: WaitOptions & { timeoutMs: number }): Promise<void> {
    const { timeoutMs: ms, signal } = options;
    if (this.#childExit) {
      await withDeadline(this.#childExit, { ms, signal, what: "QEMU to end" });
    } else if (this.#vm && isProcessAlive(this.#vm)) {
      await waitForVmLock(directory, ms, signal);
    }
    this.#vm = undefined;
  }

  async pausePod(directory: PodDirectory, { signal }: WaitOptions): Promise<void> {
    await freezeVm(directory.socket("qmp"), { timeoutMs: this.#qmpMs, signal });
  }

  async resumePod(directory: PodDirectory, { signal }: WaitOptions): Promise<void> {
    await thawVm(directory.socket("qmp"), { timeoutMs: this.#qmpMs, signal });
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
    const timeoutMs = this.#qmpMs;
    const slots = this.#config.defaultBridges ?? DEFAULT_SLOTS;
    return plugDrive(drive, directory.socket("qmp"), { taken, slots, timeoutMs, signal: options.signal });
  }

  disconnect(): void {
    this.#child?.unref();
  }
}

/** The VM's lock is held by QEMU itself: when it can be had, QEMU has gone. */
async function waitForVmLock(
  directory: PodDirectory,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<void> {
  try {
    const lock = await lockFile(directory.file("vmLock"), { mode: "shared", timeoutMs, signal });
    if (signal?.aborted) throw abortError(signal);
    if (!lock) throw new HuskError("ERR_TIMEOUT", `QEMU did not end within ${Math.round(timeoutMs)} ms`);
    lock.release();
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}
