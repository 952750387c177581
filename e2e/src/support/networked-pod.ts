import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import {
  createPod,
  deletePod,
  type HypervisorConfig,
  type NetworkConfig,
  type PodConfig,
  startPod,
} from "@husk/virtcontainers";
import { type TestNamespace, TestNetworks } from "./network-namespaces.ts";
import { makePayload, type Payload, type TrafficPeer, type TrafficPlace } from "./payload.ts";
import { runScript } from "./run-script.ts";
import { makeTrafficRoot } from "./traffic-root.ts";
import { LIMIT } from "./vm-test.ts";
import { Workplace } from "./workplace.ts";

/** What tests of networks need once per file. */
export interface TrafficTools {
  /** root file system with `traffic` */
  root: string;
  /** `traffic` for the host's side */
  program: string;
  /** 64 MiB, which fill every queue on the way */
  large: Payload;
  /** 1 MiB */
  small: Payload;
}

/** Makes them before the tests of a file. */
export function prepareTraffic(): TrafficTools {
  const tools: TrafficTools = {
    ...{ root: "", program: "" },
    ...{ large: { bytes: 0, digest: "" }, small: { bytes: 0, digest: "" } },
  };
  let folder = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "h-"));
    const { path, program } = await makeTrafficRoot(folder);
    const [large, small] = [makePayload(program, 64 << 20), makePayload(program, 1 << 20)];
    Object.assign(tools, { root: path, program, large, small });
  }, LIMIT);
  after(() => rm(folder, { recursive: true, force: true }));
  return tools;
}

/** How a pod of a test is, apart from its network. */
export interface PodOptions {
  readonly id?: string;
  readonly vcpus?: number;
  readonly hypervisor?: HypervisorConfig;
}

/** A state directory and network namespaces of a test, for pods with one container `c` and the network model CNM. */
export class NetworkedPlace implements AsyncDisposable {
  readonly place: Workplace;
  readonly networks = new TestNetworks();
  readonly #tools: TrafficTools;

  private constructor(place: Workplace, tools: TrafficTools) {
    this.place = place;
    this.#tools = tools;
  }

  static async create(tools: TrafficTools, signal: AbortSignal): Promise<NetworkedPlace> {
    return new NetworkedPlace(await Workplace.create(signal), tools);
  }

  /** The configuration of a pod. */
  config({ path }: Pick<TestNamespace, "path">, network: NetworkConfig, options: PodOptions = {}): PodConfig {
    const { id = "net", vcpus = 1, hypervisor } = options;
    const cmd = { args: ["sleep", "1000"] };
    return {
      id,
      vmConfig: { vcpus },
      hypervisorConfig: { ...this.place.hypervisorConfig, ...hypervisor },
      networkModel: "CNM",
      networkConfig: { netNSPath: path, ...network },
      containers: [{ id: "c", rootFs: this.#tools.root, readonlyRootfs: true, cmd }],
    };
  }

  /** Starts a pod in a namespace. */
  async start(
    namespace: TestNamespace,
    network: NetworkConfig,
    options: PodOptions = {},
  ): Promise<TrafficPlace> {
    const config = this.config(namespace, network, options);
    await createPod(config, this.place.options);
    await startPod(config.id, this.place.options);
    return { place: this.place, podId: config.id, containerId: "c" };
  }

  /** Runs a shell script in a pod; gives what it wrote. */
  run(script: string, podId = "net"): Promise<string> {
    return runScript(this.place, podId, "c", script);
  }

  async delete(podId = "net"): Promise<void> {
    await deletePod(podId, this.place.options);
  }

  peer(namespace: TestNamespace): TrafficPeer {
    return { namespace, program: this.#tools.program };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using _place = this.place;
    await using _networks = this.networks;
  }
}
