import type { ServedShares } from "../storage/shares.ts";
import type { PodDirectory } from "../store/pod-directory.ts";
import type { DriveRecord, ShareRecord, VmRecord } from "../store/pod-record.ts";
import type { HypervisorConfig, HypervisorType, PortMapping } from "../types/index.ts";
import type { VfioFunction } from "./vfio.ts";

/** Least guest memory in MiB with which the guest kernel boots: measured, 72 fails. */
export const MIN_MEMORY_MIB = 80;

/** A disk of a VM. */
export type Drive = Readonly<DriveRecord>;

/**
 * Files of a VM that was frozen, for others to begin where it ended: its memory, which they share as long as they do not
 * write to it, and the state of its devices.
 */
export interface VmTemplate {
  /** file with the guest's memory; on a tmpfs */
  readonly memoryPath: string;
  /** file with the state of the devices */
  readonly statePath: string;
  /** `source`: the VM boots and is to be saved; `clone`: it begins with what was saved */
  readonly role: "source" | "clone";
}

/** The VM of a pod, as it is to be made. */
export interface VmSpec {
  readonly podId: string;
  /** random; stands on the command line of the hypervisor */
  readonly uuid: string;
  readonly vcpus: number;
  /** guest memory in MiB */
  readonly memory: number;
  readonly config: HypervisorConfig;
  /** names of the serial ports that the agent wants, with the socket of each */
  readonly ports: readonly SerialPort[];
  readonly drives: readonly Drive[];
  /** directories of the host that the guest can mount */
  readonly shares: readonly Share[];
  /** devices of the host that the VM gets for itself */
  readonly vfioDevices: readonly VfioFunction[];
  /** directory of caches */
  readonly cache: string;
  /** it boots before anybody wants it, or is a copy of one that did: how it runs counts for more than how long it boots */
  readonly isBlank?: boolean;
  /** what it has to do with a template; missing: nothing */
  readonly template?: VmTemplate | undefined;
}

/**
 * A directory of the host, as a device by whose mount tag the guest mounts it: served by a virtiofs daemon, or by the
 * hypervisor itself. Its descriptor comes with the start.
 */
export type Share = Pick<ShareRecord, "tag" | "kind">;

/** A serial port of the VM, which is a socket on the host. */
export interface SerialPort {
  /** name of the port in the guest */
  readonly name: string;
  readonly socket: "control" | "stream" | "kata";
}

/** What a hypervisor can do beyond booting a VM. */
export interface Capabilities {
  /** the VM can have disks; without them, root file systems are shared directories */
  readonly blockDevice: boolean;
  /** disks can be plugged into a running VM */
  readonly blockDeviceHotplug: boolean;
  /** devices of the host can be plugged into a running VM */
  readonly vfioHotplug: boolean;
  /** network interfaces can be plugged into a running VM */
  readonly nicHotplug: boolean;
  /** processors and memory can be plugged into a running VM */
  readonly resourceHotplug: boolean;
  /** a VM can be frozen into a template, and begun from one */
  readonly templates: boolean;
  /** a disk of a VM can get another image behind it */
  readonly diskExchange: boolean;
}

/** Limits of one wait. */
export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  /** is told each phase as it is done */
  readonly mark?: ((phase: string) => void) | undefined;
}

/** How a VM's process is started. */
export interface StartOptions extends WaitOptions {
  /** what serves the shares of the VM, if it has any */
  readonly shares?: ServedShares | undefined;
  /** what the VM has of networks */
  readonly network?: VmNetwork | undefined;
}

/** What a VM has of networks. It is known only when they have been set up, which is after the VM was described. */
export interface VmNetwork {
  /** path of the network namespace that the VM's process lives in; default: the caller's */
  readonly netNSPath?: string | undefined;
  readonly nics: readonly Nic[];
  /** network interfaces of the host that the VM gets for itself */
  readonly vfioDevices: readonly VfioFunction[];
}

/** A network interface of a VM. */
export interface Nic {
  /** unique in the VM, and the name in the guest */
  readonly name: string;
  readonly mac: string;
  /** largest packet in bytes that the guest is told when it looks at the device */
  readonly mtu: number;
  readonly backend: NicBackend;
}

/** What is behind a network interface of a VM. */
export type NicBackend =
  /** a tap interface of the VM's namespace, with as many queues as it was made with */
  | { readonly type: "tap"; readonly ifName: string; readonly queues: number }
  /** the device node of a macvtap interface, opened by the caller */
  | { readonly type: "macvtap"; readonly path: string; readonly queues: number }
  /** the socket of a program that speaks vhost-user */
  | { readonly type: "vhost-user"; readonly socketPath: string }
  /** the hypervisor's own network */
  | { readonly type: "user"; readonly portMappings: readonly PortMapping[] };

