/**
 * The configuration of pods and containers: the structures of the virtcontainers 1.0 API, fields in camelCase. Each names
 * its Go original. A configuration is checked as a whole: wrong values are ERR_CONFIG_INVALID, unknown fields
 * ERR_CONFIG_UNKNOWN_FIELD, values that nothing here can do ERR_NOT_SUPPORTED.
 * @module
 */

import type {
  AgentType,
  HypervisorType,
  NetInterworkingModel,
  NetworkModel,
  ProxyType,
  ShimType,
} from "./kinds.ts";

/** Kind of emulated machine: q35 hot-plugs, microvm boots quickest, pc is the old one. */
export type MachineType = "q35" | "microvm" | "pc";

/** How directories are shared with a pod: by a virtiofs daemon each, or by the hypervisor itself with 9p. */
export type SharedFS = "virtiofs" | "9p";

/** What disks are to the guest: devices of their own, or units of one SCSI controller. */
export type BlockDeviceDriver = "virtio-blk" | "virtio-scsi";

/** Resources of the VM. Go: `Resources`. */
export interface Resources {
  /** number of virtual CPUs */
  vcpus?: number;
  /** guest memory in MiB */
  memory?: number;
}

/** A parameter of a command line: `key=value`, or `key` alone when the value is missing or empty. Go: `Param`. */
export interface Param {
  /** its name; not empty */
  key: string;
  /** its value; missing or empty: there is none */
  value?: string;
}

/** What the VM is made of. Go: `HypervisorConfig`. */
export interface HypervisorConfig {
  /** path of the guest kernel: an uncompressed vmlinux with a PVH note, or a bzImage */
  kernelPath?: string;
  /**
   * path of the guest image: an initramfs (cpio, bare or compressed with gzip), or a disk image with the guest's root file
   * system (erofs, ext4 or squashfs), which becomes the first disk, read-only
   */
  imagePath?: string;
  /** path of an initramfs that loads the drivers for a disk image; without it the kernel needs them built in */
  initrdPath?: string;
  /** path of the firmware; default: QEMU's `qboot.rom` */
  firmwarePath?: string;
  /** more options of `-machine`, separated by commas */
  machineAccelerators?: string;
  /** path of the hypervisor program; default: `/usr/bin/qemu-system-x86_64` */
  hypervisorPath?: string;
  /** forbid block devices: root directories are shared, images and devices are refused */
  disableBlockDeviceUse?: boolean;
  /** what disks are to the guest; default `virtio-blk` */
  blockDeviceDriver?: BlockDeviceDriver;
  /**
   * how directories are shared with the pod; default: `virtiofs`, and only when the pod is created with something to
   * share. When it is given, containers that are created later can share directories, too.
   */
  sharedFS?: SharedFS;
  /** parameters for the guest kernel, put last so that they win */
  kernelParams?: Param[];
  /** arguments for the hypervisor, put last: `-key value` */
  hypervisorParams?: Param[];
  /** machine to emulate; default: `q35` */
  hypervisorMachineType?: MachineType;
  /** let the guest kernel talk on its console */
  debug?: boolean;
  /** number of virtual CPUs when `vmConfig.vcpus` is missing; default 1 */
  defaultVCPUs?: number;
  /** guest memory in MiB when `vmConfig.memory` is missing; default 256 */
  defaultMemSz?: number;
  /**
   * number of PCI slots for devices that are plugged in later; default 2, at most 16. Disks with `virtio-scsi` need none, a
   * microvm has none
   */
  defaultBridges?: number;
  /** take all guest memory from the host at the start, instead of page by page as the guest uses it */
  memPrealloc?: boolean;
  /** take guest memory from the host's reserved huge pages (vm.nr_hugepages); they are preallocated */
  hugePages?: boolean;
  /** decide by `mlock` whether the host may swap out guest memory; it changes nothing else */
  realtime?: boolean;
  /** with `realtime`: keep the whole VM in the host's memory; without this it may be swapped out */
  mlock?: boolean;
  /** leave out what is adjusted when the host is a VM itself: the performance counters that a KVM guest then does not get */
  disableNestingChecks?: boolean;
}

