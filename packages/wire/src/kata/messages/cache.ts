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
}
export const GrpcVMStatus: MessageType<GrpcVMStatus> = /* @__PURE__ */ messageType(
  "cache.GrpcVMStatus",
  "1I pid 2u cpu 3u memory",
);

export interface GrpcStatus extends Message {
  /** process id of the server */
  pid: bigint;
  vmstatus: GrpcVMStatus[];
}
export const GrpcStatus: MessageType<GrpcStatus> = /* @__PURE__ */ messageType(
  "cache.GrpcStatus",
  "1I pid 2*m vmstatus",
  [GrpcVMStatus],
);
