import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { withAbsolutePaths } from "../config/absolute-paths.ts";
import { checkResidentPrograms } from "../config/resident-programs.ts";
import { checkPodConfig } from "../config/schema.ts";
import { createHypervisor } from "../hypervisor/index.ts";
import { releaseNetwork } from "../network/release.ts";
import { checkNetworkConfig, hasNetwork, prepareNamespace } from "../network/set-up.ts";
import { clearLeftover, clearLeftovers, podExists } from "../store/claim.ts";
import { podPath } from "../store/pod-directory.ts";
import { type PodRecord, RECORD_VERSION, writeRecord } from "../store/pod-record.ts";
import { identifyProcess } from "../store/process-identity.ts";
import { makeStaging } from "../store/staging.ts";
import type { CreateOptions, PodConfig, RunOptions, VCPod } from "../types/index.ts";
import { UndoStack } from "../undo-stack.ts";
import { beginVm } from "./begin-vm.ts";
import { describePod, planPod } from "./boot.ts";
import { Call } from "./call.ts";
import { claimVm } from "./claim-vm.ts";
import { podHandle } from "./handles.ts";
import type { OpenPod } from "./open-pod.ts";
import { hasHooks, runPostStartHooks, runPreStartHooks } from "./pod-hooks.ts";
import { PodToBe } from "./pod-to-be.ts";
import { startContainers } from "./start-pod.ts";
import { checkSource, type VmSource } from "./vm-source.ts";

/**
 * Creates a pod and its containers: boots the VM and sets the pod up in it. The containers are not started. Go: `CreatePod`.
 * @throws HuskError ERR_CONFIG_INVALID, ERR_CONFIG_UNKNOWN_FIELD, ERR_NOT_SUPPORTED, ERR_ID_INVALID, ERR_POD_EXISTS,
 *   ERR_ROOTFS_MISSING, ERR_MEMORY_TOO_SMALL, ERR_ASSET_MISSING, ERR_QEMU_START, ERR_BOOT_TIMEOUT, ERR_VM_LOST, …
 */
export async function createPod(config: PodConfig, options: CreateOptions = {}): Promise<VCPod> {
  return createAnd(config, new Call(options, ["factory", "vmCache"]), options, async () => {});
}

/**
 * Creates a pod and starts its containers. When one cannot be started, the pod is not created either. Go: `RunPod`.
 * @throws HuskError as `createPod` and `startPod`
 */
export async function runPod(config: PodConfig, options: RunOptions = {}): Promise<VCPod> {
  const call = new Call(options, ["onCreated", "factory", "vmCache"]);
  return createAnd(config, call, options, async (pod, undo) => {
    options.onCreated?.(podHandle(pod));
    await startContainers(pod, undo);
  });
}

/** What is done with a pod that has been created. */
type Sequel = (pod: OpenPod, undo: UndoStack) => Promise<void>;

async function createAnd(
  config: PodConfig,
  call: Call,
  options: CreateOptions,
  andThen: Sequel,
): Promise<VCPod> {
  checkPodConfig(config);
  const source = checkSource(options);
  checkResidentPrograms(config);
  return createWith(config, call, source, andThen);
}

function newRecord(config: PodConfig): PodRecord {
  const me = identifyProcess(process.pid);
  if (!me) throw new Error("this process is not in /proc");
  const containers = (config.containers ?? []).map(({ id }) => [id, { state: "ready" as const }]);
  return {
    version: RECORD_VERSION,
    state: "creating",
    createdAt: new Date().toISOString(),
    uuid: randomUUID(),
    creator: me,
    config: withAbsolutePaths(config),
    containers: Object.fromEntries(containers),
    drives: [],
    shares: [],
  };
}

/**
 * The order is by speed: QEMU is started as soon as its command line is known; the rest is done while the guest boots. Until
 * the pod has its name, its directory is hidden. Only hooks must wait for the name.
 */
async function createWith(config: PodConfig, call: Call, source: VmSource, andThen: Sequel): Promise<VCPod> {
  const { root } = call;
  if (existsSync(podPath(root, config.id)) && !(await clearLeftover(root, config.id)))
    throw podExists(config.id);
  const record = newRecord(config);
  const fresh = createHypervisor(config.hypervisorType ?? "qemu", record.config.hypervisorConfig ?? {});
  const plans = await planPod(record, fresh, call);
  await checkNetworkConfig(record);
  using claimed = await claimVm(record, source, call);
  const hypervisor = claimed?.hypervisor ?? fresh;
  const template = claimed ? undefined : await describePod(record, hypervisor, call, source.factory);

  await using undo = new UndoStack();
  const toBe = new PodToBe(record, call, hypervisor, claimed?.staging ?? makeStaging(root), undo);
  const { directory, site } = toBe;
  if (claimed) undo.push(() => hypervisor.stopPod(toBe.directory));
  call.mark("staged");
  if (directory.socketPath !== directory.path) record.socketDirectory = directory.socketPath;
  writeRecord(directory.file("record"), record);
  if (!claimed) directory.makeSocketDirectory();
  call.mark("recorded");
  // A hook acts for a pod that has its name, so that no two can act for the same.
  const named = hasHooks(config) ? await toBe.publish() : undefined;
  // What a dead pod has left in a namespace must not be cleared when a new one lives there already.
  if (hasNetwork(config)) await clearLeftovers(root);
  undo.push(() => releaseNetwork(record, site));
  await prepareNamespace(record, site);
  if (named) await runPreStartHooks(named, undo);
  const pod = await beginVm(toBe, { plans, claimed, template }, source, undo);
  record.state = "ready";
  await andThen(pod, undo);
  pod.save();
  undo.commit();
  toBe.letGo();
  if (pod.state === "running") await runPostStartHooks(pod);
  pod.live.phases.push(...call.timings.phases());
  return podHandle(pod);
}
