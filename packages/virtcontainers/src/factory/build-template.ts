import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createAgent } from "../agent/index.ts";
import type { AgentSession } from "../agent/types.ts";
import { HuskError, isHuskError } from "../errors/index.ts";
import { createHypervisor } from "../hypervisor/index.ts";
import { type Hypervisor, type Templating, templatingOf, type VmSpec } from "../hypervisor/types.ts";
import { FileLock, lockDescriptor, openLockFile } from "../store/flock.ts";
import { PodDirectory } from "../store/pod-directory.ts";
import type { VmSize } from "../store/pod-record.ts";
import { findPodProcesses, isProcessAlive, killProcess } from "../store/process-identity.ts";
import type { HypervisorConfig, Param, PodConfig } from "../types/index.ts";
import { rehearseVm } from "./rehearse-vm.ts";
import { filesOf, type TemplateStore, templateKey } from "./template-store.ts";

/** Word by which the agent knows that its VM is to be copied. */
const TEMPLATE_PARAM: Param = { key: "HUSK_TEMPLATE", value: "1" };
/** Id of the disk whose place each copy's first disk takes. */
export const PLACEHOLDER_ID = "drive0";
const NO_UUID = "00000000-0000-0000-0000-000000000000";
/** A template that is being made: its maker, and the uuid on the command line of its VM. */
const UNFINISHED = /^\.new-(\d+)-(\d+)-([0-9a-f-]{36})$/;

/** What one call goes by. */
export interface BuildOptions {
  readonly cache: string;
  readonly signal?: AbortSignal | undefined;
  readonly mark: (phase: string) => void;
}

/** The words that the kernel of a template, and so of its copies, is given. */
export function templateParams(config: PodConfig): Param[] {
  return [...createAgent(config).kernelParams, TEMPLATE_PARAM];
}

/** Why there are none with some hypervisors. */
export const NO_TEMPLATES = "its hypervisor knows no templates";

/** Why a VM of a configuration can neither be a template nor a copy of one; undefined: it can. */
export function templateObstacle(config: HypervisorConfig): string | undefined {
  if (config.hypervisorMachineType === "microvm") return "a microvm takes no devices while it runs";
  if (config.hugePages || config.memPrealloc || config.mlock)
    return "its memory is to be there from the start";
  return undefined;
}

/** Makes the template of the VMs of one configuration. */
export class TemplateBuilder {
  readonly #config: PodConfig;
  readonly #size: VmSize;
  readonly #store: TemplateStore;
  readonly #options: BuildOptions;

  constructor(config: PodConfig, size: VmSize, store: TemplateStore, options: BuildOptions) {
    this.#config = config;
    this.#size = size;
    this.#store = store;
    this.#options = options;
  }

  /** Digest of all that the template depends on. @throws HuskError ERR_NOT_SUPPORTED, and as `Hypervisor.createPod` */
  async key(): Promise<string> {
    const { hypervisor } = await this.#describe("", NO_UUID);
    const { agentType, agentConfig } = this.#config;
    return templateKey(JSON.stringify([hypervisor.templateIdentity(), agentType, agentConfig]));
  }

