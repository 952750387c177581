import assert from "node:assert/strict";
import type { ProxyFrame } from "../src/cc-proxy/index.ts";
import {
  decodeAcknowledge,
  decodeProcessExited,
  MAX_COMMAND_BYTES,
  ProxyDecoder,
  parseAttachVm,
  parseConnectShim,
  parseConnectShimResponse,
  parseErrorResponse,
  parseHyperRequest,
  parseIoResponse,
  parseLogEntry,
  parseRegisterVm,
  parseShimSignal,
  readRequestedProcess,
} from "../src/cc-proxy/index.ts";
import { Command, FrameError, PayloadError } from "../src/hyperstart/index.ts";
import { decodeBothWays } from "./decode.ts";
import { mutateBytes, mutateJson } from "./mutate.ts";
import type { Target } from "./run.ts";

const parsers: readonly ((payload: Uint8Array) => unknown)[] = [
  parseRegisterVm,
  parseAttachVm,
  parseHyperRequest,
  (payload) => readRequestedProcess(Command.NEWCONTAINER, parseHyperRequest(payload).data),
  (payload) => readRequestedProcess(Command.EXECCMD, parseHyperRequest(payload).data),
  parseConnectShim,
  parseShimSignal,
  parseLogEntry,
  parseIoResponse,
  parseErrorResponse,
  parseConnectShimResponse,
  decodeAcknowledge,
  decodeProcessExited,
];

/** Nothing is thrown but the protocol's own error. */
function tryParsers(payload: Uint8Array): void {
  for (const parse of parsers) {
    try {
      parse(payload);
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
    }
  }
}

function readError(error: unknown): { code: string; before: readonly ProxyFrame[] } | undefined {
  if (!(error instanceof FrameError)) return undefined;
  return { code: error.code, before: error.frames as readonly ProxyFrame[] };
}

/** What must hold for all that a client or a proxy may send. */
export const ccProxyTargets: readonly Target[] = [
  {
    name: "cc-proxy frames",
    seeds: "cc-proxy",
    tryOne(seed, random) {
      const bytes = mutateBytes(seed, random);
      for (const side of ["proxy", "client"] as const) {
        const { messages } = decodeBothWays<ProxyFrame>(
          bytes,
          () => new ProxyDecoder(side),
          readError,
          2 * MAX_COMMAND_BYTES,
          random,
        );
        const held = messages.reduce((sum, { payload }) => sum + payload.length, 0);
        assert.ok(held <= bytes.length);
      }
    },
  },
  {
    name: "cc-proxy payload bytes",
    seeds: "cc-proxy-payload",
    tryOne(seed, random) {
      tryParsers(mutateBytes(seed, random));
    },
  },
  {
    name: "cc-proxy payload values",
    seeds: "cc-proxy-payload",
    tryOne(seed, random) {
      tryParsers(Buffer.from(JSON.stringify(mutateJson(JSON.parse(Buffer.from(seed).toString()), random))));
    },
  },
];
