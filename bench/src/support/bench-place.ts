import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type AgentType,
  type CallOptions,
  createPod,
  deletePod,
  type HypervisorConfig,
  listPod,
  startPod,
  type VCPod,
} from "@husk/virtcontainers";
import { DEMO_ROOTFS, INITRAMFS, KERNEL } from "./places.ts";

/** command of a container that is only there to be entered */
const REST = ["sleep", "1000000"];

/** Folders for the benchmark's pods; disposing of it deletes the pods, too. */
export class BenchPlace implements AsyncDisposable {
  /** short, so that the sockets of pods stand in the pods' own folders */
  readonly folder: string;
  /** options of the library's calls */
  readonly options: CallOptions;

  private constructor(folder: string) {
    this.folder = folder;
    this.options = { root: join(folder, "s"), cache: join(folder, "cache") };
  }

  static async create(): Promise<BenchPlace> {
    return new BenchPlace(await mkdtemp("/tmp/h-"));
  }

  /** The folders of another process's benchmark; not to be disposed of here. */
  static open(folder: string): BenchPlace {
    return new BenchPlace(folder);
  }

  /** Environment for husk's command line. */
  get env(): NodeJS.ProcessEnv {
    return { ...process.env, HUSK_ROOT: join(this.folder, "s"), HUSK_CACHE: join(this.folder, "cache") };
  }

  /** A file of a pod. */
  podFile(podId: string, name: string): string {
    return join(this.folder, "s/pods", podId, name);
  }

  /** Boots a pod whose containers only rest; its agent says on the console what it measures. */
  async startRestingPod(
    podId: string,
    containerIds: readonly string[],
    changes: HypervisorConfig = {},
    agentType: AgentType = "hyperstart",
  ): Promise<VCPod> {
    const hypervisorConfig: HypervisorConfig = {
      kernelPath: KERNEL,
      imagePath: INITRAMFS,
      kernelParams: [{ key: "HUSK_LOG", value: "debug" }],
      ...changes,
    };
    const containers = containerIds.map((id) => ({ id, rootFs: DEMO_ROOTFS, cmd: { args: [...REST] } }));
    await createPod({ id: podId, agentType, hypervisorConfig, containers }, this.options);
    return startPod(podId, this.options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { id } of await listPod(this.options)) await deletePod(id, this.options);
    await rm(this.folder, { recursive: true, force: true });
  }
}
