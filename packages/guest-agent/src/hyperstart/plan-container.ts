/** What a container is made of. All that takes waiting, or the guest's own namespaces, is found before the fork. */

import { exists } from "@husk/tiny";
import type { Container } from "@husk/wire/hyperstart";
import { Cgroup } from "../core/cgroup/cgroup.ts";
import { constrainedResources } from "../core/cgroup/constraints.ts";
import { bindConsole } from "../core/console.ts";
import type { ContainerPlan } from "../core/container-plan.ts";
import { type DeviceNode, makeDevice, planDevice } from "../core/devices.ts";
import { fillInitLayer, makeInitLayer } from "../core/init-layer.ts";
import { planFsmap } from "../core/mounts/fsmap.ts";
import { type MountStep, mountAll, orderSteps } from "../core/mounts/mount-step.ts";
import { planOwnMount } from "../core/mounts/own-mounts.ts";
import type { Shares } from "../core/mounts/shares.ts";
import { planVolume } from "../core/mounts/volumes.ts";
import { podPaths } from "../core/paths.ts";
import { neededPodFiles } from "../core/pod-files.ts";
import { enterRootfs } from "../core/rootfs.ts";
import { setSysctls } from "../core/sysctls.ts";
import { mountSystem, SYSTEM_FOLDERS } from "../core/system-mounts.ts";
import { planProcess } from "./plan-process.ts";
import { planRootfs } from "./plan-rootfs.ts";

/** Options of a container's terminals, which everybody may make. */
const TERMINAL_OPTIONS = "newinstance,ptmxmode=0666,mode=0620";

async function planMounts({ id, initialize, volumes, fsmap, mounts }: Container, shares: Shares) {
  const steps: MountStep[] = [];
  for (const volume of volumes) steps.push(await planVolume(volume, id, initialize));
  for (const entry of fsmap) steps.push(await planFsmap(entry, shares, initialize));
  for (const mount of mounts) steps.push(planOwnMount(mount));
  return orderSteps(steps);
}

async function planDevices(spec: Container): Promise<DeviceNode[]> {
  const devices: DeviceNode[] = [];
  for (const device of spec.devices) devices.push(await planDevice(device));
  return devices;
}

/** Finds what a container needs. @throws Error for what is not there, or not supported */
export async function planContainer(
  spec: Container,
  hostname: string,
  shares: Shares,
): Promise<ContainerPlan> {
  const writesFirst = spec.initialize && !spec.readOnly;
  const rootfs = await planRootfs(spec, shares);
  const hasNameServers = exists(podPaths.resolvConf);
  let hasInitLayer = !writesFirst;
  if (writesFirst) {
    rootfs.fillLayer = (image, layer) => {
      hasInitLayer = fillInitLayer(image, layer, hasNameServers);
    };
  }
  const mounts = await planMounts(spec, shares);
  const devices = await planDevices(spec);
  const onRoot = mounts
    .map(({ destination }) => destination)
    .filter((path) => !SYSTEM_FOLDERS.some((folder) => path.startsWith(`${folder}/`)));
  return {
    id: spec.id,
    process: planProcess(spec.process, { hostname, makeWorkdir: writesFirst }),
    makeCgroup: () => new Cgroup(`husk/${spec.id}`),
    limit: (cgroup) => {
      if (spec.constraints) cgroup.limit(constrainedResources(spec.constraints));
    },
    terminalOptions: TERMINAL_OPTIONS,
    ownPids: false,
    namespaces: 0,
    joined: ["ipc", "uts", "mnt"],
    enterRoot: ({ terminal }) =>
      enterRootfs(rootfs, [...SYSTEM_FOLDERS, ...neededPodFiles(), ...onRoot], (guest) => {
        if (!hasInitLayer) makeInitLayer(hasNameServers);
        mountSystem(guest, spec.id);
        if (terminal !== undefined) bindConsole(guest, spec.id, terminal);
        mountAll(mounts, guest);
        for (const device of devices) makeDevice(device);
        setSysctls(Object.entries(spec.sysctl));
      }),
  };
}
