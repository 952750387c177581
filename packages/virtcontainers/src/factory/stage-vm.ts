import { createHash, randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Hypervisor, templatingOf, type WaitOptions } from "../hypervisor/types.ts";
import type { PodDirectory } from "../store/pod-directory.ts";
import { type PodRecord, RECORD_VERSION, type VmSize, writeRecord } from "../store/pod-record.ts";
import { identifyProcess } from "../store/process-identity.ts";
import { discardStaging, makeStaging, storeError } from "../store/staging.ts";
import type { PodConfig, VmCacheTier } from "../types/index.ts";
import { UndoStack } from "../undo-stack.ts";
import { describeBlankVm, hypervisorFor, meetAgent } from "./blank-vm.ts";
import { makePlaceholder } from "./placeholder.ts";
import { rehearsalProgram } from "./rehearsal-program.ts";
import { isUnrehearsable, rehearseVm } from "./rehearse-vm.ts";
import { StagedVm } from "./staged-vm.ts";
import { templateFor } from "./template.ts";
import type { TemplateStore } from "./template-store.ts";

/** Name of VMs that wait. */
const NAME = "waiting";

/** What the VMs of a cache are made of. */
export interface VmRecipe {
  /** without containers, networks and programs: what makes the VM */
  readonly config: PodConfig;
  readonly size: VmSize;
  /** digest of all that they depend on */
  readonly key: string;
  /** state directory */
  readonly root: string;
  /** directory of caches */
  readonly cache: string;
  /** they begin as copies of a template of these; undefined: they boot */
  readonly templates: TemplateStore | undefined;
}

/** What of a configuration makes the VM: that of a pod without anything in it. */
export function blankConfig(config: PodConfig, { vcpus, memory }: VmSize): PodConfig {
  const { hypervisorType, hypervisorConfig, agentType, agentConfig } = config;
  return {
    id: NAME,
    vmConfig: { vcpus, memory },
    ...(hypervisorType ? { hypervisorType } : {}),
    ...(hypervisorConfig ? { hypervisorConfig } : {}),
    ...(agentType ? { agentType } : {}),
    ...(agentConfig ? { agentConfig } : {}),
  };
}

/**
 * Makes a VM that waits, or makes one of a lower tier ready for more; when that fails, the VM is gone. One that there is nothing
 * to rehearse with (no mkfs.erofs, no disk of its own, an agent that is not ours), or whose guest cannot, is only paused.
 * @throws HuskError as the boot of a VM, and as `templateFor`
 */
export async function stageVm(
  recipe: VmRecipe,
  tier: VmCacheTier,
  from: StagedVm | undefined,
  signal: AbortSignal,
): Promise<StagedVm> {
  const { vm, isNew } = from ? { vm: from, isNew: false } : await beginVm(recipe, signal);
  try {
    if (tier === "prepared") vm.settle(tier);
    else await readyVm(vm, recipe, { isNew, rehearses: tier === "rehearsed" }, { signal });
    return vm;
  } catch (error) {
    await vm.discard();
    if (tier !== "rehearsed" || !isUnrehearsable(error)) throw error;
    return stageVm(recipe, "paused", undefined, signal);
  }
}

/** Starts the process of a VM. */
async function beginVm(recipe: VmRecipe, signal: AbortSignal): Promise<{ vm: StagedVm; isNew: boolean }> {
  const { config, size, root, cache, templates } = recipe;
  const found = templates && (await templateFor(config, size, templates, { cache, signal, mark: () => {} }));
  const uuid = randomUUID();
  const hypervisor = hypervisorFor(config);
  const placeholder = await (templates
    ? templates.placeholder(signal)
    : makePlaceholder(placeholderPath(cache), signal));
  const template = found?.template;
  const blank = describeBlankVm(config, { name: NAME, uuid, size, cache, placeholder, template });
  await hypervisor.createPod(blank);
  await using undo = new UndoStack();
  const { directory, lock } = makeStaging(root);
  undo.push(() => discardStaging(directory));
  lock.release();
  const record = { ...newRecord(recipe, uuid), drives: blank.drives.map((drive) => ({ ...drive })) };
  if (directory.socketPath !== directory.path) record.socketDirectory = directory.socketPath;
  writeRecord(directory.file("record"), record);
  directory.makeSocketDirectory();
  undo.push(() => hypervisor.stopPod(directory));
  record.vm = await hypervisor.startPod(directory, { signal });
  record.vmSize = { ...size };
  if (template) await hypervisor.waitPod(directory, { signal });
  writeRecord(directory.file("record"), record);
  undo.commit();
  return { vm: new StagedVm(directory, hypervisor, record, size), isNew: !template };
}

/** Where the disk is that VMs have which are no copies: another program to rehearse with is another disk. */
function placeholderPath(cache: string): string {
  try {
    mkdirSync(cache, { recursive: true });
  } catch (error) {
    throw storeError(`the cache ${cache} cannot be made`, error);
  }
  const digest = createHash("sha256").update(rehearsalProgram()).digest("hex");
  return join(cache, `placeholder-${digest.slice(0, 16)}`);
}

function newRecord(
  { config, key }: VmRecipe,
  uuid: string,
): PodRecord & { waiting: { key: string; tier: VmCacheTier } } {
  const creator = identifyProcess(process.pid);
  if (!creator) throw new Error("this process is not in /proc");
  return {
    version: RECORD_VERSION,
    state: "creating",
    createdAt: new Date().toISOString(),
    uuid,
    creator,
    config,
    containers: {},
    drives: [],
    shares: [],
    waiting: { key, tier: "prepared" },
  };
}

/**
 * Lets a VM go on until its agent has answered, or longer, and freezes it. `isNew`: it boots, and nobody has met its agent yet.
 */
async function readyVm(
  vm: StagedVm,
  { config }: VmRecipe,
  { isNew, rehearses }: { isNew: boolean; rehearses: boolean },
  options: WaitOptions,
): Promise<void> {
  const { hypervisor, directory } = vm;
  if (!isNew) await wakeVm(hypervisor, directory, vm.tier, options);
  let isRehearsed = false;
  await meetAgent({ config, hypervisor, directory, fresh: isNew }, options, async (session) => {
    const { deadlineFactor } = hypervisor;
    const rehearsed = { session, placeholder: vm.drives[0], deadlineFactor };
    isRehearsed = rehearses && (await rehearseVm(rehearsed, options));
  });
  await hypervisor.pausePod(directory, options);
  vm.settle(isRehearsed ? "rehearsed" : "paused");
}

/** Lets a VM that waits go on. @throws HuskError ERR_QMP, ERR_TIMEOUT, ERR_ABORTED */
export async function wakeVm(
  hypervisor: Hypervisor,
  directory: PodDirectory,
  tier: VmCacheTier,
  options: WaitOptions,
): Promise<void> {
  if (tier === "prepared") await templatingOf(hypervisor)?.loadTemplate(directory, options);
  else await hypervisor.resumePod(directory, options);
}
