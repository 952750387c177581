import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type AgentType,
  type CallOptions,
  type Cmd,
  createPod,
  deletePod,
  type HypervisorConfig,
  listPod,
  type PodConfig,
  startPod,
  type VCPod,
} from "@husk/virtcontainers";
import { DEMO_ROOTFS, INITRAMFS, KERNEL, RESIDENTS } from "./places.ts";

/** command of a container that is only there to be entered */
const REST = ["sleep", "1000000"];

/** A proxy and its shims. */
export type Pair = "cc" | "kata";

/** What a resting pod has beyond what all have. */
interface RestingPod {
  hypervisorConfig?: HypervisorConfig;
  agentType?: AgentType;
  /** default: neither proxy nor shims */
  pair?: Pair;
}

function residents(pair: Pair): Partial<PodConfig> {
  return {
    agentType: pair === "cc" ? "hyperstart" : "kata",
    proxyType: `${pair}Proxy`,
    proxyConfig: { path: join(RESIDENTS, `${pair}-proxy`) },
    shimType: `${pair}Shim`,
    shimConfig: { path: join(RESIDENTS, `${pair}-shim`) },
  };
}

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

  /**
   * Boots a pod whose containers only rest; its agent says on the console what it measures. With a proxy and shims, the
   * containers are detached.
   */
  async startRestingPod(
    podId: string,
    containerIds: readonly string[],
    { hypervisorConfig, agentType = "hyperstart", pair }: RestingPod = {},
  ): Promise<VCPod> {
    const cmd: Cmd = { args: [...REST], ...(pair ? { detach: true } : {}) };
    const config: PodConfig = {
      id: podId,
      agentType,
      hypervisorConfig: {
        kernelPath: KERNEL,
        imagePath: INITRAMFS,
        kernelParams: [{ key: "HUSK_LOG", value: "debug" }],
        ...hypervisorConfig,
      },
      containers: containerIds.map((id) => ({ id, rootFs: DEMO_ROOTFS, cmd })),
      ...(pair ? residents(pair) : {}),
    };
    await createPod(config, this.options);
    return startPod(podId, this.options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { id } of await listPod(this.options)) await deletePod(id, this.options);
    await rm(this.folder, { recursive: true, force: true });
  }
}
