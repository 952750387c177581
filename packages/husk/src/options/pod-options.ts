import { join, resolve } from "node:path";
import { guestPaths } from "@husk/guest-image";
import type { Cmd, CreateOptions, HypervisorConfig, PodConfig } from "@husk/virtcontainers";
import { UsageError } from "../usage-error.ts";
import { makeEndpoint } from "./cache-options.ts";
import { makeNetwork, type NetworkOptions } from "./network-options.ts";
import { makeResources, type ResourceOptions } from "./resource-options.ts";
import { makeStorage, type StorageOptions } from "./storage-options.ts";
import type { VmOptions } from "./vm-options.ts";

/** Slots of a VM that was not booted for its pod, for its networks and for all of its disks but one. */
const READY_MADE_SLOTS = 4;

/** Where VMs come from: they boot, are copies, have booted and wait, or are copies and wait. */
export const FACTORY_KINDS = ["direct", "template", "cache", "cache+template"] as const;
type FactoryKind = (typeof FACTORY_KINDS)[number];

/** The options of `run` that say what the pod is like. */
export interface PodOptions extends VmOptions, StorageOptions, NetworkOptions, ResourceOptions {
  /** root file system: a directory or an image */
  rootfs?: string;
  /** host name in the container */
  hostname?: string;
  /** the container may not write to its root */
  readOnly?: boolean;
  /** where the VM comes from */
  factory?: FactoryKind;
  /** socket of the cache's server */
  cacheEndpoint?: string;
}

/** Where the VM comes from, for the library's calls. */
export function makeFactory({
  factory = "direct",
  cacheEndpoint,
}: PodOptions): Pick<CreateOptions, "factory"> {
  if (factory === "direct") return {};
  return {
    factory: {
      ...(factory === "cache" ? {} : { template: true }),
      // The number is the server's matter: any says that it is to be asked.
      ...(factory === "template" ? {} : { vmCacheNumber: 1, ...makeEndpoint({ endpoint: cacheEndpoint }) }),
    },
  };
}

/**
 * Makes the configuration of a pod with one container of the same id.
 *
 * @throws UsageError when there is no root file system
 * @throws GuestImageMissingError when the guest has not been built
 */
export function makePodConfig(id: string, cmd: Cmd, options: PodOptions, env: NodeJS.ProcessEnv): PodConfig {
  const { demoRootfs } = guestPaths();
  const rootFs = options.rootfs ?? demoRootfs;
  if (rootFs === undefined) throw new UsageError("no root file system", "give one: --rootfs DIR");
  const resources = makeResources(options);
  return {
    ...makeVmConfig(id, options, (options.factory ?? "direct") !== "direct", env),
    ...(options.hostname === undefined ? {} : { hostname: options.hostname }),
    ...makeNetwork(options),
    containers: [
      {
        id,
        rootFs: resolve(rootFs),
        readonlyRootfs: options.readOnly ?? false,
        cmd,
        ...makeStorage(options),
        ...(resources ? { resources } : {}),
      },
    ],
  };
}

/**
 * Makes the configuration of a VM, with nothing in it.
 *
 * @param isReadyMade whether it boots before its pod is known
 * @throws GuestImageMissingError when the guest has not been built
 */
export function makeVmConfig(
  id: string,
  options: VmOptions,
  isReadyMade: boolean,
  env: NodeJS.ProcessEnv,
): PodConfig {
  const guest = guestPaths();
  const hypervisorConfig: HypervisorConfig = {
    kernelPath: guest.kernel,
    imagePath: guest.initramfs,
    // Slots for what is plugged in later take time to boot; a VM that has booted before has to be given all that way.
    defaultBridges: options.slots ?? (isReadyMade ? READY_MADE_SLOTS : 0),
  };
  if (guest.residents) hypervisorConfig.tapHelperPath = join(guest.residents, "husk-tap");
  if (env.HUSK_QEMU) hypervisorConfig.hypervisorPath = env.HUSK_QEMU;
  if (options.machine !== undefined) hypervisorConfig.hypervisorMachineType = options.machine;
  if (options.maxCpus !== undefined) hypervisorConfig.defaultMaxVCPUs = options.maxCpus;
  if (options.memorySlots !== undefined) hypervisorConfig.memSlots = options.memorySlots;
  if (options.debug) hypervisorConfig.debug = true;
  return {
    id,
    hypervisorType: "qemu",
    hypervisorConfig,
    agentType: options.agent ?? "hyperstart",
    vmConfig: {
      ...(options.memory === undefined ? {} : { memory: options.memory }),
      ...(options.cpus === undefined ? {} : { vcpus: options.cpus }),
    },
  };
}