/** One VM, and how it is started and ended. */
export interface Hypervisor {
  readonly type: HypervisorType;
  /** The VM's process; undefined: not started, or not any more. */
  readonly vm: VmRecord | undefined;
  /** By how much every deadline is stretched on this VM. */
  readonly deadlineFactor: number;
  capabilities(): Capabilities;
  /**
   * The address of one more disk that is there when the VM starts.
   * @param taken addresses of the disks before it
   * @returns undefined when such disks have none, and are found by their serial numbers alone
   * @throws HuskError ERR_NO_DEVICE_SLOT
   */
  coldPlugAddress(taken: readonly string[]): string | undefined;
  /**
   * Checks the VM's description before anything is started.
   * @throws HuskError ERR_ASSET_MISSING, ERR_CONFIG_INVALID, ERR_HOST_MEMORY, ERR_MEMORY_TOO_SMALL, ERR_NO_DEVICE_SLOT,
   *   ERR_NOT_SUPPORTED, ERR_QEMU_MISSING
   */
  createPod(spec: VmSpec): Promise<void>;
  /**
   * Starts the VM's process; returns as soon as there is one, while the guest boots.
   * @throws HuskError ERR_HOST_MEMORY, ERR_NETWORK_LINK, ERR_NO_DEVICE_SLOT, ERR_NOT_SUPPORTED, ERR_QEMU_MISSING,
   *   ERR_QEMU_START, ERR_STORE, ERR_TIMEOUT, ERR_ABORTED
   */
  startPod(directory: PodDirectory, options: StartOptions): Promise<VmRecord>;
  /**
   * Waits until the VM's process works. The pod has its final directory now.
   * @throws HuskError ERR_QEMU_START, ERR_NETWORK_LINK, ERR_NETWORK_NAMESPACE, ERR_PORT_IN_USE, ERR_ABORTED
   */
  waitPod(directory: PodDirectory, options: WaitOptions): Promise<void>;
  /** Settles when the VM's process has ended, however it ended. */
  waitExit(directory: PodDirectory, options: WaitOptions & { timeoutMs: number }): Promise<void>;
  /**
   * Freezes the VM's virtual CPUs; its memory stays. One that is frozen already stays so.
   * @throws HuskError ERR_QMP, ERR_TIMEOUT, ERR_ABORTED
   */
  pausePod(directory: PodDirectory, options: WaitOptions): Promise<void>;
  /** Whether the VM's virtual CPUs go on or are stopped; undefined: it cannot be told. Throws as `pausePod`. */
  readState(directory: PodDirectory, options: WaitOptions): Promise<"running" | "paused" | undefined>;
  /** Lets a frozen VM go on; throws as `pausePod`. */
  resumePod(directory: PodDirectory, options: WaitOptions): Promise<void>;
  /** Pulls the plug: asks the hypervisor to end, kills it when it does not, and returns when it has gone. */
  stopPod(directory: PodDirectory): Promise<void>;
  /** Lets go what ties this process to the VM; the VM goes on. */
  disconnect(): void;
}

/** A hypervisor that can plug disks into a running VM, and take them out. */
export interface BlockHotplug {
  /**
   * Plugs a disk in, at the least address that is free.
   * @param taken addresses of all devices of the VM that have one
   * @returns the address
   * @throws HuskError ERR_NO_DEVICE_SLOT, ERR_ASSET_MISSING, ERR_NOT_SUPPORTED (a format that is not raw), ERR_QMP,
   *   ERR_TIMEOUT, ERR_ABORTED
   */
  hotplugAddDevice(
    drive: Drive,
    directory: PodDirectory,
    taken: readonly string[],
    options: WaitOptions,
  ): Promise<string>;
  /**
   * Takes a disk out that has an address. One that has gone already is no error.
   * @throws HuskError ERR_QMP, ERR_TIMEOUT when the guest does not give it back, ERR_ABORTED
   */
  hotplugRemoveDevice(drive: Drive, directory: PodDirectory, options: WaitOptions): Promise<void>;
}

/** The ability to plug disks in, if this hypervisor has it for this VM. */
export function blockHotplugOf(hypervisor: Hypervisor): (Hypervisor & BlockHotplug) | undefined {
  return hypervisor.capabilities().blockDeviceHotplug ? (hypervisor as Hypervisor & BlockHotplug) : undefined;
}

/** A hypervisor that can put another image behind a disk that a VM has. */
export interface DiskExchange {
  /**
   * Puts the image of `drive` behind the VM's disk of that id, neither of which can be written to. The guest is told nothing: the
   * disk keeps the size that the guest has seen, and the image must not be larger. Also before a state is loaded, or while the
   * VM is frozen.
   * @throws HuskError ERR_ASSET_MISSING, ERR_NOT_SUPPORTED (a format that is not raw), ERR_QMP, ERR_TIMEOUT, ERR_ABORTED
   */
  exchangeDisk(drive: Drive, directory: PodDirectory, options: WaitOptions): Promise<void>;
}

/** The ability to do so, if this hypervisor has it for this VM. */
export function diskExchangeOf(hypervisor: Hypervisor): (Hypervisor & DiskExchange) | undefined {
  return hypervisor.capabilities().diskExchange ? (hypervisor as Hypervisor & DiskExchange) : undefined;
}

