// Made from proto/oci.proto by scripts/kata-messages.ts: change that, and run this.
import { type Message, type MessageType, messageType } from "../../protobuf/index.ts";

/** Size of a terminal in characters. */
export interface Box extends Message {
  Height: number;
  Width: number;
}
export const Box: MessageType<Box> = /* @__PURE__ */ messageType("grpc.Box", "1u Height 2u Width");

export interface User extends Message {
  UID: number;
  GID: number;
  AdditionalGids: number[];
  /** for Windows only */
  Username: string;
}
export const User: MessageType<User> = /* @__PURE__ */ messageType(
  "grpc.User",
  "1u UID 2u GID 3*u AdditionalGids 4s Username",
);

/** Capabilities by name: "CAP_CHOWN". */
export interface LinuxCapabilities extends Message {
  Bounding: string[];
  Effective: string[];
  Inheritable: string[];
  Permitted: string[];
  Ambient: string[];
}
export const LinuxCapabilities: MessageType<LinuxCapabilities> = /* @__PURE__ */ messageType(
  "grpc.LinuxCapabilities",
  "1*s Bounding 2*s Effective 3*s Inheritable 4*s Permitted 5*s Ambient",
);

export interface POSIXRlimit extends Message {
  /** "RLIMIT_NOFILE" */
  Type: string;
  /** 2^64-1 for no limit */
  Hard: bigint;
  Soft: bigint;
}
export const POSIXRlimit: MessageType<POSIXRlimit> = /* @__PURE__ */ messageType(
  "grpc.POSIXRlimit",
  "1s Type 2U Hard 3U Soft",
);

export interface Process extends Message {
  Terminal: boolean;
  ConsoleSize?: Box;
  User?: User;
  Args: string[];
  /** "NAME=value" */
  Env: string[];
  Cwd: string;
  Capabilities?: LinuxCapabilities;
  Rlimits: POSIXRlimit[];
  NoNewPrivileges: boolean;
  ApparmorProfile: string;
  /** -1000 to 1000; 0 leaves the kernel's */
  OOMScoreAdj: bigint;
  SelinuxLabel: string;
}
export const Process: MessageType<Process> = /* @__PURE__ */ messageType(
  "grpc.Process",
  "1t Terminal 2m ConsoleSize 3m User 4*s Args 5*s Env 6s Cwd 7m Capabilities 8*m Rlimits 9t NoNewPrivileges 10s ApparmorProfile 11I OOMScoreAdj 12s SelinuxLabel",
  [Box, User, LinuxCapabilities, POSIXRlimit],
);

export interface Root extends Message {
  /** path in the guest */
  Path: string;
  Readonly: boolean;
}
export const Root: MessageType<Root> = /* @__PURE__ */ messageType("grpc.Root", "1s Path 2t Readonly");

export interface Mount extends Message {
  /** absolute path in the container */
  destination: string;
  /** path in the guest, or the file system's own name for what it mounts */
  source: string;
  type: string;
  options: string[];
}
export const Mount: MessageType<Mount> = /* @__PURE__ */ messageType(
  "grpc.Mount",
  "1s destination 2s source 3s type 4*s options",
);

export interface Hook extends Message {
  /** absolute path of a program in the guest */
  Path: string;
  Args: string[];
  Env: string[];
  /** in seconds, or 0 for none */
  Timeout: bigint;
}
export const Hook: MessageType<Hook> = /* @__PURE__ */ messageType(
  "grpc.Hook",
  "1s Path 2*s Args 3*s Env 4I Timeout",
);

export interface Hooks extends Message {
  Prestart: Hook[];
  Poststart: Hook[];
  Poststop: Hook[];
  /** since Kata 2.x, as the two below */
  CreateRuntime: Hook[];
  CreateContainer: Hook[];
  StartContainer: Hook[];
}
export const Hooks: MessageType<Hooks> = /* @__PURE__ */ messageType(
  "grpc.Hooks",
  "1*m Prestart 2*m Poststart 3*m Poststop 4*m CreateRuntime 5*m CreateContainer 6*m StartContainer",
  [Hook, Hook, Hook, Hook, Hook, Hook],
);

export interface LinuxIDMapping extends Message {
  HostID: number;
  ContainerID: number;
  Size: number;
}
export const LinuxIDMapping: MessageType<LinuxIDMapping> = /* @__PURE__ */ messageType(
  "grpc.LinuxIDMapping",
  "1u HostID 2u ContainerID 3u Size",
);

export interface LinuxDeviceCgroup extends Message {
  Allow: boolean;
  /** "a", "c" or "b" */
  Type: string;
  /** -1 for all, as the one below */
  Major: bigint;
  Minor: bigint;
  /** of "r", "w" and "m" */
  Access: string;
}
export const LinuxDeviceCgroup: MessageType<LinuxDeviceCgroup> = /* @__PURE__ */ messageType(
  "grpc.LinuxDeviceCgroup",
  "1t Allow 2s Type 3I Major 4I Minor 5s Access",
);

