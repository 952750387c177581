import { resolve } from "node:path";
import type { ContainerConfig, HypervisorConfig, NetworkConfig, PodConfig } from "../types/index.ts";

/** Files that a hypervisor is made of. */
const FILES = [
  "kernelPath",
  "imagePath",
  "initrdPath",
  "firmwarePath",
  "hypervisorPath",
  "tapHelperPath",
] as const;

/** A copy of a container's configuration that does not depend on the working directory of who made it. */
export function withAbsoluteRootFs(config: ContainerConfig): ContainerConfig {
  const absolute = structuredClone(config);
  absolute.rootFs = resolve(config.rootFs);
  for (const device of absolute.deviceInfos ?? []) {
    if (device.hostPath) device.hostPath = resolve(device.hostPath);
  }
  return absolute;
}

/** A copy of a pod's configuration that does not depend on the working directory of who made it. */
export function withAbsolutePaths(config: PodConfig): PodConfig {
  const { hypervisorConfig, networkConfig, containers, volumes, proxyConfig, shimConfig } = config;
  return {
    ...structuredClone(config),
    ...(hypervisorConfig ? { hypervisorConfig: withAbsoluteFiles(hypervisorConfig) } : {}),
    ...(proxyConfig?.path ? { proxyConfig: { ...proxyConfig, path: resolve(proxyConfig.path) } } : {}),
    ...(shimConfig?.path ? { shimConfig: { ...shimConfig, path: resolve(shimConfig.path) } } : {}),
    ...(networkConfig ? { networkConfig: withAbsoluteNetwork(networkConfig) } : {}),
    ...(volumes
      ? { volumes: volumes.map((volume) => ({ ...volume, hostPath: resolve(volume.hostPath) })) }
      : {}),
    ...(containers ? { containers: containers.map(withAbsoluteRootFs) } : {}),
  };
}

function withAbsoluteFiles(config: HypervisorConfig): HypervisorConfig {
  const absolute = structuredClone(config);
  for (const key of FILES) {
    const path = absolute[key];
    // QEMU and its firmware are looked for in the usual places when they are given by name alone.
    const isName = (key === "firmwarePath" || key === "hypervisorPath") && !path?.includes("/");
    if (path !== undefined && !isName) absolute[key] = resolve(path);
  }
  return absolute;
}

function withAbsoluteNetwork(config: NetworkConfig): NetworkConfig {
  const absolute = structuredClone(config);
  const { netNSPath, cni } = absolute;
  if (netNSPath !== undefined) absolute.netNSPath = resolve(netNSPath);
  if (cni?.confDirs) cni.confDirs = cni.confDirs.map((path) => resolve(path));
  if (cni?.binDirs) cni.binDirs = cni.binDirs.map((path) => resolve(path));
  return absolute;
}