/** Configuration of a proxy. Go: `ProxyConfig`. */
export interface ProxyConfig {
  /** path of the proxy program */
  path?: string;
  /** let the proxy tell more */
  debug?: boolean;
}

/** Configuration of the network. Go: `NetworkConfig`. */
export interface NetworkConfig {
  /** path of the network namespace of the pod */
  netNSPath?: string;
  /** number of interfaces wanted */
  numInterfaces?: number;
  /** how interfaces are joined to the VM */
  interworkingModel?: NetInterworkingModel;
}

/** A directory shared between host and pod; containers mount it by a {@link Mount} of type `volume`. Go: `Volume`. */
export interface Volume {
  /** its name: 1 to 31 letters, digits, '_', '.' and '-' */
  mountTag: string;
  /** directory on the host */
  hostPath: string;
}

/** A serial port of the VM as a socket on the host. Go: `Socket`. */
export interface Socket {
  /** id of the device of the VM */
  deviceId: string;
  /** id of the socket, for the hypervisor */
  id: string;
  /** path of the socket on the host */
  hostPath: string;
  /** name of the port in the guest */
  name: string;
}

/**
 * A program run on the host at a moment of a pod's life, with the OCI state of the pod as JSON on its standard input.
 * Go: `Hook`; OCI runtime specification, "POSIX-platform Hooks".
 */
export interface Hook {
  /** the program; an absolute path */
  path: string;
  /** its arguments, of which the first is what it is called (`argv[0]`); default: the path alone */
  args?: string[];
  /** all of its environment, `NAME=value` each; nothing of the caller's is added */
  env?: string[];
  /** seconds after which it and its process group are killed; 0: no limit */
  timeout?: number;
}

/**
 * Programs run at moments of a pod's life, in order; the first that fails keeps the rest from running. They run each time
 * that the pod gets a VM, or loses it: also when a stopped pod is started again. Go: `Hooks`.
 */
export interface Hooks {
  /** before the VM starts; a failure undoes the call */
  preStartHooks?: Hook[];
  /** after all containers have started; a failure is a warning */
  postStartHooks?: Hook[];
  /** after the VM has ended, also when a creation is undone; a failure is a warning */
  postStopHooks?: Hook[];
}

/** An environment variable. Go: `EnvVar`. */
export interface EnvVar {
  /** its name; without `=` */
  var: string;
  /** its value; may be empty */
  value: string;
}

/** Sets of Linux capabilities, names with `CAP_`. Go: `LinuxCapabilities`. */
export interface LinuxCapabilities {
  /** what may ever be gained by executing a program */
  bounding?: string[];
  /** what is in force */
  effective?: string[];
  /** what a program with inheritable capabilities of its own keeps */
  inheritable?: string[];
  /** what may be in force */
  permitted?: string[];
  /** what an ordinary program keeps */
  ambient?: string[];
}

/** A command to execute in a container. Go: `Cmd`. */
export interface Cmd {
  /** program and arguments; not empty */
  args: string[];
  /** environment variables */
  envs?: EnvVar[];
  /** working directory inside the container; default `/` */
  workDir?: string;
  /** user name or number, looked up in the container; default root */
  user?: string;
  /** group name or number, looked up in the container; default the user's */
  primaryGroup?: string;
  /** more group names or numbers */
  supplementaryGroups?: string[];
  /** give the process a terminal */
  interactive?: boolean;
  /** host terminal to connect (needs a shim: not supported yet) */
  console?: string;
  /** nobody will wait for the process or read its output */
  detach?: boolean;
  /** executing a program cannot gain privileges (`no_new_privs`) */
  noNewPrivileges?: boolean;
  /** sets of capabilities; default: as the agent has them */
  capabilities?: LinuxCapabilities;
}

