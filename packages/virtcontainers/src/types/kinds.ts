/**
 * The enumerations of the virtcontainers 1.0 API. Each is an object of its names, and the type of their values; in all
 * but {@link NetInterworkingModel} a name is its own value. `config/parse-kind.ts` has a parser for each.
 * @module
 */

/** Kind of hypervisor. Go: `HypervisorType`. */
export const HypervisorType = { qemu: "qemu", mock: "mock" } as const;
/** One of the values above. */
export type HypervisorType = (typeof HypervisorType)[keyof typeof HypervisorType];

/** Kind of guest agent. Go: `AgentType`. */
export const AgentType = { noop: "noop", hyperstart: "hyperstart", kata: "kata" } as const;
/** One of the values above. */
export type AgentType = (typeof AgentType)[keyof typeof AgentType];

/** Kind of socket to talk to an agent: `unix` typically means that it is behind a proxy. Go: `SocketTypeVSOCK`, …. */
export const SocketType = { vsock: "vsock", unix: "unix" } as const;
/** One of the values above. */
export type SocketType = (typeof SocketType)[keyof typeof SocketType];

/** Kind of proxy; `docs/compatibility.md` tells which agent and shim go with which. Go: `ProxyType`. */
export const ProxyType = {
  noopProxy: "noopProxy",
  noProxy: "noProxy",
  ccProxy: "ccProxy",
  kataProxy: "kataProxy",
} as const;
/** One of the values above. */
export type ProxyType = (typeof ProxyType)[keyof typeof ProxyType];

/** Kind of shim. Go: `ShimType`. */
export const ShimType = { ccShim: "ccShim", noopShim: "noopShim", kataShim: "kataShim" } as const;
/** One of the values above. */
export type ShimType = (typeof ShimType)[keyof typeof ShimType];

/**
 * Kind of network set-up. Go: `NetworkModel`; `user` is ours alone: the hypervisor's own network, which needs no rights.
 */
export const NetworkModel = { noop: "noop", CNI: "CNI", CNM: "CNM", user: "user" } as const;
/** One of the values above. */
export type NetworkModel = (typeof NetworkModel)[keyof typeof NetworkModel];

/**
 * How a network interface of the pod's namespace is joined to the VM. The numbers are those of virtcontainers 1.0.
 * Go: `NetInterworkingModel`.
 */
export const NetInterworkingModel = {
  /** whichever is the default */
  default: 0,
  /** a Linux bridge; for all but macvlan and ipvlan */
  bridged: 1,
  /** macvtap, for interfaces that can be bridged by it */
  macvtap: 2,
  /** the network plug-in makes interfaces for VMs itself */
  enlightened: 3,
  /** no model; 1.0 takes what comes before it */
  invalid: 4,
  /** a filter that redirects all packets to the VM, both ways: the default. Ours alone here, Kata's since 1.7 */
  tcFilter: 5,
} as const;
/** One of the values above. */
export type NetInterworkingModel = (typeof NetInterworkingModel)[keyof typeof NetInterworkingModel];

/** State of a pod or container; `state-machine.ts` has the moves between them. Go: `State`. */
export const State = { ready: "ready", running: "running", paused: "paused", stopped: "stopped" } as const;
/** One of the values above. */
export type State = (typeof State)[keyof typeof State];

/** Form of a list of processes: `json`, an array of process ids; `table`, the lines of ps(1). */
export const ProcessListFormat = { json: "json", table: "table" } as const;
/** One of the values above. */
export type ProcessListFormat = (typeof ProcessListFormat)[keyof typeof ProcessListFormat];
