/** What a container is made of. All that takes waiting, or the guest's own namespaces, is found before the fork. */

import { exists } from "@husk/tiny";
import type { Container as ContainerSpec } from "@husk/wire/hyperstart";
import { type DeviceNode, makeDevice, planDevice } from "./devices.ts";
import { makeInitLayer } from "./init-layer.ts";
import { planFsmap } from "./mounts/fsmap.ts";
import { type MountStep, mountAll, orderSteps } from "./mounts/mount-step.ts";
import { planOwnMount } from "./mounts/own-mounts.ts";
import type { Shares } from "./mounts/shares.ts";
import { planVolume } from "./mounts/volumes.ts";
import { podPaths } from "./paths.ts";
import { neededPodFiles } from "./pod-files.ts";
import { enterRootfs, findRootfs, type RootfsSource } from "./rootfs.ts";
import { setSysctls } from "./sysctls.ts";
import { mountSystem, SYSTEM_FOLDERS } from "./system-mounts.ts";

/** See the head of the file. */
export interface ContainerPlan {
  spec: ContainerSpec;
  rootfs: RootfsSource;
  mounts: MountStep[];
  devices: DeviceNode[];
}

/** Finds what a container needs. @throws Error for what is not there, or not supported */
export async function planContainer(spec: ContainerSpec, shares: Shares): Promise<ContainerPlan> {
  const { id, initialize } = spec;
  const rootfs = await findRootfs(spec, shares);
  const mounts: MountStep[] = [];
  for (const volume of spec.volumes) mounts.push(await planVolume(volume, id, initialize));
  for (const entry of spec.fsmap) mounts.push(await planFsmap(entry, shares, initialize));
  for (const mount of spec.mounts) mounts.push(planOwnMount(mount));
  const devices: DeviceNode[] = [];
  for (const device of spec.devices) devices.push(await planDevice(device));
  return { spec, rootfs, mounts: orderSteps(mounts), devices };
}

/** In the child, which is in the pod's namespaces: makes the root and all that is in it, and enters it. */
export function enterContainer({ spec, rootfs, mounts, devices }: ContainerPlan): void {
  const onRoot = mounts
    .map(({ destination }) => destination)
    .filter((path) => !SYSTEM_FOLDERS.some((folder) => path.startsWith(`${folder}/`)));
  enterRootfs(rootfs, [...SYSTEM_FOLDERS, ...neededPodFiles(), ...onRoot], (guest) => {
    if (spec.initialize && !spec.readOnly) makeInitLayer(exists(guest(podPaths.resolvConf)));
    mountSystem(guest, spec.id);
    mountAll(mounts, guest);
    for (const device of devices) makeDevice(device);
    setSysctls(spec.sysctl);
  });
}
