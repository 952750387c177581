/**
 * What containers use, as the guest's kernel counts it. Go: `ContainerStats` and `CgroupStats` of virtcontainers 1.x, with
 * what cgroups of version 2 do not tell left out.
 * @module
 */

/** Processor time of a container. */
export interface CpuStats {
  /** microseconds in all */
  readonly usageUs: number;
  /** microseconds in programs */
  readonly userUs: number;
  /** microseconds in the kernel */
  readonly systemUs: number;
  /** periods in which it could have run; 0 without a quota */
  readonly periods: number;
  /** periods in which its quota was used up */
  readonly throttledPeriods: number;
  /** microseconds that it waited for the next period */
  readonly throttledUs: number;
}

/** Memory of a container, in bytes. */
export interface MemoryStats {
  readonly usage: number;
  /** the most it has ever used */
  readonly maxUsage: number;
  /** undefined: no limit */
  readonly limit: number | undefined;
  /** pages of files */
  readonly cache: number;
  readonly swapUsage: number;
}

/** Processes and threads of a container. */
export interface PidsStats {
  readonly current: number;
  /** undefined: no limit */
  readonly limit: number | undefined;
}

/** Traffic of one device of a container. */
export interface BlockIoStats {
  readonly major: number;
  readonly minor: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly reads: number;
  readonly writes: number;
}

/** Traffic of one network interface of the pod. */
export interface NetworkStats {
  /** name in the guest */
  readonly name: string;
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}

/** What one container uses. */
export interface ContainerStats {
  readonly cpu: CpuStats;
  readonly memory: MemoryStats;
  readonly pids: PidsStats;
  readonly blockIo: readonly BlockIoStats[];
  /** the pod's interfaces, which its containers share */
  readonly network: readonly NetworkStats[];
}

/** What the VM of a pod costs the host, as the host counts it. */
export interface VmStats {
  /** microseconds of the host's processors, the hypervisor's own work with it */
  readonly cpuUs: number;
  /** bytes of the host's memory */
  readonly rss: number;
  /** virtual CPUs that it has */
  readonly vcpus: number;
  /** bytes of guest memory that it has */
  readonly memory: number;
}

/** What a pod uses: its containers together, and its VM. Go: `SandboxStats` of virtcontainers 1.x, with more. */
export interface PodStats extends ContainerStats {
  /** of each container that runs, by its id */
  readonly containers: Readonly<Record<string, ContainerStats>>;
  readonly vm: VmStats;
}
