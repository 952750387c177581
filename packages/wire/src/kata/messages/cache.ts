// Made from proto/cache.proto by scripts/kata-messages.ts: change that, and run this.
import { type Message, type MessageType, messageType } from "../../protobuf/index.ts";

export interface GrpcVMConfig extends Message {
  /** the configuration of the VMs, as JSON */
  Data: Uint8Array;
  /** that of their agent, as JSON */
  AgentConfig: Uint8Array;
}
export const GrpcVMConfig: MessageType<GrpcVMConfig> = /* @__PURE__ */ messageType(
  "cache.GrpcVMConfig",
  "1b Data 2b AgentConfig",
);

export interface GrpcVM extends Message {
  id: string;
  /** what the hypervisor's driver needs to go on with the VM, as JSON */
  hypervisor: Uint8Array;
  proxyPid: bigint;
  /** address of the agent */
  proxyURL: string;
  cpu: number;
  /** in MiB */
  memory: number;
  /** processors that were plugged in and are not in use yet */
  cpuDelta: number;
}
export const GrpcVM: MessageType<GrpcVM> = /* @__PURE__ */ messageType(
  "cache.GrpcVM",
  "1s id 2b hypervisor 3I proxyPid 4s proxyURL 5u cpu 6u memory 7u cpuDelta",
);

export interface GrpcVMStatus extends Message {
  /** process id of the hypervisor */
  pid: bigint;
  cpu: number;
  /** in MiB */
  memory: number;
  /**
   * ours alone: how ready it is, whether somebody was given it and has not taken it yet, and since when it is ready in
   * milliseconds since 1970
   */
  tier: string;
  leased: boolean;
  readyAt: bigint;
  /** whether that somebody is not husk, and cannot take it */
  foreign: boolean;
}
export const GrpcVMStatus: MessageType<GrpcVMStatus> = /* @__PURE__ */ messageType(
  "cache.GrpcVMStatus",
  "1I pid 2u cpu 3u memory 1000s tier 1001t leased 1002I readyAt 1003t foreign",
);

/** What Kata's server does not tell. */
export interface HuskCacheStatus extends Message {
  /** digest of all that the VMs depend on */
  key: string;
  /** milliseconds since 1970 */
  startedAt: bigint;
  /** VMs that are to wait */
  rehearsed: number;
  paused: number;
  prepared: number;
  /** VMs so far: taken by somebody, ended while they waited, left by a dead server */
  claimed: number;
  lost: number;
  cleared: number;
  /** attempts to make a VM that have failed since the last that did not, and why the last one did */
  failures: number;
  fault: string;
  /** requests of programs that are not husk's that were refused: they had as many VMs as they may */
  refused: number;
}
export const HuskCacheStatus: MessageType<HuskCacheStatus> = /* @__PURE__ */ messageType(
  "cache.HuskCacheStatus",
  "1s key 2I startedAt 3u rehearsed 4u paused 5u prepared 6u claimed 7u lost 8u cleared 9u failures 10s fault 11u refused",
);

export interface GrpcStatus extends Message {
  /** process id of the server */
  pid: bigint;
  vmstatus: GrpcVMStatus[];
  /** ours alone: what else there is to tell */
  husk?: HuskCacheStatus;
}
export const GrpcStatus: MessageType<GrpcStatus> = /* @__PURE__ */ messageType(
  "cache.GrpcStatus",
  "1I pid 2*m vmstatus 1000m husk",
  [GrpcVMStatus, HuskCacheStatus],
);