/** All but the last two in bytes; -1 for no limit. */
export interface LinuxMemory extends Message {
  Limit: bigint;
  Reservation: bigint;
  /** memory and swap together */
  Swap: bigint;
  Kernel: bigint;
  KernelTCP: bigint;
  /** 0 to 100 */
  Swappiness: bigint;
  DisableOOMKiller: boolean;
}
export const LinuxMemory: MessageType<LinuxMemory> = /* @__PURE__ */ messageType(
  "grpc.LinuxMemory",
  "1I Limit 2I Reservation 3I Swap 4I Kernel 5I KernelTCP 6U Swappiness 7t DisableOOMKiller",
);

/** Times in microseconds. */
export interface LinuxCPU extends Message {
  /** 2 to 262144 */
  Shares: bigint;
  Quota: bigint;
  Period: bigint;
  RealtimeRuntime: bigint;
  RealtimePeriod: bigint;
  /** "0-2,4" */
  Cpus: string;
  Mems: string;
}
export const LinuxCPU: MessageType<LinuxCPU> = /* @__PURE__ */ messageType(
  "grpc.LinuxCPU",
  "1U Shares 2I Quota 3U Period 4I RealtimeRuntime 5U RealtimePeriod 6s Cpus 7s Mems",
);

export interface LinuxPids extends Message {
  /** -1 for no limit */
  Limit: bigint;
}
export const LinuxPids: MessageType<LinuxPids> = /* @__PURE__ */ messageType("grpc.LinuxPids", "1I Limit");

export interface LinuxWeightDevice extends Message {
  Major: bigint;
  Minor: bigint;
  Weight: number;
  LeafWeight: number;
}
export const LinuxWeightDevice: MessageType<LinuxWeightDevice> = /* @__PURE__ */ messageType(
  "grpc.LinuxWeightDevice",
  "1I Major 2I Minor 3u Weight 4u LeafWeight",
);

export interface LinuxThrottleDevice extends Message {
  Major: bigint;
  Minor: bigint;
  /** in bytes or operations per second */
  Rate: bigint;
}
export const LinuxThrottleDevice: MessageType<LinuxThrottleDevice> = /* @__PURE__ */ messageType(
  "grpc.LinuxThrottleDevice",
  "1I Major 2I Minor 3U Rate",
);

export interface LinuxBlockIO extends Message {
  /** 10 to 1000 */
  Weight: number;
  LeafWeight: number;
  WeightDevice: LinuxWeightDevice[];
  ThrottleReadBpsDevice: LinuxThrottleDevice[];
  ThrottleWriteBpsDevice: LinuxThrottleDevice[];
  ThrottleReadIOPSDevice: LinuxThrottleDevice[];
  ThrottleWriteIOPSDevice: LinuxThrottleDevice[];
}
export const LinuxBlockIO: MessageType<LinuxBlockIO> = /* @__PURE__ */ messageType(
  "grpc.LinuxBlockIO",
  "1u Weight 2u LeafWeight 3*m WeightDevice 4*m ThrottleReadBpsDevice 5*m ThrottleWriteBpsDevice 6*m ThrottleReadIOPSDevice 7*m ThrottleWriteIOPSDevice",
  [LinuxWeightDevice, LinuxThrottleDevice, LinuxThrottleDevice, LinuxThrottleDevice, LinuxThrottleDevice],
);

export interface LinuxHugepageLimit extends Message {
  /** "2MB" */
  Pagesize: string;
  /** in bytes */
  Limit: bigint;
}
export const LinuxHugepageLimit: MessageType<LinuxHugepageLimit> = /* @__PURE__ */ messageType(
  "grpc.LinuxHugepageLimit",
  "1s Pagesize 2U Limit",
);

export interface LinuxInterfacePriority extends Message {
  Name: string;
  Priority: number;
}
export const LinuxInterfacePriority: MessageType<LinuxInterfacePriority> = /* @__PURE__ */ messageType(
  "grpc.LinuxInterfacePriority",
  "1s Name 2u Priority",
);

export interface LinuxNetwork extends Message {
  ClassID: number;
  Priorities: LinuxInterfacePriority[];
}
export const LinuxNetwork: MessageType<LinuxNetwork> = /* @__PURE__ */ messageType(
  "grpc.LinuxNetwork",
  "1u ClassID 2*m Priorities",
  [LinuxInterfacePriority],
);

export interface LinuxResources extends Message {
  Devices: LinuxDeviceCgroup[];
  Memory?: LinuxMemory;
  CPU?: LinuxCPU;
  Pids?: LinuxPids;
  BlockIO?: LinuxBlockIO;
  HugepageLimits: LinuxHugepageLimit[];
  Network?: LinuxNetwork;
}
export const LinuxResources: MessageType<LinuxResources> = /* @__PURE__ */ messageType(
  "grpc.LinuxResources",
  "1*m Devices 2m Memory 3m CPU 4m Pids 5m BlockIO 6*m HugepageLimits 7m Network",
  [LinuxDeviceCgroup, LinuxMemory, LinuxCPU, LinuxPids, LinuxBlockIO, LinuxHugepageLimit, LinuxNetwork],
);

