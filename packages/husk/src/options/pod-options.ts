import { join, resolve } from "node:path";
import { guestPaths } from "@husk/guest-image";
import type { Cmd, CreateOptions, HypervisorConfig, MachineType, PodConfig } from "@husk/virtcontainers";
import { UsageError } from "../usage-error.ts";
import { makeEndpoint } from "./cache-options.ts";
import { makeNetwork, type NetworkOptions } from "./network-options.ts";
import { makeResources, type ResourceOptions } from "./resource-options.ts";
import { makeStorage, type StorageOptions } from "./storage-options.ts";

/** Slots of a VM that was not booted for its pod, for its networks and for all of its disks but one. */
const READY_MADE_SLOTS = 4;

/** Where VMs come from: they boot, are copies, have booted and wait, or are copies and wait. */
export const FACTORY_KINDS = ["direct", "template", "cache", "cache+template"] as const;
type FactoryKind = (typeof FACTORY_KINDS)[number];

/** The options of `run` that say what the VM is like. */
export interface PodOptions extends StorageOptions, NetworkOptions, ResourceOptions {
  /** guest memory in MiB */
  memory?: number;
  /** number of virtual CPUs */
  cpus?: number;
  /** number of virtual CPUs that the VM can grow to */
  maxCpus?: number;
  /** times that the VM can get more memory */
  memorySlots?: number;
  /** root file system: a directory or an image */
  rootfs?: string;
  /** host name in the container */
  hostname?: string;
  /** the container may not write to its root */
  readOnly?: boolean;
  /** the guest's agent */
  agent?: "hyperstart" | "kata";
  /** machine to emulate */
  machine?: MachineType;
  /** room for disks and network interfaces that are added later */
  slots?: number;
  /** where the VM comes from */
  factory?: FactoryKind;
  /** socket of the cache's server */
  cacheEndpoint?: string;
  /** let the guest talk on its console */
  debug?: boolean;
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
  const guest = guestPaths();
  const rootFs = options.rootfs ?? guest.demoRootfs;
  if (rootFs === undefined) throw new UsageError("no root file system", "give one: --rootfs DIR");
  const hypervisorConfig: HypervisorConfig = {
    kernelPath: guest.kernel,
    imagePath: guest.initramfs,
    // Slots for what is plugged in later take time to boot; a VM that has booted before has to be given all that way.
    defaultBridges: options.slots ?? ((options.factory ?? "direct") === "direct" ? 0 : READY_MADE_SLOTS),
  };
  if (guest.residents) hypervisorConfig.tapHelperPath = join(guest.residents, "husk-tap");
  if (env.HUSK_QEMU) hypervisorConfig.hypervisorPath = env.HUSK_QEMU;
  if (options.machine !== undefined) hypervisorConfig.hypervisorMachineType = options.machine;
  if (options.maxCpus !== undefined) hypervisorConfig.defaultMaxVCPUs = options.maxCpus;
  if (options.memorySlots !== undefined) hypervisorConfig.memSlots = options.memorySlots;
  if (options.debug) hypervisorConfig.debug = true;
  const resources = makeResources(options);
  return {
    id,
    hypervisorType: "qemu",
    hypervisorConfig,
    agentType: options.agent ?? "hyperstart",
    vmConfig: {
      ...(options.memory === undefined ? {} : { memory: options.memory }),
      ...(options.cpus === undefined ? {} : { vcpus: options.cpus }),
    },
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
