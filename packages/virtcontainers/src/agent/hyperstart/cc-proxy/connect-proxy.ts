import { HuskError, isHuskError, systemCode } from "../../../errors/index.ts";
import { connectSocket } from "../../socket.ts";
import { ProxyConnection, type ProxyEvents } from "./proxy-connection.ts";

/** For a connection that carries no process. */
const NO_EVENTS: ProxyEvents = { onStream: () => {}, onExited: () => {}, onClosed: () => {} };

/**
 * Connects to cc-proxy.
 * @param path its socket
 * @throws HuskError ERR_AGENT_DISCONNECTED, ERR_ABORTED
 */
export async function connectProxy(
  path: string,
  signal: AbortSignal | undefined,
  events: Partial<ProxyEvents> = {},
): Promise<ProxyConnection> {
  try {
    return new ProxyConnection(await connectSocket(path, signal), { ...NO_EVENTS, ...events });
  } catch (error) {
    if (isHuskError(error)) throw error;
    const text = `nobody serves the socket of the pod's proxy (${systemCode(error)})`;
    throw new HuskError("ERR_AGENT_DISCONNECTED", text, { cause: error });
  }
}
