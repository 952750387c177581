import {
  type AttachVm,
  type HyperRequestInput,
  type IoResponse,
  ProxyCommand,
  parseIoResponse,
  proxyCommandName,
  type RegisterVm,
} from "@husk/wire/cc-proxy";
import { hostCommandName } from "@husk/wire/hyperstart";
import { HuskError, messageOf } from "../../../errors/index.ts";
import { cleanText } from "../../../untrusted-text.ts";
import type { CommandOptions, Reply } from "../transport.ts";
import type { ProxyConnection } from "./proxy-connection.ts";

/** Hands the proxy a VM that has just been started. Settles when its agent is ready, without a deadline. */
export async function registerVm(
  connection: ProxyConnection,
  vm: Omit<RegisterVm, "numIOStreams">,
): Promise<void> {
  const request: RegisterVm = { ...vm, numIOStreams: 0 };
  takeIo(ProxyCommand.REGISTER_VM, await connection.ask(ProxyCommand.REGISTER_VM, request));
}

/** Makes a connection a client of a VM. @returns a token for each process that it is about to start */
export async function attachVm(
  connection: ProxyConnection,
  vm: AttachVm,
  limits: CommandOptions,
): Promise<string[]> {
  const reply = await connection.request(ProxyCommand.ATTACH_VM, vm, limits);
  return takeIo(ProxyCommand.ATTACH_VM, reply).tokens;
}

/** Has the proxy put a command to the agent. `tokens`: that of the process which it starts */
export function askAgent(
  connection: ProxyConnection,
  command: number,
  { tokens, data }: Omit<HyperRequestInput, "hyperName">,
  limits: CommandOptions,
): Promise<Reply> {
  const request: HyperRequestInput = {
    hyperName: hostCommandName(command).toLowerCase(),
    ...(tokens ? { tokens } : {}),
    ...(data ? { data } : {}),
  };
  return connection.request(ProxyCommand.HYPER, request, limits);
}

/** @throws HuskError ERR_AGENT_REFUSED */
export function checkProxyReply(opcode: ProxyCommand, { ok, payload }: Reply): Uint8Array {
  if (ok) return payload;
  const words = cleanText(Buffer.from(payload).toString()).trim();
  const text = `the pod's proxy refused ${proxyCommandName(opcode)}: ${words || "it gives no reason"}`;
  throw new HuskError("ERR_AGENT_REFUSED", text);
}

function takeIo(opcode: ProxyCommand, reply: Reply): IoResponse {
  const payload = checkProxyReply(opcode, reply);
  try {
    return parseIoResponse(payload);
  } catch (error) {
    const text = `the pod's proxy answered ${proxyCommandName(opcode)} wrongly: ${messageOf(error)}`;
    throw new HuskError("ERR_AGENT_PROTOCOL", text, { cause: error });
  }
}
