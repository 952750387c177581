import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { findPodProcesses, type ProcessIdentity } from "../store/process-identity.ts";
import type { PodConfig } from "../types/index.ts";
import { type MockBench, makeMockBench } from "./mock-pod.ts";

/** Pods on a mock VM whose proxy and shims are programs, and whose agent is a fake one in the proxy. */
export interface ResidentBench extends MockBench {
  /** a pod with the container `a`, which runs a command of the fake agent's */
  pod(args: string[], changes?: Partial<PodConfig>): PodConfig;
  /** processes that were started for the pod */
  residents(): ProcessIdentity[];
  /** a program that can be executed, of a text */
  script(name: string, text: string): string;
}

export function makeResidentBench(test: TestContext): ResidentBench {
  const bench = makeMockBench(test);
  const script = (name: string, text: string) => {
    const path = join(bench.base, name);
    writeFileSync(path, text);
    chmodSync(path, 0o755);
    return path;
  };
  const program = (name: string) => {
    const source = fileURLToPath(new URL(`./programs/${name}.ts`, import.meta.url));
    return script(name, `#!/bin/sh\nexec ${process.execPath} ${source} "$@"\n`);
  };
  const [proxy, shim] = [program("fake-kata-proxy"), program("fake-kata-shim")];
  const pod = (args: string[], changes: Partial<PodConfig> = {}): PodConfig =>
    bench.config({
      agentType: "kata",
      proxyType: "kataProxy",
      proxyConfig: { path: proxy },
      shimType: "kataShim",
      shimConfig: { path: shim },
      containers: [{ ...bench.container("a"), cmd: { args, detach: true } }],
      ...changes,
    });
  let uuid = "";
  const residents = () => {
    try {
      uuid = JSON.parse(readFileSync(join(bench.root, "pods", "pod", "pod.json"), "utf8")).uuid;
    } catch {
      // It has gone; its processes are to have gone, too.
    }
    return uuid ? findPodProcesses(uuid) : [];
  };
  return { ...bench, pod, residents, script };
}
