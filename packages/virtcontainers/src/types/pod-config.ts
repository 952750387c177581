/**
 * The configuration of pods and containers: the structures of the virtcontainers 1.0 API, fields in camelCase. Each names
 * its Go original. A configuration is checked as a whole: wrong values are ERR_CONFIG_INVALID, unknown fields
 * ERR_CONFIG_UNKNOWN_FIELD, values that nothing here can do ERR_NOT_SUPPORTED.
 * @module
 */

import type { KataAgentConfig } from "./agent-config.ts";
import type { ContainerConfig } from "./container-config.ts";
import type { HypervisorConfig } from "./hypervisor-config.ts";
import type { AgentType, HypervisorType, NetworkModel, ProxyType, ShimType } from "./kinds.ts";
import type { NetworkConfig } from "./network-config.ts";

/** Resources of the VM. Go: `Resources`. */
export interface Resources {
  /** number of virtual CPUs */
  vcpus?: number;
  /** guest memory in MiB */
  memory?: number;
}

/** Configuration of a proxy. Go: `ProxyConfig`. */
export interface ProxyConfig {
  /** path of the proxy program; a kind that is a program needs it */
  path?: string;
  /** let the proxy tell more */
  debug?: boolean;
}

/** Bounds of the log in which a detached process's output is kept. Ours alone. */
export interface ShimLogConfig {
  /** bytes that a file may have before a new one is begun; at least 256 KiB, default 10 MiB */
  maxBytes?: number;
  /** files kept, with the one that is written; default 3 */
  maxFiles?: number;
}

/** Configuration of shims. Go: `CCShimConfig`, `KataShimConfig`. */
export interface ShimConfig {
  /** path of the shim program; a kind that is a program needs it */
  path?: string;
  /** let the shims tell more */
  debug?: boolean;
  /** the log of processes that are detached. Ours alone */
  log?: ShimLogConfig;
  /**
   * a program with its arguments that is started on the host when a detached container has ended, in a session of its own. Ours
   * alone
   */
  exitCommand?: string[];
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
  /** settings of the agent `kata`; the other kinds have none */
  agentConfig?: KataAgentConfig;
  /** default `noProxy` */
  proxyType?: ProxyType;
  /** how the proxy is run */
  proxyConfig?: ProxyConfig;
  /** default `noopShim` */
  shimType?: ShimType;
  /** how shims are run */
  shimConfig?: ShimConfig;
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
