import type { TestContext } from "node:test";
import { deletePod, listPod } from "../index.ts";
import type { CallOptions, ContainerConfig, PodConfig } from "../types/index.ts";
import { makeTempRoot, type TempRoot } from "./temp-root.ts";

/** What tests of the API on a mock VM need. */
export interface MockBench extends TempRoot {
  readonly options: CallOptions;
  container(id: string): ContainerConfig;
  /** a pod with the containers `a` and `b`; `fail`: a step at which the mock hypervisor fails */
  config(changes?: Partial<PodConfig>, fail?: string): PodConfig;
}

export function makeMockBench(test: TestContext): MockBench {
  // A pod with an attached process would keep the test's own process from ending.
  const temp: TempRoot = makeTempRoot(test, async () => {
    for (const { id } of await listPod(options).catch(() => [])) await deletePod(id, options);
  });
  const options = { root: temp.root, cache: temp.cache };
  const container = (id: string): ContainerConfig => ({
    id,
    rootFs: temp.rootFs,
    cmd: { args: ["sleep", "1000"] },
  });
  const config = (changes: Partial<PodConfig> = {}, fail?: string): PodConfig => ({
    id: "pod",
    hypervisorType: "mock",
    hypervisorConfig: fail === undefined ? {} : { hypervisorParams: [{ key: "fail", value: fail }] },
    agentType: "noop",
    containers: [container("a"), container("b")],
    ...changes,
  });
  return { ...temp, options, container, config };
}
