import { readFileSync } from "node:fs";
import type { ContainerStorage } from "../agent/types.ts";
import { checkPodConfig } from "../config/schema.ts";
import { HuskError, messageOf, systemCode } from "../errors/index.ts";
import type { VfioFunction } from "../hypervisor/vfio.ts";
import type { EndpointRecord, NetworkRecord } from "../network/types.ts";
import type { PodConfig, SharedFS, VmCacheTier } from "../types/index.ts";
import { State } from "../types/kinds.ts";
import { writeFileAtomically } from "./atomic-file.ts";
import type { ProcessIdentity } from "./process-identity.ts";

/** Version of the record's form; raised whenever an older library could misread it. */
export const RECORD_VERSION = 6;
/** Longest record read; the honest ones are a few KiB. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;

/** The shim of a container's first process in a pod's record. */
interface ShimRecord extends ProcessIdentity {
  /** name by which it asks its proxy, or the agent, for its process */
  token: string;
  /** it writes the output into a log: when it has died, another one can go on with that */
  logs?: true;
}

/** A container in a pod's record. Its configuration is in the pod's. */
export interface ContainerRecord {
  state: State;
  /** when it was last started, ISO 8601 */
  startTime?: string;
  /** exit status of its first process */
  exitCode?: number;
  /**
   * it is ready, and is there in the guest with its shim; its first process waits to begin. `unsettled`: that is just being made so,
   * or it is just beginning; who finds it so later ends it
   */
  prepared?: "waiting" | "unsettled";
  /** it is paused by itself, and stays so when its pod goes on */
  pausedAlone?: true;
  /** the process on the host that stands for it, when a caller has told one */
  shim?: ProcessIdentity;
  /** its own shim, since it was started last */
  ownShim?: ShimRecord;
  /** what it has of the host; missing: nothing yet, because there is no VM */
  storage?: ContainerStorage;
}

/** A disk of the VM in a pod's record. */
export interface DriveRecord {
  /** id and serial number of the disk, unique in the pod */
  id: string;
  /** the disk image on the host */
  imagePath: string;
  /** type of its file system; missing: it is a container's own matter */
  fstype?: string;
  /** whether the guest may not write it; default true */
  readOnly?: boolean;
  /**
   * where the guest finds it, and what it takes up: `id:lun` on the SCSI controller, or the PCI device numbers on the way
   * to it. Missing: it was there when the VM started, and cannot be taken out
   */
  addr?: string;
}

/** A device of the host that the VM has for itself, in a pod's record. */
export interface HostDeviceRecord {
  device: VfioFunction;
  /** containers that asked for it */
  containerIds: string[];
  /** PCI address in the VM; missing: it was there when the VM started, and cannot be taken out */
  addr?: string;
}

/** A directory of the host that the VM can mount, in a pod's record. */
export interface ShareRecord {
  /** mount tag */
  tag: string;
  kind: SharedFS;
  /** the directory; missing: the pod's own, for what its containers need */
  hostPath?: string;
  /** the process that serves it, unless the hypervisor does so itself */
  daemon?: ProcessIdentity;
}

/** The running VM in a pod's record. */
export interface VmRecord extends ProcessIdentity {
  accelerator: string;
}

/** Processors and memory of a VM. */
export interface VmSize {
  vcpus: number;
  /** in MiB */
  memory: number;
}

/** All that is stored of a pod, in one file: configuration, state, VM. */
export interface PodRecord {
  version: typeof RECORD_VERSION;
  /** `creating` until `createPod` is done */
  state: State | "creating";
  /** ISO 8601 */
  createdAt: string;
  /** random; stands on the hypervisor's command line, so that it is found after a crash */
  uuid: string;
  /** who creates the pod */
  creator: ProcessIdentity;
  /** a change of what runs that has begun and whose outcome is not stored: nobody's, or a dead process's, must be found out */
  pending?: { by?: ProcessIdentity };
  /** directory of the pod's sockets, when the pod's own has too long a path */
  socketDirectory?: string;
  config: PodConfig;
  containers: Record<string, ContainerRecord>;
  drives: DriveRecord[];
  shares: ShareRecord[];
  hostDevices?: HostDeviceRecord[];
  vm?: VmRecord;
  /** what the VM has, or had last, with what was plugged in */
  vmSize?: VmSize;
  /** what was, or was about to be, made of networks for the VM, and is not undone yet */
  network?: NetworkRecord;
  /** it is no pod yet but a VM that waits to be taken, of this kind */
  waiting?: { key: string; tier: VmCacheTier };
  /** the PostStop hooks are still to be run for the VM that was started, or was about to be */
  postStopDue?: boolean;
}

/** Addresses in the VM that are taken: those of disks, of devices of the host and of network interfaces. */
export function takenAddresses({ drives, hostDevices = [], network }: PodRecord): string[] {
  return [...drives, ...hostDevices, ...(network?.endpoints ?? [])].flatMap(({ addr }) => addr ?? []);
}

/** Stores a record; the caller holds the pod's lock. */
export function writeRecord(path: string, record: PodRecord): void {
  try {
    writeFileAtomically(path, `${JSON.stringify(record, null, 1)}\n`);
  } catch (error) {
    const text = `cannot write ${path}: ${messageOf(error)}`;
    throw new HuskError("ERR_STORE", text, { cause: error, podId: record.config.id });
  }
}

