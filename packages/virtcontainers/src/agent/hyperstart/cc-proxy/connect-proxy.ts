import { HuskError, isHuskError, systemCode } from "../../../errors/index.ts";
import { connectSocket } from "../../socket.ts";
import { type GuestEvents, type ProcessEvents, ProxyConnection } from "./proxy-connection.ts";

/**
 * Connects to cc-proxy.
 * @param path its socket
 * @throws HuskError ERR_AGENT_DISCONNECTED, ERR_ABORTED
 */
export async function connectProxy(
  path: string,
  signal: AbortSignal | undefined,
  events?: ProcessEvents | GuestEvents,
): Promise<ProxyConnection> {
  try {
    return new ProxyConnection(await connectSocket(path, signal), events);
  } catch (error) {
    if (isHuskError(error)) throw error;
    const text = `nobody serves the socket of the pod's proxy (${systemCode(error)})`;
    throw new HuskError("ERR_AGENT_DISCONNECTED", text, { cause: error });
  }
}