/**
 * A mount inside a container, by its type:
 * `bind` (or the option `bind` or `rbind`): a file or directory of the host, live; a device node becomes a device.
 * `volume`: one of the pod's volumes, all of it.
 * `tmpfs`, `ramfs`, `mqueue`, `proc`, `sysfs`: made in the guest.
 * Go: `Mount`.
 */
export interface Mount {
  /** what is mounted: a path of the host for a bind, the mount tag of a volume */
  source: string;
  /** absolute path in the container; not below `/proc` or `/sys`, which are the agent's */
  destination: string;
  type?: string;
  /** as in fstab(5) */
  options?: string[];
  /** set by the library of old; not to be given */
  hostPath?: string;
  /** whether the container cannot write to it; the same as the option `ro` */
  readOnly?: boolean;
}

/**
 * A device inside a container. A block device of the host is plugged into the VM; a character device is made anew, and is
 * the guest's device of the same numbers; so is a fifo. Go: `DeviceInfo`.
 */
export interface DeviceInfo {
  /** path on the host; default: found by type and numbers */
  hostPath?: string;
  /** path in the container; default: that of the host */
  containerPath?: string;
  /** `c` or `u` (character), `b` (block), `p` (fifo); default: what the host has */
  devType?: string;
  /** major number; default: what the host has */
  major?: number;
  /** minor number; default: what the host has */
  minor?: number;
  /** permission bits; default: what the host has, else 0666 */
  fileMode?: number;
  /** owner; default 0 */
  uid?: number;
  /** group; default 0 */
  gid?: number;
  /** set by the library of old; not to be given */
  hotplugged?: boolean;
  /** set by the library of old; not to be given */
  id?: string;
}

/** Configuration of one container. Go: `ContainerConfig`. */
export interface ContainerConfig {
  /** `^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`, unique in its pod */
  id: string;
  /** the root file system on the host: a directory, or a file or block device with an erofs or ext4 image */
  rootFs: string;
  /** mount the root file system read-only; default: what the container writes is kept until it ends */
  readonlyRootfs?: boolean;
  /** use the root directory itself, live, not a packed copy: what the container writes is written to it */
  sharedRootfs?: boolean;
  /** the first process */
  cmd: Cmd;
  /** kept with the container; keys are best name-spaced (`org.example.key`) */
  annotations?: Record<string, string>;
  /** mounts inside, in order */
  mounts?: Mount[];
  /** devices inside */
  deviceInfos?: DeviceInfo[];
}

/** Configuration of a pod. Go: `PodConfig`. */
export interface PodConfig {
  /** `^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`, unique under a state directory */
  id: string;
  /** host name inside the pod; default: the id */
  hostname?: string;
  /** programs run at moments of its life */
  hooks?: Hooks;
  /** CPUs and memory of the VM; they win over the defaults of `hypervisorConfig` */
  vmConfig?: Resources;
  /** default `qemu` */
  hypervisorType?: HypervisorType;
  /** what the VM is made of */
  hypervisorConfig?: HypervisorConfig;
  /** default `hyperstart` */
  agentType?: AgentType;
  /** no agent kind has any field yet */
  agentConfig?: Record<string, never>;
  /** default `noProxy` */
  proxyType?: ProxyType;
  /** how the proxy is run */
  proxyConfig?: ProxyConfig;
  /** default `noopShim` */
  shimType?: ShimType;
  /** no shim kind has any field yet */
  shimConfig?: Record<string, never>;
  /** default `noop` */
  networkModel?: NetworkModel;
  /** how it is joined to networks */
  networkConfig?: NetworkConfig;
  /** directories shared with the pod */
  volumes?: Volume[];
  /** containers that are created with it; more can be created later */
  containers?: ContainerConfig[];
  /** kept with the pod; keys are best name-spaced (`org.example.key`) */
  annotations?: Record<string, string>;
}
