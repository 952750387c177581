import type { ContainerRoot, ContainerStorage, GuestDevice } from "../agent/types.ts";
import { HuskError } from "../errors/index.ts";
import { readVfioGroup, type VfioFunction } from "../hypervisor/vfio.ts";
import type { DriveRecord } from "../store/pod-record.ts";
import type { ContainerConfig, DeviceInfo, PodConfig } from "../types/index.ts";
import { storageAskedFor } from "./asked-storage.ts";
import { type DevicePlan, planDevice, vfioGroupOf } from "./device-nodes.ts";
import { type DiskSource, findDrive } from "./drives.ts";
import { type MountPlan, planMount } from "./mount-plan.ts";
import { prepareRootfs, type RootfsImage, type RootfsOptions, statRootfs } from "./rootfs.ts";
import type { Bind } from "./share-namespace.ts";

/** What a container needs of the host, and how it gets it. Nothing has been done for it yet. */
export interface StoragePlan {
  readonly containerId: string;
  /** an image that becomes a disk, or a directory that is shared */
  readonly root: RootfsImage | string;
  readonly readOnlyRoot: boolean;
  readonly mounts: readonly MountPlan[];
  readonly devices: readonly DevicePlan[];
  /** devices of the host that the VM gets for itself */
  readonly vfio: readonly VfioFunction[];
}

/**
 * Finds out what a container needs of the host, and checks that it is there. A directory is packed on the way.
 * @throws HuskError as `prepareRootfs`, `planMount` and `planDevice`
 */
export async function planStorage(
  container: ContainerConfig,
  pod: PodConfig,
  options: RootfsOptions,
): Promise<StoragePlan> {
  const noDisks = pod.hypervisorConfig?.disableBlockDeviceUse === true;
  const asked = storageAskedFor(container);
  const mounts = asked.mounts.map(({ mount, at }) => planMount(mount, at, pod.volumes ?? []));
  const infos = asked.devices;
  const plan = {
    containerId: container.id,
    root: await planRoot(container, noDisks, options),
    readOnlyRoot: container.readonlyRootfs === true || container.ociSpec?.root?.readonly === true,
    mounts: mounts.filter(({ kind }) => kind !== "device"),
    devices: [
      ...mounts.flatMap((mount) => (mount.kind === "device" ? mount.device : [])),
      ...infos.filter(({ info }) => !vfioGroupOf(info)).map(({ info, at }) => planDevice(info, at)),
    ],
    vfio: infos.flatMap(({ info }) => readVfioGroups(info)),
  };
  const disk = noDisks ? disksOf(plan)[0] : undefined;
  if (disk) {
    const text = `${disk.path} would need a disk, which hypervisorConfig.disableBlockDeviceUse forbids`;
    throw new HuskError("ERR_NOT_SUPPORTED", text, { containerId: container.id });
  }
  return plan;
}

function readVfioGroups(info: DeviceInfo): VfioFunction[] {
  const group = vfioGroupOf(info);
  return group === undefined ? [] : readVfioGroup(group);
}

async function planRoot(
  { rootFs, sharedRootfs }: ContainerConfig,
  noDisks: boolean,
  options: RootfsOptions,
): Promise<RootfsImage | string> {
  if (!sharedRootfs && !noDisks) return prepareRootfs(rootFs, options);
  const { path, stats } = statRootfs(rootFs);
  if (stats.isDirectory()) return path;
  if (noDisks) return prepareRootfs(rootFs, options);
  throw new HuskError("ERR_CONFIG_INVALID", `sharedRootfs: the root is not a directory: ${path}`);
}

/** The disks that a container needs. */
export function disksOf({ root, devices }: StoragePlan): DiskSource[] {
  const plugged = devices.flatMap(({ source, readOnly = false }) =>
    source ? { path: source, readOnly } : [],
  );
  return typeof root === "string" ? plugged : [{ ...root, readOnly: true }, ...plugged];
}

/** What of the host has to be bound into the pod's share for a container. */
export function bindsOf({ containerId, root, readOnlyRoot, mounts }: StoragePlan): Bind[] {
  const name = (index: number) => bindName(containerId, index);
  const binds = mounts.flatMap((mount, index) =>
    mount.kind === "bind" ? { ...mount.bind, name: name(index) } : [],
  );
  if (typeof root !== "string") return binds;
  const rootName = `${containerId}/${ROOT_NAME}`;
  return [{ source: root, name: rootName, readOnly: readOnlyRoot, recursive: true }, ...binds];
}

const ROOT_NAME = "rootfs";

function bindName(containerId: string, index: number): string {
  return `${containerId}/mount${index}`;
}

/** A container's storage as the agent is told, when all its disks are among the VM's. */
export function storageOf(plan: StoragePlan, drives: readonly DriveRecord[]): ContainerStorage {
  const { containerId, mounts, devices } = plan;
  return {
    root: rootOf(plan, drives),
    shared: mounts.flatMap((mount, index) => {
      if (mount.kind === "volume") {
        const { tag, destination, readOnly } = mount;
        return { source: "", tag, destination, readOnly };
      }
      if (mount.kind !== "bind") return [];
      const { destination, readOnly } = mount.bind;
      return { source: bindName(containerId, index), destination, readOnly };
    }),
    mounts: mounts.flatMap((mount) => (mount.kind === "guest" ? mount.mount : [])),
    devices: devices.map((device) => deviceOf(device, drives)),
  };
}

function rootOf({ containerId, root }: StoragePlan, drives: readonly DriveRecord[]): ContainerRoot {
  if (typeof root === "string") return { share: `${containerId}/${ROOT_NAME}` };
  const { id: drive, addr } = driveOf({ ...root, readOnly: true }, drives);
  return { drive, ...(addr === undefined ? {} : { addr }), fstype: root.fstype };
}

function deviceOf(plan: DevicePlan, drives: readonly DriveRecord[]): GuestDevice {
  const { source, readOnly = false, ...device } = plan;
  if (source === undefined) return device;
  const { id: disk, addr } = driveOf({ path: source, readOnly }, drives);
  return { ...device, disk, ...(addr === undefined ? {} : { addr }) };
}

function driveOf(disk: DiskSource, drives: readonly DriveRecord[]): DriveRecord {
  const drive = findDrive(drives, disk);
  if (!drive) throw new Error(`the VM has no disk for ${disk.path}`);
  return drive;
}

/** The disks that a container has. */
export function drivesIn({ root, devices }: ContainerStorage): string[] {
  return [...("drive" in root ? [root.drive] : []), ...devices.flatMap(({ disk }) => disk ?? [])];
}
