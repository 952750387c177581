// Made from proto/empty.proto by scripts/kata-messages.ts: change that, and run this.
import { type Message, type MessageType, messageType } from "../../protobuf/index.ts";

export interface Empty extends Message {}
export const Empty: MessageType<Empty> = /* @__PURE__ */ messageType("google.protobuf.Empty", "");
