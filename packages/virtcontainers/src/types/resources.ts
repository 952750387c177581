/**
 * What a container may use of the VM: the part of the OCI runtime specification that travels to the guest ("Control
 * groups", config-linux.md), its names kept. What is left out is not limited, or stays as it is.
 * @module
 */

/** Processors of a container. */
export interface LinuxCpu {
  /** weight against other containers, 2 to 262,144; 1,024 is usual */
  shares?: number;
  /** microseconds of a period in which it may run, on all processors together; -1: no limit */
  quota?: number;
  /** microseconds of a period; 1,000 to 1,000,000, default 100,000 */
  period?: number;
  /** processors it may run on, as `0-2,4` */
  cpus?: string;
  /** memory nodes it may use, as `0` */
  mems?: string;
}

/** Memory of a container, in bytes; -1: no limit. */
export interface LinuxMemory {
  limit?: number;
  /** what is left to it when the guest is short of memory */
  reservation?: number;
  /** memory and swap together */
  swap?: number;
}

/** Most processes and threads of a container. */
export interface LinuxPids {
  /** -1: no limit */
  limit: number;
}

/** Bytes, or operations, per second of one device. */
export interface LinuxThrottleDevice {
  major: number;
  minor: number;
  rate: number;
}

/** Disks of a container. */
export interface LinuxBlockIo {
  /** weight against other containers, 10 to 1,000 */
  weight?: number;
  throttleReadBpsDevice?: LinuxThrottleDevice[];
  throttleWriteBpsDevice?: LinuxThrottleDevice[];
  throttleReadIOPSDevice?: LinuxThrottleDevice[];
  throttleWriteIOPSDevice?: LinuxThrottleDevice[];
}

/** Most memory in huge pages of one size. */
export interface LinuxHugepageLimit {
  /** `2MB`, `1GB` */
  pageSize: string;
  /** in bytes */
  limit: number;
}

/** What a container may use. Go: `specs.LinuxResources`. */
export interface LinuxResources {
  cpu?: LinuxCpu;
  memory?: LinuxMemory;
  pids?: LinuxPids;
  blockIO?: LinuxBlockIo;
  hugepageLimits?: LinuxHugepageLimit[];
}