  /**
   * Boots a VM, freezes it and keeps it. Of several callers who want the same, one does it, and the others wait.
   * @throws HuskError as the boot of a VM; ERR_QMP, ERR_STORE
   */
  async build(key: string): Promise<void> {
    using lock = new FileLock(openLockFile(`${this.#store.folder(key)}.lock`));
    await lockDescriptor(lock.fd, { mode: "exclusive", signal: this.#options.signal });
    if (this.#store.find(key)) return;
    clearUnfinished(this.#store);
    this.#store.checkRoom(this.#size.memory);
    const { folder, uuid } = this.#store.makeUnfinished();
    try {
      await this.#freezeVm(folder, uuid);
      const { agentType: agent = "hyperstart" } = this.#config;
      this.#store.publish(folder, { key, createdAt: new Date().toISOString(), ...this.#size, agent });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    this.#options.mark("template-built");
  }

  /** One whose guest cannot do what is rehearsed can be a template all the same. */
  async #freezeVm(folder: string, uuid: string): Promise<void> {
    try {
      await this.#bootAndFreeze(folder, uuid, { rehearse: true });
    } catch (error) {
      if (!isHuskError(error, "ERR_AGENT_REFUSED") && !isHuskError(error, "ERR_AGENT_PROTOCOL")) throw error;
      await this.#bootAndFreeze(folder, uuid, { rehearse: false });
    }
  }

  async #bootAndFreeze(folder: string, uuid: string, { rehearse }: { rehearse: boolean }): Promise<void> {
    const vm = join(folder, "vm");
    mkdirSync(vm, { mode: 0o700 });
    const directory = new PodDirectory(vm);
    const { hypervisor, spec } = await this.#describe(folder, uuid);
    try {
      await hypervisor.startPod(directory, this.#options);
      const session = await this.#meetAgent(hypervisor, directory);
      try {
        const { deadlineFactor } = hypervisor;
        if (session && rehearse)
          await rehearseVm({ session, placeholder: spec.drives[0], deadlineFactor }, this.#options);
      } finally {
        session?.close();
      }
      await hypervisor.saveTemplate(directory, this.#options);
    } finally {
      await hypervisor.stopPod(directory);
      rmSync(vm, { recursive: true, force: true });
    }
  }

  /** Waits until the agent serves. */
  async #meetAgent(hypervisor: Hypervisor, directory: PodDirectory): Promise<AgentSession | undefined> {
    const { signal } = this.#options;
    const opening = createAgent(this.#config).open({
      directory,
      deadlineFactor: hypervisor.deadlineFactor,
      fresh: true,
      signal,
      events: { onExit: () => {}, onClosed: () => {} },
      runningContainers: () => [],
      describeLoss: async () => new HuskError("ERR_VM_LOST", "the VM of the template has ended"),
    });
    const [waited, opened] = await Promise.allSettled([
      hypervisor.waitPod(directory, this.#options),
      opening,
    ]);
    // When QEMU did not even start, that is why the agent is not there.
    if (waited.status === "rejected") {
      if (opened.status === "fulfilled") opened.value?.close();
      throw waited.reason;
    }
    if (opened.status === "rejected") throw opened.reason;
    return opened.value;
  }

  async #describe(
    folder: string,
    uuid: string,
  ): Promise<{ hypervisor: Hypervisor & Templating; spec: VmSpec }> {
    const { hypervisorConfig = {}, hypervisorType = "qemu" } = this.#config;
    const hypervisor = templatingOf(createHypervisor(hypervisorType, hypervisorConfig));
    const problem = templateObstacle(hypervisorConfig);
    if (!hypervisor || problem)
      throw new HuskError("ERR_NOT_SUPPORTED", `no template of such a VM: ${problem ?? NO_TEMPLATES}`);
    const { signal } = this.#options;
    const usesScsi = hypervisorConfig.blockDeviceDriver === "virtio-scsi";
    const kernelParams = [...templateParams(this.#config), ...(hypervisorConfig.kernelParams ?? [])];
    const spec: VmSpec = {
      podId: "template",
      uuid,
      ...this.#size,
      config: { ...hypervisorConfig, kernelParams },
      ports: createAgent(this.#config).ports,
      drives: usesScsi ? [] : [{ id: PLACEHOLDER_ID, imagePath: await this.#store.placeholder(signal) }],
      shares: [],
      vfioDevices: [],
      cache: this.#options.cache,
      template: { ...filesOf(folder), role: "source" },
    };
    await hypervisor.createPod(spec);
    return { hypervisor, spec };
  }
}

/** Removes what was being made by processes that have died, with their VMs. */
export function clearUnfinished(store: TemplateStore): void {
  const dead = store.unfinished().filter((name) => {
    const [, pid, startTime] = UNFINISHED.exec(name) ?? [];
    return pid && startTime && !isProcessAlive({ pid: Number(pid), startTime });
  });
  for (const name of dead) {
    const uuid = UNFINISHED.exec(name)?.[3] ?? "";
    for (const found of findPodProcesses(uuid)) killProcess(found);
    rmSync(join(store.path, name), { recursive: true, force: true });
  }
}
