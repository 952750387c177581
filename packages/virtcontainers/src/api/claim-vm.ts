import { HuskError, isHuskError } from "../errors/index.ts";
import { CacheClient } from "../factory/cache-client.ts";
import { cacheKey, cacheObstacle, isInRange, type SizeRange, sizeRange } from "../factory/cache-key.ts";
import { writeRequest } from "../factory/cache-words.ts";
import { wakeVm } from "../factory/stage-vm.ts";
import { cacheEndpoint, hasVmCache, type LocalVmCache } from "../factory/vm-cache.ts";
import { deadlineFactor, deadlineMs } from "../hypervisor/deadlines.ts";
import { createHypervisor } from "../hypervisor/index.ts";
import type { Hypervisor } from "../hypervisor/types.ts";
import { networkOf } from "../network/index.ts";
import { killByRecord } from "../store/claim.ts";
import type { PodRecord } from "../store/pod-record.ts";
import { type ClaimedStaging, claimStaging, discardStaging, type Staging } from "../store/staging.ts";
import type { FactoryConfig, PodConfig } from "../types/index.ts";
import type { Call } from "./call.ts";
import { vmSizeOf } from "./vm-size.ts";
import { type VmSource, warnOfMiss } from "./vm-source.ts";

/** A VM that waited, and is ours. Its keeper makes the next when this is disposed of: the machine is the pod's until then. */
export interface ClaimedVm extends Disposable {
  readonly staging: Staging;
  readonly hypervisor: Hypervisor;
  /** settles when it goes on */
  readonly awake: Promise<void>;
}

/** What is asked for. */
interface Wanted {
  readonly key: string;
  readonly range: SizeRange;
}

/**
 * Claims a VM that waits for a pod whose storage has been planned, if there is a cache and it has the right one.
 * @param record is told what of the VM is known
 * @returns undefined, with a warning when there is a cache: the pod must have a VM made
 * @throws HuskError ERR_ABORTED
 */
export async function claimVm(
  record: PodRecord,
  { factory = {}, vmCache }: VmSource,
  call: Call,
): Promise<ClaimedVm | undefined> {
  if (!vmCache && !hasVmCache(factory)) return undefined;
  try {
    const problem = findObstacle(record, factory);
    if (problem) throw new HuskError("ERR_NOT_SUPPORTED", problem);
    const vm = await (vmCache ? claimHere(record, vmCache, call) : claimByEndpoint(record, factory, call));
    call.mark("vm-claimed");
    return vm;
  } catch (error) {
    if (!isHuskError(error) || error.code === "ERR_ABORTED") throw error;
    warnOfMiss(record.config, call, error);
    return undefined;
  }
}

/** Why a pod's VM cannot be one that waited. */
function findObstacle(
  { config, shares, hostDevices = [] }: PodRecord,
  factory: FactoryConfig,
): string | undefined {
  if (shares.length > 0) return "it shares directories, which a VM must have from its start";
  if (hostDevices.length > 0) return "it has devices of the host";
  const { hypervisorConfig = {} } = config;
  if (networkOf(config.networkModel).hasNamespace && hypervisorConfig.tapHelperPath === undefined)
    return "its network is in another namespace than the VM, and there is no hypervisorConfig.tapHelperPath";
  return cacheObstacle(hypervisorConfig, factory);
}

async function claimHere(record: PodRecord, cache: LocalVmCache, call: Call): Promise<ClaimedVm> {
  const { recipe } = cache;
  const factory = { template: recipe.templates !== undefined };
  const wanted = await describeWanted(record.config, call, factory);
  if (wanted.key !== recipe.key) void cache.keepUp();
  checkFit(wanted, recipe.key, recipe.size);
  const signal = AbortSignal.any([AbortSignal.timeout(answerMs()), ...(call.signal ? [call.signal] : [])]);
  const lease = await cache.take({ signal, leaseMs: deadlineMs("cacheClaim", 1) }).catch((error: unknown) => {
    throw call.signal?.aborted ? error : noneInTime(error);
  });
  return claim(lease.vm.directory.path, record, { wanted, call, done: lease.end });
}

