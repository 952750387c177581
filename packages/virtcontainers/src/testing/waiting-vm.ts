import { randomUUID } from "node:crypto";
import { abortError } from "../deadline.ts";
import type { VmRecipe } from "../factory/stage-vm.ts";
import { StagedVm } from "../factory/staged-vm.ts";
import { MockHypervisor } from "../hypervisor/mock.ts";
import type { WaitOptions } from "../hypervisor/types.ts";
import type { PodDirectory } from "../store/pod-directory.ts";
import { RECORD_VERSION, writeRecord } from "../store/pod-record.ts";
import { identifyProcess } from "../store/process-identity.ts";
import { makeStaging } from "../store/staging.ts";
import type { VmCacheTier } from "../types/index.ts";

/** A VM that starts nothing, and lives until it is stopped. */
class LastingHypervisor extends MockHypervisor {
  readonly #end = Promise.withResolvers<void>();

  override waitExit(_directory?: PodDirectory, { signal }: WaitOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(abortError(signal)), { once: true });
      void this.#end.promise.then(resolve);
    });
  }

  override async stopPod(): Promise<void> {
    this.#end.resolve();
  }
}

/** A waiting VM of a recipe that is a directory, and nothing else. */
export async function stageNothing(recipe: VmRecipe, tier: VmCacheTier): Promise<StagedVm> {
  const { directory, lock } = makeStaging(recipe.root);
  lock.release();
  const me = identifyProcess(process.pid);
  if (!me) throw new Error("this process is not in /proc");
  const record = {
    version: RECORD_VERSION,
    state: "creating",
    createdAt: new Date().toISOString(),
    uuid: randomUUID(),
    creator: me,
    config: recipe.config,
    containers: {},
    drives: [],
    shares: [],
    vm: { ...me, accelerator: "mock" },
    vmSize: recipe.size,
    waiting: { key: recipe.key, tier },
  } as const;
  writeRecord(directory.file("record"), { ...record, containers: {}, drives: [], shares: [] });
  return new StagedVm(
    directory,
    new LastingHypervisor({}),
    { ...record, containers: {}, drives: [], shares: [] },
    recipe.size,
  );
}
