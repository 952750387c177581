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
  const request: RegisterVm = { ...vm, numIOStreams: 0, exits: true };
  takeIo(ProxyCommand.REGISTER_VM, await connection.ask(ProxyCommand.REGISTER_VM, request));
}

/** Makes a connection a client of a VM, and has it told of the end of every process. */
export async function attachVm(
  connection: ProxyConnection,
  containerId: string,
  limits: CommandOptions,
): Promise<void> {
  const request: AttachVm = { containerId, numIOStreams: 0, exits: true };
  takeIo(ProxyCommand.ATTACH_VM, await connection.request(ProxyCommand.ATTACH_VM, request, limits));
}

/** Makes a connection a client of a VM. @returns the token of the process that it is about to start */
export async function drawToken(
  connection: ProxyConnection,
  containerId: string,
  limits: CommandOptions,
): Promise<string> {
  const request: AttachVm = { containerId, numIOStreams: 1 };
  const reply = await connection.request(ProxyCommand.ATTACH_VM, request, limits);
  const [token] = takeIo(ProxyCommand.ATTACH_VM, reply).tokens;
  if (token === undefined) throw new HuskError("ERR_AGENT_PROTOCOL", "the pod's proxy gave no token");
  return token;
}

/** Has the proxy put a command to the agent. `tokens`: that of the process which it starts */
export async function askAgent(
  connection: ProxyConnection,
  command: number,
  { tokens, data }: Omit<HyperRequestInput, "hyperName">,
  limits: CommandOptions,
): Promise<Reply> {
  const name = hostCommandName(command);
  const request: HyperRequestInput = {
    hyperName: name.toLowerCase(),
    ...(tokens ? { tokens } : {}),
    ...(data ? { data } : {}),
  };
  const reply = await connection.request(ProxyCommand.HYPER, request, limits);
  return reply.ok ? reply : { ok: false, payload: agentWords(reply.payload, name) };
}

/** Our own proxy says who refused what; so does whoever reads this. */
function agentWords(payload: Uint8Array, name: string): Uint8Array {
  const words = Buffer.from(payload).toString();
  const begin = `the agent refused ${name}`;
  return words.startsWith(begin) ? Buffer.from(words.slice(begin.length).replace(/^: /, "")) : payload;
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