/** A hypervisor that can plug devices of the host into a running VM; parameters and errors as for disks. */
export interface VfioHotplug {
  hotplugAddVfio(
    vfio: VfioFunction,
    directory: PodDirectory,
    taken: readonly string[],
    options: WaitOptions,
  ): Promise<string>;
  hotplugRemoveVfio(vfio: VfioFunction, directory: PodDirectory, options: WaitOptions): Promise<void>;
}

/** The ability to plug devices of the host in, if this hypervisor has it for this VM. */
export function vfioHotplugOf(hypervisor: Hypervisor): (Hypervisor & VfioHotplug) | undefined {
  return hypervisor.capabilities().vfioHotplug ? (hypervisor as Hypervisor & VfioHotplug) : undefined;
}

/** How an interface is plugged in. */
export interface NicHotplugOptions extends WaitOptions {
  /** path of the network namespace that its link is in; default: the caller's. The VM may live in another one. */
  readonly netNSPath?: string | undefined;
}

/** A hypervisor that can plug network interfaces into a running VM, and take them out; parameters as for disks. */
export interface NicHotplug {
  /**
   * Plugs an interface in, at the least address that is free. One of that name that a caller left who died goes before.
   * @throws HuskError ERR_NO_DEVICE_SLOT, ERR_NOT_SUPPORTED (what is behind it cannot be plugged in), ERR_NETWORK_LINK,
   *   ERR_NETWORK_NAMESPACE, ERR_ASSET_MISSING, ERR_PORT_IN_USE, ERR_QMP, ERR_TIMEOUT, ERR_ABORTED
   */
  hotplugAddNic(
    nic: Nic,
    directory: PodDirectory,
    taken: readonly string[],
    options: NicHotplugOptions,
  ): Promise<string>;
  /** Takes it out by its name. One that has gone already is no error. Throws as for disks. */
  hotplugRemoveNic(name: string, directory: PodDirectory, options: WaitOptions): Promise<void>;
}

/** The ability to plug network interfaces in, if this hypervisor has it for this VM. */
export function nicHotplugOf(hypervisor: Hypervisor): (Hypervisor & NicHotplug) | undefined {
  return hypervisor.capabilities().nicHotplug ? (hypervisor as Hypervisor & NicHotplug) : undefined;
}

/** A hypervisor that can freeze a VM into files, and begin others from them. */
export interface Templating {
  /** All that a template of the VM that was described depends on, in words: another text is another template. */
  templateIdentity(): string;
  /**
   * Freezes a VM that was described as a template's source, and saves the state of its devices. Its memory is saved when its
   * process has ended.
   * @throws HuskError ERR_QMP, ERR_STORE, ERR_TIMEOUT, ERR_ABORTED
   */
  saveTemplate(directory: PodDirectory, options: WaitOptions): Promise<void>;
  /**
   * Loads what was saved into a VM that was described as a clone, and lets it go on from there.
   * @throws HuskError ERR_QMP, ERR_TIMEOUT, ERR_ABORTED
   */
  loadTemplate(directory: PodDirectory, options: WaitOptions): Promise<void>;
}

/** That ability, if this hypervisor has it. */
export function templatingOf(hypervisor: Hypervisor): (Hypervisor & Templating) | undefined {
  return hypervisor.capabilities().templates ? (hypervisor as Hypervisor & Templating) : undefined;
}

/** A hypervisor that can give a running VM more processors and memory. */
export interface ResourceHotplug {
  /**
   * Plugs processors in until the VM has `total`; a VM that has as many stays as it is.
   * @returns how many it has now
   * @throws HuskError ERR_NO_DEVICE_SLOT when the VM has no place for so many, ERR_QMP, ERR_TIMEOUT, ERR_ABORTED
   */
  hotplugVcpus(total: number, directory: PodDirectory, options: WaitOptions): Promise<number>;
  /**
   * Plugs memory in until the VM has `totalMiB`, in steps of the guest's blocks (128 MiB). It cannot be taken out again.
   * @returns MiB that it has now
   * @throws HuskError ERR_HOST_MEMORY, ERR_NO_DEVICE_SLOT, ERR_QMP, ERR_TIMEOUT, ERR_ABORTED
   */
  hotplugMemory(totalMiB: number, directory: PodDirectory, options: WaitOptions): Promise<number>;
  /**
   * Takes processors out again that were plugged in, until the VM has `total`, or none of them is left.
   * @throws HuskError ERR_QMP, ERR_TIMEOUT when the guest does not give one back, ERR_ABORTED
   */
  hotplugRemoveVcpus(total: number, directory: PodDirectory, options: WaitOptions): Promise<void>;
}

/** The ability to give more of both, if this hypervisor has it for this VM. */
export function resourceHotplugOf(hypervisor: Hypervisor): (Hypervisor & ResourceHotplug) | undefined {
  return hypervisor.capabilities().resourceHotplug ? (hypervisor as Hypervisor & ResourceHotplug) : undefined;
}
