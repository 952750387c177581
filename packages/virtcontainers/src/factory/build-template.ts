import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { HuskError } from "../errors/index.ts";
import { type Drive, type Hypervisor, type Templating, templatingOf } from "../hypervisor/types.ts";
import { PodDirectory } from "../store/pod-directory.ts";
import type { VmSize } from "../store/pod-record.ts";
import { findPodProcesses, identifyProcess, isProcessAlive, killProcess } from "../store/process-identity.ts";
import type { HypervisorConfig, PodConfig } from "../types/index.ts";
import { describeBlankVm, hypervisorFor, meetAgent, NO_UUID } from "./blank-vm.ts";
import { isUnrehearsable, rehearseVm } from "./rehearse-vm.ts";
import { filesOf, PARTS, type TemplateStore, templateKey } from "./template-store.ts";

/** A template that is being made: its maker, and the uuid on the command line of its VM. */
const UNFINISHED = /^\.new-(\d+)-(\d+)-([0-9a-f-]{36})$/;

/** What one call goes by. */
export interface BuildOptions {
  readonly cache: string;
  readonly signal?: AbortSignal | undefined;
  readonly mark: (phase: string) => void;
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
    const { signal } = this.#options;
    using _ = await this.#store.lock(key, { mode: "exclusive", signal });
    if (this.#store.find(key)) return;
    using _parts = await this.#store.lock(PARTS, { mode: "shared", signal });
    clearUnfinished(this.#store);
    this.#store.checkRoom(this.#size.memory);
    const uuid = randomUUID();
    const me = identifyProcess(process.pid);
    const folder = join(this.#store.path, `.new-${process.pid}-${me?.startTime ?? 0}-${uuid}`);
    mkdirSync(folder, { mode: 0o700 });
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
      await this.#bootAndFreeze(folder, uuid, rehearseVm);
    } catch (error) {
      if (!isUnrehearsable(error)) throw error;
      await this.#bootAndFreeze(folder, uuid);
    }
  }

  async #bootAndFreeze(folder: string, uuid: string, rehearse?: typeof rehearseVm): Promise<void> {
    const vm = join(folder, "vm");
    mkdirSync(vm, { mode: 0o700 });
    const directory = new PodDirectory(vm);
    const { hypervisor, placeholder } = await this.#describe(folder, uuid);
    try {
      await hypervisor.startPod(directory, this.#options);
      const place = { config: this.#config, hypervisor, directory, fresh: true };
      const { deadlineFactor } = hypervisor;
      await meetAgent(place, this.#options, async (session) => {
        await rehearse?.({ session, placeholder, deadlineFactor }, this.#options);
      });
      await hypervisor.saveTemplate(directory, this.#options);
    } finally {
      await hypervisor.stopPod(directory);
      rmSync(vm, { recursive: true, force: true });
    }
  }

  async #describe(
    folder: string,
    uuid: string,
  ): Promise<{ hypervisor: Hypervisor & Templating; placeholder: Drive | undefined }> {
    const hypervisor = templatingOf(hypervisorFor(this.#config));
    const problem = templateObstacle(this.#config.hypervisorConfig ?? {});
    if (!hypervisor || problem)
      throw new HuskError("ERR_NOT_SUPPORTED", `no template of such a VM: ${problem ?? NO_TEMPLATES}`);
    const spec = describeBlankVm(this.#config, {
      name: "template",
      uuid,
      size: this.#size,
      cache: this.#options.cache,
      placeholder: await this.#store.placeholder(this.#options.signal),
      template: { ...filesOf(folder), role: "source" },
    });
    await hypervisor.createPod(spec);
    return { hypervisor, placeholder: spec.drives[0] };
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
