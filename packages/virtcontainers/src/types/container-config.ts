import type { OciSpec } from "./oci-spec.ts";
import type { LinuxResources } from "./resources.ts";

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
  /** path of a host terminal that the process's shim gets for its own; only with a shim that is a program */
  console?: string;
  /**
   * nobody will wait for the process or read its output; a shim that is a program writes that of a container's first process
   * into a log
   */
  detach?: boolean;
  /** keep the input of a detached process open, for who attaches to it; default: it is closed at once. Ours alone */
  openStdin?: boolean;
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

/** A port of a container that other networks reach, when the pod has `portmappingWhiteLists`. */
export interface ContainerPort {
  /** port of the pod, as seen from outside; 0: none */
  hostPort: number;
  /** port on which the container listens */
  containerPort: number;
  /** default `tcp` */
  protocol?: "tcp" | "udp" | "sctp";
}

/** A file of `/etc` that is the pod's. */
export type PodFile = "hosts" | "hostname" | "resolv.conf";

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
  /** what it may use of the VM; for pods with the Kata agent. The VM gets more processors and memory for it. Ours alone */
  resources?: LinuxResources;
  /**
   * all that the container is to be, by the OCI runtime specification; for pods with the Kata agent. It wins over `cmd`, which
   * then only tells what is shown, and leaves no room for `mounts`, `deviceInfos`, `resources` and `readonlyRootfs`. Ours alone
   */
  ociSpec?: OciSpec;
  /**
   * with `ociSpec`: files of `/etc` that the pod itself has, mounted read-only over those of the root; without it, a container has all
   * of them. No `resolv.conf` is mounted when the pod has no name servers. Ours alone
   */
  podFiles?: PodFile[];
  /** ports that external networks reach; for pods with `networkConfig.portmappingWhiteLists`. Ours alone */
  ports?: ContainerPort[];
}