export interface LinuxNamespace extends Message {
  /** "pid", "network", "mount", "ipc", "uts", "user", "cgroup" */
  Type: string;
  /** path of one to join, or "" for a new one */
  Path: string;
}
export const LinuxNamespace: MessageType<LinuxNamespace> = /* @__PURE__ */ messageType(
  "grpc.LinuxNamespace",
  "1s Type 2s Path",
);

export interface LinuxDevice extends Message {
  Path: string;
  /** "c", "b", "u" or "p" */
  Type: string;
  Major: bigint;
  Minor: bigint;
  /** permission bits */
  FileMode: number;
  UID: number;
  GID: number;
}
export const LinuxDevice: MessageType<LinuxDevice> = /* @__PURE__ */ messageType(
  "grpc.LinuxDevice",
  "1s Path 2s Type 3I Major 4I Minor 5u FileMode 6u UID 7u GID",
);

export interface LinuxSeccompArg extends Message {
  Index: bigint;
  Value: bigint;
  ValueTwo: bigint;
  /** "SCMP_CMP_EQ" */
  Op: string;
}
export const LinuxSeccompArg: MessageType<LinuxSeccompArg> = /* @__PURE__ */ messageType(
  "grpc.LinuxSeccompArg",
  "1U Index 2U Value 3U ValueTwo 4s Op",
);

/** Kata 1.x has Args as field 3. */
export interface LinuxSyscall extends Message {
  Names: string[];
  Action: string;
  errnoret?: number;
  Args: LinuxSeccompArg[];
}
export const LinuxSyscall: MessageType<LinuxSyscall> = /* @__PURE__ */ messageType(
  "grpc.LinuxSyscall",
  "1*s Names 2s Action 3?u errnoret 4*m Args",
  [LinuxSeccompArg],
);

/** Kata 1.x has Syscalls as field 3 and no flags: its agent cannot read this one. */
export interface LinuxSeccomp extends Message {
  /** "SCMP_ACT_ERRNO" */
  DefaultAction: string;
  /** "SCMP_ARCH_X86_64" */
  Architectures: string[];
  Flags: string[];
  Syscalls: LinuxSyscall[];
}
export const LinuxSeccomp: MessageType<LinuxSeccomp> = /* @__PURE__ */ messageType(
  "grpc.LinuxSeccomp",
  "1s DefaultAction 2*s Architectures 3*s Flags 4*m Syscalls",
  [LinuxSyscall],
);

export interface LinuxIntelRdt extends Message {
  /** "L3:0=f;1=f0" */
  L3CacheSchema: string;
}
export const LinuxIntelRdt: MessageType<LinuxIntelRdt> = /* @__PURE__ */ messageType(
  "grpc.LinuxIntelRdt",
  "1s L3CacheSchema",
);

export interface Linux extends Message {
  UIDMappings: LinuxIDMapping[];
  GIDMappings: LinuxIDMapping[];
  Sysctl: Map<string, string>;
  Resources?: LinuxResources;
  CgroupsPath: string;
  Namespaces: LinuxNamespace[];
  Devices: LinuxDevice[];
  Seccomp?: LinuxSeccomp;
  /** "private", "rslave", … */
  RootfsPropagation: string;
  MaskedPaths: string[];
  ReadonlyPaths: string[];
  MountLabel: string;
  IntelRdt?: LinuxIntelRdt;
}
export const Linux: MessageType<Linux> = /* @__PURE__ */ messageType(
  "grpc.Linux",
  "1*m UIDMappings 2*m GIDMappings 3%s Sysctl 4m Resources 5s CgroupsPath 6*m Namespaces 7*m Devices 8m Seccomp 9s RootfsPropagation 10*s MaskedPaths 11*s ReadonlyPaths 12s MountLabel 13m IntelRdt",
  [LinuxIDMapping, LinuxIDMapping, LinuxResources, LinuxNamespace, LinuxDevice, LinuxSeccomp, LinuxIntelRdt],
);

/** Never looked at. */
export interface Solaris extends Message {
  dummy: string;
}
export const Solaris: MessageType<Solaris> = /* @__PURE__ */ messageType("grpc.Solaris", "1s dummy");

/** Never looked at. */
export interface Windows extends Message {
  dummy: string;
}
export const Windows: MessageType<Windows> = /* @__PURE__ */ messageType("grpc.Windows", "1s dummy");

export interface Spec extends Message {
  /** version of the specification: "1.0.2" */
  Version: string;
  Process?: Process;
  Root?: Root;
  Hostname: string;
  Mounts: Mount[];
  Hooks?: Hooks;
  Annotations: Map<string, string>;
  Linux?: Linux;
  Solaris?: Solaris;
  Windows?: Windows;
}
export const Spec: MessageType<Spec> = /* @__PURE__ */ messageType(
  "grpc.Spec",
  "1s Version 2m Process 3m Root 4s Hostname 5*m Mounts 6m Hooks 7%s Annotations 8m Linux 9m Solaris 10m Windows",
  [Process, Root, Mount, Hooks, Linux, Solaris, Windows],
);