/**
 * Reads a pod's record.
 * @throws HuskError ERR_POD_NOT_FOUND, ERR_STATE_CORRUPT, ERR_STATE_VERSION, ERR_STORE
 */
export function readRecord(path: string, podId: string): PodRecord {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") {
      throw new HuskError("ERR_POD_NOT_FOUND", `there is no pod "${podId}"`, { podId });
    }
    throw new HuskError("ERR_STORE", `cannot read ${path}: ${messageOf(error)}`, { cause: error, podId });
  }
  return parseRecord(text, path, podId);
}

/**
 * Takes a record's text apart and checks it.
 * @throws HuskError ERR_STATE_CORRUPT, ERR_STATE_VERSION
 */
export function parseRecord(text: string, path: string, podId: string): PodRecord {
  const corrupt = (why: string, cause?: unknown) =>
    new HuskError("ERR_STATE_CORRUPT", `the state of pod "${podId}" is unreadable (${path}): ${why}`, {
      podId,
      cause,
    });
  if (text.length > MAX_RECORD_BYTES) throw corrupt("too long");
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch (error) {
    throw corrupt("not JSON, or cut off", error);
  }
  if (typeof record !== "object" || record === null || !("version" in record)) throw corrupt("no version");
  if (record.version !== RECORD_VERSION) {
    const version = JSON.stringify(record.version).slice(0, 40);
    throw new HuskError(
      "ERR_STATE_VERSION",
      `the state of pod "${podId}" has version ${version}, not ${RECORD_VERSION}`,
      {
        podId,
      },
    );
  }
  const problem = findProblem(record as Partial<PodRecord>, podId);
  if (problem) throw corrupt(problem);
  return record as PodRecord;
}

const STATES: readonly unknown[] = Object.values(State);

function findProblem(record: Partial<PodRecord>, podId: string): string | undefined {
  if (record.state !== "creating" && !STATES.includes(record.state)) return "bad state";
  if (typeof record.uuid !== "string" || typeof record.createdAt !== "string") return "bad uuid or createdAt";
  if (!isIdentity(record.creator)) return "bad creator";
  if (record.pending !== undefined && !isPending(record.pending)) return "bad pending";
  if (record.vm !== undefined && (!isIdentity(record.vm) || typeof record.vm.accelerator !== "string"))
    return "bad vm";
  if (record.vmSize !== undefined && !isVmSize(record.vmSize)) return "bad vmSize";
  if (record.socketDirectory !== undefined && typeof record.socketDirectory !== "string")
    return "bad socketDirectory";
  try {
    checkPodConfig(record.config);
  } catch (error) {
    return messageOf(error);
  }
  if (record.config.id !== podId) return "the state of another pod";
  if (!Array.isArray(record.drives) || !record.drives.every(isDrive)) return "bad drives";
  if (!Array.isArray(record.shares) || !record.shares.every(isShare)) return "bad shares";
  if (record.network !== undefined && !isNetwork(record.network)) return "bad network";
  if (record.waiting !== undefined && typeof record.waiting?.key !== "string") return "bad waiting";
  const { containers } = record;
  if (typeof containers !== "object" || containers === null) return "bad containers";
  const ids = (record.config.containers ?? []).map(({ id }) => id);
  if (ids.length !== Object.keys(containers).length) return "containers do not match";
  if (!ids.every((id) => STATES.includes(containers[id]?.state))) return "bad container state";
  const shims = Object.values(containers).flatMap(({ shim, ownShim }) => [shim ?? [], ownShim ?? []].flat());
  if (!shims.every(isIdentity)) return "bad shim";
  const own = Object.values(containers).flatMap(({ ownShim }) => ownShim ?? []);
  return own.every(({ token }) => typeof token === "string") ? undefined : "bad shim token";
}

function isIdentity(value: ProcessIdentity | undefined): boolean {
  return Number.isSafeInteger(value?.pid) && (value?.pid ?? 0) > 0 && typeof value?.startTime === "string";
}

function isVmSize({ vcpus, memory }: Partial<VmSize>): boolean {
  return Number.isSafeInteger(vcpus) && Number.isSafeInteger(memory);
}

function isPending(value: PodRecord["pending"] | null): boolean {
  return typeof value === "object" && value !== null && (value.by === undefined || isIdentity(value.by));
}

function isDrive(drive: Partial<DriveRecord> | null): boolean {
  const { id, imagePath, fstype = "", addr = "" } = drive ?? {};
  return [id, imagePath, fstype, addr].every((value) => typeof value === "string");
}

function isShare(share: Partial<ShareRecord> | null): boolean {
  const { tag, kind, daemon } = share ?? {};
  return (
    typeof tag === "string" &&
    (kind === "virtiofs" || kind === "9p") &&
    (daemon === undefined || isIdentity(daemon))
  );
}

function isNetwork(network: Partial<NetworkRecord> | null): boolean {
  const { netNSPath = "", attachments = [], endpoints } = network ?? {};
  return (
    typeof netNSPath === "string" &&
    Array.isArray(attachments) &&
    attachments.every((one) => typeof one?.network === "string" && typeof one.ifName === "string") &&
    Array.isArray(endpoints) &&
    endpoints.every(isEndpoint)
  );
}

function isEndpoint({ endpoint, model, addr = "" }: Partial<EndpointRecord>): boolean {
  const { name, mac, index } = endpoint ?? {};
  return [name, mac, model, addr].every((value) => typeof value === "string") && Number.isInteger(index);
}
