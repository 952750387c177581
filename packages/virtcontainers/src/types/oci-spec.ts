/**
 * The OCI runtime specification's configuration of a Linux container (config.md, config-linux.md), as far as it can travel
 * to the Kata agent; names as in its JSON. Paths are those of the container and the guest, unless said otherwise.
 * @module
 */
import type { LinuxResources } from "./resources.ts";

/** A user by numbers. */
export interface OciUser {
  uid: number;
  gid: number;
  additionalGids?: number[];
}

/** Sets of capabilities, names with `CAP_`. */
export interface OciCapabilities {
  bounding?: string[];
  effective?: string[];
  inheritable?: string[];
  permitted?: string[];
  ambient?: string[];
}

/** A limit of a process. */
export interface OciRlimit {
  /** `RLIMIT_NOFILE` */
  type: string;
  /** up to 2^53-1; one that is as high means none */
  hard: number;
  soft: number;
}

/** A process. */
export interface OciProcess {
  terminal?: boolean;
  /** in characters */
  consoleSize?: { height: number; width: number };
  user: OciUser;
  args: string[];
  /** `NAME=value` */
  env?: string[];
  cwd: string;
  capabilities?: OciCapabilities;
  rlimits?: OciRlimit[];
  noNewPrivileges?: boolean;
  /** -1000 to 1000 */
  oomScoreAdj?: number;
}

/** A mount. The source of a bind is a path of the host, which is shared with the pod. */
export interface OciMount {
  destination: string;
  source?: string;
  type?: string;
  options?: string[];
}

/** A program of the guest that is run at a moment of the container's life. */
export interface OciHook {
  path: string;
  args?: string[];
  env?: string[];
  /** in seconds */
  timeout?: number;
}

/** Programs of the guest, by their moments. */
export interface OciHooks {
  prestart?: OciHook[];
  createRuntime?: OciHook[];
  createContainer?: OciHook[];
  startContainer?: OciHook[];
  poststart?: OciHook[];
  poststop?: OciHook[];
}

/** A range of user or group numbers. */
export interface OciIdMapping {
  containerID: number;
  hostID: number;
  size: number;
}

/** A namespace. The pod's own is joined where a path is given; `network` is always the pod's. */
export interface OciNamespace {
  type: "pid" | "network" | "mount" | "ipc" | "uts" | "user" | "cgroup";
  path?: string;
}

/** A device node; a block device is the host's of these numbers, which is plugged into the VM. */
export interface OciDevice {
  path: string;
  type: "c" | "b" | "u" | "p";
  major?: number;
  minor?: number;
  fileMode?: number;
  uid?: number;
  gid?: number;
}

/** Whether devices may be used; missing numbers mean all. */
export interface OciDeviceRule {
  allow: boolean;
  type?: "a" | "c" | "b";
  major?: number;
  minor?: number;
  /** of `r`, `w` and `m` */
  access?: string;
}

/** What a container may use. */
export interface OciResources extends LinuxResources {
  devices?: OciDeviceRule[];
}

/** A condition on an argument of a system call. */
export interface OciSeccompArg {
  index: number;
  value: number;
  valueTwo?: number;
  /** `SCMP_CMP_EQ` */
  op: string;
}

/** What is done about some system calls. */
export interface OciSyscall {
  names: string[];
  /** `SCMP_ACT_ALLOW` */
  action: string;
  errnoRet?: number;
  args?: OciSeccompArg[];
}

/** A filter of system calls. */
export interface OciSeccomp {
  defaultAction: string;
  architectures?: string[];
  flags?: string[];
  syscalls?: OciSyscall[];
}

/** What is Linux's own. */
export interface OciLinux {
  uidMappings?: OciIdMapping[];
  gidMappings?: OciIdMapping[];
  sysctl?: Record<string, string>;
  resources?: OciResources;
  cgroupsPath?: string;
  namespaces?: OciNamespace[];
  devices?: OciDevice[];
  seccomp?: OciSeccomp;
  /** `private`, `rslave`, … */
  rootfsPropagation?: string;
  maskedPaths?: string[];
  readonlyPaths?: string[];
}

/** A container. Go: `specs.Spec`. */
export interface OciSpec {
  ociVersion: string;
  process: OciProcess;
  /** its path is not looked at: the container's `rootFs` is */
  root?: { path?: string; readonly?: boolean };
  hostname?: string;
  mounts?: OciMount[];
  hooks?: OciHooks;
  annotations?: Record<string, string>;
  linux?: OciLinux;
}
