// Made from proto/csi.proto by scripts/kata-messages.ts: change that, and run this.
import { type Message, type MessageType, messageType } from "../../protobuf/index.ts";

export type VolumeUsage_Unit = number;
export const VolumeUsage_Unit = {
  UNKNOWN: 0,
  BYTES: 1,
  INODES: 2,
} as const;

export interface VolumeUsage extends Message {
  /** what is free, in `unit` */
  available: bigint;
  /** what there is, in `unit` */
  total: bigint;
  /** what is taken, in `unit` */
  used: bigint;
  unit: VolumeUsage_Unit;
}
export const VolumeUsage: MessageType<VolumeUsage> = /* @__PURE__ */ messageType(
  "grpc.VolumeUsage",
  "1U available 2U total 3U used 4i unit",
);

export interface VolumeCondition extends Message {
  /** whether the volume is not fit for use */
  abnormal: boolean;
  /** the condition in words */
  message: string;
}
export const VolumeCondition: MessageType<VolumeCondition> = /* @__PURE__ */ messageType(
  "grpc.VolumeCondition",
  "1t abnormal 2s message",
);

export interface VolumeStatsResponse extends Message {
  /** one for each unit */
  usage: VolumeUsage[];
  volumeCondition?: VolumeCondition;
}
export const VolumeStatsResponse: MessageType<VolumeStatsResponse> = /* @__PURE__ */ messageType(
  "grpc.VolumeStatsResponse",
  "1*m usage 2m volumeCondition",
  [VolumeUsage, VolumeCondition],
);
