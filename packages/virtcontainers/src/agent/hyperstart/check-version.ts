import { API_VERSION, Command, decodeVersion } from "@husk/wire/hyperstart";
import { HuskError } from "../../errors/index.ts";
import type { CommandOptions, Transport } from "./transport.ts";

/**
 * Asks the agent for its version: before all else, for it also tells the agent which dialect is spoken.
 * @throws HuskError ERR_AGENT_VERSION, and what `Transport.request` throws
 */
export async function checkVersion(transport: Transport, limits: CommandOptions): Promise<void> {
  const reply = await transport.request(Command.GETVERSION, undefined, limits);
  const version = reply.ok ? decodeVersion(reply.payload) : undefined;
  if (version === API_VERSION) return;
  const told = version === undefined ? "does not tell its version" : `has API version ${version}`;
  throw new HuskError("ERR_AGENT_VERSION", `the guest's agent ${told}; needed is ${API_VERSION}`);
}