function noneInTime(error: unknown): unknown {
  if (!isHuskError(error, "ERR_ABORTED")) return error;
  return new HuskError("ERR_TIMEOUT", `none was ready within ${answerMs()} ms`, { cause: error });
}

/** Milliseconds that a VM is waited for. */
function answerMs(): number {
  return deadlineMs("cacheAnswer", deadlineFactor("tcg"));
}

async function claimByEndpoint(record: PodRecord, factory: FactoryConfig, call: Call): Promise<ClaimedVm> {
  const { root, signal } = call;
  const client = await CacheClient.connect(cacheEndpoint(factory, root), signal);
  try {
    const wanted = await describeWanted(record.config, call, factory);
    const request = writeRequest(wanted.key, wanted.range);
    const path = await client.getBaseVM(request, { timeoutMs: answerMs(), signal });
    return claim(path, record, { wanted, call, done: () => client.close() });
  } catch (error) {
    client.close();
    throw error;
  }
}

async function describeWanted(
  config: PodConfig,
  { root, cache }: Call,
  factory: FactoryConfig,
): Promise<Wanted> {
  const key = await cacheKey(config, { root, cache, factory });
  return { key, range: sizeRange(vmSizeOf(config), config.hypervisorConfig ?? {}) };
}

/** How a VM that was handed out is claimed. */
interface ClaimOptions {
  readonly wanted: Wanted;
  readonly call: Call;
  /** tells its keeper that we are done with it */
  readonly done: () => void;
}

/** Whoever hands VMs out may be mistaken: what counts is what the VM's own record says. */
function claim(path: string, record: PodRecord, { wanted, call, done }: ClaimOptions): ClaimedVm {
  let claimed: ClaimedStaging | undefined;
  try {
    claimed = claimStaging(path, call.root, ({ waiting, vm, vmSize = { vcpus: 0, memory: 0 } }) =>
      checkFit(wanted, vm && waiting?.key, vmSize),
    );
    if (!claimed) {
      const text = "the VM that was handed out is gone: it has ended, or its keeper has waited for too long";
      throw new HuskError("ERR_TIMEOUT", text);
    }
    return { ...takeVm(record, claimed, call), [Symbol.dispose]: done };
  } catch (error) {
    if (claimed) discard(claimed);
    done();
    throw error;
  }
}

function discard({ lock, record, directory }: ClaimedStaging): void {
  lock.release();
  killByRecord(record);
  discardStaging(directory);
}

function checkFit(
  { key, range }: Wanted,
  itsKey: string | undefined,
  size: PodRecord["vmSize"] & object,
): void {
  if (itsKey === key && isInRange(size, range)) return;
  const text =
    itsKey === key ? `it has ${size.vcpus} vCPUs and ${size.memory} MiB` : "it was made of something else";
  throw new HuskError("ERR_CACHE_MISMATCH", `the VM that waits does not fit: ${text}`);
}

/** What is known of the VM is the pod's from now on. It goes on at once, while its directory gets the pod's name. */
function takeVm(
  record: PodRecord,
  { directory, lock, record: found }: ClaimedStaging,
  call: Call,
): Omit<ClaimedVm, typeof Symbol.dispose> {
  const { uuid, vm, vmSize, socketDirectory, drives, waiting } = found;
  Object.assign(record, { uuid, vm, vmSize, drives, ...(socketDirectory ? { socketDirectory } : {}) });
  for (const container of Object.values(record.containers)) delete container.storage;
  const { hypervisorType = "qemu", hypervisorConfig = {} } = record.config;
  const hypervisor = createHypervisor(hypervisorType, hypervisorConfig, vm);
  const awake = wakeVm(hypervisor, directory, waiting?.tier ?? "paused", call);
  awake.catch(() => {});
  return { staging: { directory, lock }, hypervisor, awake };
}
