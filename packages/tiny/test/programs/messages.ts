/** The Kata agent's messages, read and written in QuickJS. */
import * as kata from "@husk/wire/kata";
import {
  decodeMessage,
  encodeMessage,
  type Message,
  type MessageType,
  ProtobufError,
} from "@husk/wire/protobuf";
import { readText } from "../../src/index.ts";
import { runScenarios } from "./scenarios.ts";

function fromHex(digits: string): Uint8Array {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The message written again, or what is wrong with it. */
function rewrite(type: MessageType<Message>, bytes: Uint8Array): string {
  try {
    return toHex(encodeMessage(type, decodeMessage(type, bytes)));
  } catch (error) {
    if (error instanceof ProtobufError) return `${error.code} ${error.message}`;
    throw error;
  }
}

runScenarios({
  /** Each line of the file is a type's name and the hex digits of a message. */
  rewrite(path = "") {
    const types = new Map<string, MessageType<Message>>();
    for (const value of Object.values(kata)) if ("layout" in value) types.set(value.name, value);
    return readText(path, 1 << 24)
      .split("\n")
      .map((line) => {
        const [name = "", digits = ""] = line.split(" ");
        const type = types.get(name);
        return type === undefined ? `no type ${name}` : rewrite(type, fromHex(digits));
      });
  },
});
