import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAgent } from "../agent/index.ts";
import { HuskError } from "../errors/index.ts";
import { createHypervisor } from "../hypervisor/index.ts";
import {
  type Hypervisor,
  type Templating,
  templatingOf,
  type VmSpec,
  type VmTemplate,
} from "../hypervisor/types.ts";
import { FileLock, lockDescriptor, openLockFile } from "../store/flock.ts";
import { PodDirectory } from "../store/pod-directory.ts";
import type { PodConfig } from "../types/index.ts";
import { defaultTemplatePath, type TemplateInfo, TemplateStore, templateKey } from "./template-store.ts";

/** Word by which the agent knows that its VM is to be copied. */
const TEMPLATE_PARAM = { key: "HUSK_TEMPLATE", value: "1" };
const NO_UUID = "00000000-0000-0000-0000-000000000000";

/** What one call of a factory goes by. */
export interface FactoryOptions {
  readonly root: string;
  readonly cache: string;
  readonly signal?: AbortSignal | undefined;
  readonly mark: (phase: string) => void;
}

/**
 * The template for a pod's VM; it is made when there is none, which takes as long as a boot.
 * @throws HuskError as the boot of a VM; ERR_STORE, ERR_NOT_SUPPORTED
 */
export async function templateFor(
  config: PodConfig,
  size: { vcpus: number; memory: number },
  templatePath: string | undefined,
  options: FactoryOptions,
): Promise<VmTemplate> {
  const store = new TemplateStore(templatePath ?? defaultTemplatePath(options.root));
  const builder = new TemplateBuilder(config, size, store, options);
  const key = await builder.key();
  if (!store.find(key)) await builder.build(key);
  return { ...store.files(store.folder(key)), role: "clone" };
}

/** The words that the kernel of a template, and so of its copies, has been given. */
export function templateParams(config: PodConfig) {
  return [...createAgent(config).kernelParams, TEMPLATE_PARAM];
}

/** Makes one template. */
class TemplateBuilder {
  readonly #config: PodConfig;
  readonly #size: { vcpus: number; memory: number };
  readonly #store: TemplateStore;
  readonly #options: FactoryOptions;

  constructor(
    config: PodConfig,
    size: { vcpus: number; memory: number },
    store: TemplateStore,
    options: FactoryOptions,
  ) {
    this.#config = config;
    this.#size = size;
    this.#store = store;
    this.#options = options;
  }

  /** Digest of all that the template depends on. */
  async key(): Promise<string> {
    const hypervisor = await this.#describe("");
    const { agentType, agentConfig } = this.#config;
    return templateKey(JSON.stringify([hypervisor.templateIdentity(), agentType, agentConfig]));
  }

  /** Boots a VM, freezes it and keeps it. Of several who want the same, one does it, and the others wait. */
  async build(key: string): Promise<void> {
    const { signal } = this.#options;
    using lock = new FileLock(openLockFile(`${this.#store.folder(key)}.lock`));
    await lockDescriptor(lock.fd, { mode: "exclusive", signal });
    if (this.#store.find(key)) return;
    const folder = join(this.#store.path, `.new-${process.pid}-${randomBytes(4).toString("hex")}`);
    mkdirSync(folder, { mode: 0o700 });
    try {
      const info = await this.#fill(folder, key);
      writeFileSync(join(folder, "template.json"), `${JSON.stringify(info)}\n`, { mode: 0o600 });
      this.#store.publish(folder, key);
      this.#options.mark("template-built");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  async #fill(folder: string, key: string): Promise<TemplateInfo> {
    const vm = join(folder, "vm");
    mkdirSync(vm, { mode: 0o700 });
    const directory = new PodDirectory(vm);
    const hypervisor = await this.#describe(folder);
    try {
      await hypervisor.startPod(directory, this.#options);
      await this.#meetAgent(hypervisor, directory);
      await hypervisor.saveTemplate(directory, this.#options);
    } finally {
      await hypervisor.stopPod(directory);
      rmSync(vm, { recursive: true, force: true });
    }
    const { agentType = "hyperstart" } = this.#config;
    return { key, createdAt: new Date().toISOString(), ...this.#size, agent: agentType };
  }

  /** Waits until the agent serves, and lets go of it again. */
  async #meetAgent(hypervisor: Hypervisor, directory: PodDirectory): Promise<void> {
    const { signal } = this.#options;
    const [waited, opened] = await Promise.allSettled([
      hypervisor.waitPod(directory, this.#options),
      createAgent(this.#config).open({
        directory,
        deadlineFactor: hypervisor.deadlineFactor,
        fresh: true,
        signal,
        events: { onExit: () => {}, onClosed: () => {} },
        runningContainers: () => [],
        describeLoss: async () => new HuskError("ERR_VM_LOST", "the VM of the template has ended"),
      }),
    ]);
    if (opened.status === "fulfilled") opened.value?.close();
    if (waited.status === "rejected") throw waited.reason;
    if (opened.status === "rejected") throw opened.reason;
  }

  async #describe(folder: string): Promise<Hypervisor & Templating> {
    const { hypervisorConfig = {}, hypervisorType = "qemu" } = this.#config;
    const hypervisor = templatingOf(createHypervisor(hypervisorType, hypervisorConfig));
    if (!hypervisor)
      throw new HuskError("ERR_NOT_SUPPORTED", `the hypervisor ${hypervisorType} knows no templates`);
    const usesScsi = hypervisorConfig.blockDeviceDriver === "virtio-scsi";
    const spec: VmSpec = {
      podId: "template",
      uuid: NO_UUID,
      ...this.#size,
      config: {
        ...hypervisorConfig,
        kernelParams: [...templateParams(this.#config), ...(hypervisorConfig.kernelParams ?? [])],
      },
      ports: createAgent(this.#config).ports,
      drives: usesScsi ? [] : [{ id: "drive0", imagePath: this.#store.placeholder() }],
      shares: [],
      vfioDevices: [],
      cache: this.#options.cache,
      template: { ...this.#store.files(folder), role: "source" },
    };
    await hypervisor.createPod(spec);
    return hypervisor;
  }
}
