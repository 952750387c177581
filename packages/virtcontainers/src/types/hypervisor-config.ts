/** Kind of emulated machine: q35 hot-plugs, microvm boots quickest, pc is the old one. */
export type MachineType = "q35" | "microvm" | "pc";

/** How directories are shared with a pod: by a virtiofs daemon each, or by the hypervisor itself with 9p. */
export type SharedFS = "virtiofs" | "9p";

/** What disks are to the guest: devices of their own, or units of one SCSI controller. */
export type BlockDeviceDriver = "virtio-blk" | "virtio-scsi";

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
  /**
   * path of the program that opens network interfaces for a VM that runs already, `husk-tap`; needed for macvtap interfaces, and
   * for a VM that lives in another network namespace than its pod
   */
  tapHelperPath?: string;
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
  /**
   * most virtual CPUs that the VM can grow to while it runs; default: those it starts with. Each one costs the guest a little
   * memory; a microvm cannot grow
   */
  defaultMaxVCPUs?: number;
  /**
   * number of times that the VM can be given more memory while it runs; default 0, because room for it makes the boot about a
   * tenth longer
   */
  memSlots?: number;
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
